"""Runs the sandbox network: `python -m payouts.networks.sandbox --port 8801 --book FILE`.

Prints one line of JSON with its address as soon as it accepts connections, and stops on SIGTERM or
SIGINT.
"""

import argparse
import asyncio
import json
import logging
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from payouts.networks.sandbox.behaviour import Switches, fault_named
from payouts.networks.sandbox.book import Book
from payouts.networks.sandbox.server import SandboxServer
from payouts.networks.sandbox.teller import Listener

_KEYS = "SANDBOX_NOTIFICATION_KEYS"


def main(arguments: Sequence[str]) -> None:
    """Run until a signal says stop. Port 0 takes a free one."""
    chosen = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.WARNING)
    try:
        switches = Switches(
            latency_ms=chosen.latency_ms,
            limit_ms=chosen.limit_ms,
            late_ms=chosen.late_ms,
            return_ms=chosen.return_ms,
            faults=chosen.faults,
            seed=chosen.seed,
            mix=tuple(fault_named(name) for name in chosen.mix.split(",") if name),
        )
    except ValueError as problem:
        sys.exit(str(problem))
    if chosen.notify and not chosen.notify_key:
        sys.exit(f"Set {_KEYS}: what is posted to {chosen.notify} has to be signed.")
    listener = Listener(chosen.notify, chosen.notify_key) if chosen.notify else None
    asyncio.run(_serve(chosen.book, switches, chosen.host, chosen.port, listener))


async def _serve(
    path: Path, switches: Switches, host: str, port: int, listener: Listener | None
) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    path.parent.mkdir(parents=True, exist_ok=True)
    book = Book(path)
    try:
        server = SandboxServer(book, switches, host=host, port=port, listener=listener)
        await server.open()
        sys.stdout.write(json.dumps({"address": server.address}) + "\n")
        sys.stdout.flush()
        await stopped.wait()
        server.close()
    finally:
        book.close()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m payouts.networks.sandbox")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8801)
    parser.add_argument("--book", type=Path, required=True, help="file of the book (SQLite)")
    parser.add_argument("--latency-ms", type=int, default=50, help="how long every push takes")
    parser.add_argument(
        "--limit-ms", type=int, default=30_000, help="after this a push answers 202"
    )
    parser.add_argument("--late-ms", type=int, default=2_000, help="how late a late decision is")
    parser.add_argument(
        "--return-ms", type=int, default=Switches().return_ms, help="how late a return is"
    )
    parser.add_argument("--notify", default="", help="address that notifications are posted to")
    key = os.environ.get(_KEYS, "").partition(",")[0].strip()
    parser.add_argument("--notify-key", default=key, help=f"signs them; the first of {_KEYS}")
    parser.add_argument("--faults", type=float, default=0.0, help="share of faulty answers, 0 to 1")
    parser.add_argument("--seed", type=int, default=0, help="which instructions the faults strike")
    parser.add_argument("--mix", default="", help="names of faults, with commas; all if empty")
    return parser


if __name__ == "__main__":
    main(sys.argv[1:])
