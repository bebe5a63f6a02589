"""How soon partners are told: `python -m tests.bench.webhooks`.

A demo of its own, and receivers on loopback in this process. What is measured is the time from the
event's own timestamp to its arrival: of single pushes, of a burst, and while a fifth of the
endpoints accept the connection and never answer. Needs a quiet machine; takes a minute.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import Final

import httpx

from tests.bench.product import Product
from tests.payouts.webhooks.receiver import Received, Receiver, Reply, receiver

_WAIT_SECONDS: Final = 60.0


class Arrivals:
    """Every delivery that came to one of the receivers, with how many seconds it took."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.last_at = 0.0

    def note(self, one: Received) -> Reply:
        self.last_at = time.time()
        told_at = datetime.fromisoformat(json.loads(one.body)["timestamp"]).timestamp()
        self.seconds.append(self.last_at - told_at)
        return Reply()

    def expect(self, number: int) -> list[float]:
        """Wait for so many, and start counting anew."""
        deadline = time.monotonic() + _WAIT_SECONDS
        while len(self.seconds) < number and time.monotonic() < deadline:
            time.sleep(0.05)
        found, self.seconds = self.seconds, []
        if len(found) < number:
            sys.exit(f"{len(found)} of {number} deliveries came.")
        return found


class Partner:
    """The demo's partner, by the API."""

    def __init__(self, product: Product) -> None:
        self.http = httpx.Client(base_url=product.address, timeout=30, trust_env=False)
        api, demo = product.facts["api"], product.facts["demo"]
        asked = {**api, "grant_type": "client_credentials", "scope": "api:write"}
        token = self.http.post("/auth/token/", json=asked).raise_for_status().json()
        self.http.headers["Authorization"] = f"Bearer {token['access_token']}"
        self.push_body = {**demo, "amount": 1}

    def listen(self, place: Receiver) -> None:
        wanted = {"url": place.url, "event_types": ["payment.oct.*"]}
        self.http.post("/v2/webhooks/", json=wanted).raise_for_status()

    def push(self, _: int = 0) -> None:
        key = {"Idempotency-Key": str(uuid.uuid4())}
        self.http.post("/v2/payments/oct/", json=self.push_body, headers=key).raise_for_status()


# Of a push that is simply paid: created, sent, completed.
_EVENTS: Final = 3


def main() -> None:
    chosen = _arguments()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="webhooks-")))
        partner = Partner(stack.enter_context(Product.started(folder)))
        arrivals = Arrivals()
        for _ in range(chosen.endpoints):
            partner.listen(stack.enter_context(receiver(arrivals.note)))
        _singly(partner, arrivals, chosen.endpoints, times=3)
        _say("single pushes", _singly(partner, arrivals, chosen.endpoints, times=chosen.times))
        _burst(partner, arrivals, chosen.endpoints, pushes=chosen.burst)
        hanging = max(1, round(chosen.endpoints * 0.25))
        for _ in range(hanging):
            partner.listen(stack.enter_context(receiver(Reply(hangs=True))))
        found = _singly(partner, arrivals, chosen.endpoints, times=chosen.times)
        _say(f"single pushes, {hanging} of {chosen.endpoints + hanging} endpoints hang", found)


def _singly(partner: Partner, arrivals: Arrivals, endpoints: int, *, times: int) -> list[float]:
    found: list[float] = []
    for _ in range(times):
        partner.push()
        found += arrivals.expect(_EVENTS * endpoints)
    return found


def _burst(partner: Partner, arrivals: Arrivals, endpoints: int, *, pushes: int) -> None:
    began = time.time()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(partner.push, range(pushes)))
    made = time.time() - began
    found = arrivals.expect(pushes * _EVENTS * endpoints)
    whole = arrivals.last_at - began
    _say(f"{pushes} pushes at once", found)
    sys.stdout.write(
        f"  made in {made:.1f} s, all told after {whole:.1f} s: {len(found) / whole:.0f}"
        " deliveries/s beside making, sending and settling them\n"
    )


def _say(what: str, seconds: list[float]) -> None:
    cuts = statistics.quantiles(seconds, n=100)
    sys.stdout.write(
        f"{what}: {len(seconds)} deliveries, p50 {cuts[49] * 1000:.0f} ms,"
        f" p95 {cuts[94] * 1000:.0f} ms, longest {max(seconds) * 1000:.0f} ms\n"
    )
    sys.stdout.flush()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.webhooks")
    parser.add_argument("--endpoints", type=int, default=8, help="that answer at once")
    parser.add_argument("--times", type=int, default=20, help="single pushes")
    parser.add_argument("--burst", type=int, default=300, help="pushes at once")
    return parser.parse_args()


if __name__ == "__main__":
    main()
