-- What wrk sends. Arguments: `create` or `read`, a token, a file.
--
-- `create`: each request is a push with a key of its own to a random card; the file has one card a
-- line, as members of a JSON object. `read`: each request gets a random line of the file, a path.

local kind, token, lines
local keys, count = "", 0

function init(arguments)
   kind, token, lines = arguments[1], arguments[2], {}
   for line in io.lines(arguments[3]) do
      lines[#lines + 1] = line
   end
   local random = io.open("/dev/urandom", "rb")
   local seed = 0
   for byte in random:read(6):gmatch(".") do
      keys = keys .. string.format("%02x", byte:byte())
      seed = seed * 256 + byte:byte()
   end
   random:close()
   math.randomseed(seed)
end

function request()
   local line = lines[math.random(#lines)]
   local headers = {["Authorization"] = "Bearer " .. token}
   if kind == "read" then
      return wrk.format("GET", line, headers)
   end
   count = count + 1
   headers["Content-Type"] = "application/json"
   headers["Idempotency-Key"] = "wrk-" .. keys .. "-" .. count
   local amount = string.format("%d.%02d", math.random(1, 90), math.random(0, 99))
   return wrk.format("POST", "/v2/payments/oct/", headers, "{" .. line .. ', "amount": ' .. amount .. "}")
end

-- The last line of the output, for tests/bench/load.py. Answers of 400 and above are `refused`.
function done(summary, latency)
   local errors = summary.errors
   io.write(string.format(
      '\n{"requests": %d, "seconds": %.6f, "p50_ms": %.3f, "p95_ms": %.3f, "p99_ms": %.3f, ' ..
      '"refused": %d, "socket_errors": %d}\n',
      summary.requests, summary.duration / 1e6,
      latency:percentile(50) / 1e3, latency:percentile(95) / 1e3, latency:percentile(99) / 1e3,
      errors.status, errors.connect + errors.read + errors.write + errors.timeout
   ))
end
