"""Loads a product with wrk, from outside, and says what came of it."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from tests.bench.product import Product

_SCRIPT: Final = Path(__file__).with_name("load.lua")


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What is sent: the kind and the file of tests/bench/load.lua."""

    kind: Literal["create", "read"]
    lines: Path
    token: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One measurement. Milliseconds of CPU are per request, over all processes of that kind."""

    per_second: float
    mean_ms: float | None = None
    p50_ms: float | None = None
    p95_ms: float | None = None
    p99_ms: float | None = None
    web_ms: float | None = None
    database_ms: float | None = None
    refused: int = 0
    socket_errors: int = 0

    @property
    def is_valid(self) -> bool:
        return not self.refused and not self.socket_errors


def require_wrk() -> None:
    """Install wrk where that is possible without asking; else end with a sentence."""
    if shutil.which("wrk") is None and shutil.which("apt-get") and os.geteuid() == 0:
        sys.stderr.write("wrk is missing: installing it.\n")
        subprocess.run(["apt-get", "update", "-qq"], check=False, stdout=sys.stderr)
        subprocess.run(["apt-get", "install", "-y", "-qq", "wrk"], check=False, stdout=sys.stderr)
    if shutil.which("wrk") is None:
        raise SystemExit("The load generator wrk is missing. As root: apt-get install wrk")


def measured(load: Load, product: Product, *, connections: int, seconds: int) -> Sample:
    """Send for so many seconds over so many connections, each waiting for its answer."""
    before = product.cpu()
    output = subprocess.run(
        [
            *("wrk", "--threads", "1", "--connections", str(connections)),
            *("--duration", f"{seconds}s", "--timeout", "10s", "--script", str(_SCRIPT)),
            *(product.address, "--", load.kind, load.token, str(load.lines)),
        ],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    after = product.cpu()
    said = json.loads(output.strip().splitlines()[-1])
    requests = said["requests"] or 1
    return Sample(
        per_second=said["requests"] / said["seconds"],
        p50_ms=said["p50_ms"],
        p95_ms=said["p95_ms"],
        p99_ms=said["p99_ms"],
        web_ms=(after.web - before.web) / requests * 1000,
        database_ms=(after.database - before.database) / requests * 1000,
        refused=said["refused"],
        socket_errors=said["socket_errors"],
    )
