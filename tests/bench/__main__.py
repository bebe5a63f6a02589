"""Runs the measurements: `make bench`, or `python -m tests.bench --help`.

Two products run side by side, one with ten thousand payments and one with a million. Loads go to
the large one; the same page is asked of both in turn. All loads take turns, several rounds long,
so that whatever else the machine does meets all of them.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import psycopg

from tests.bench import pages, pgbench, worker
from tests.bench.load import Load, Sample, measured, require_wrk
from tests.bench.product import ROOT, Product, environment
from tests.bench.table import Row, Target, as_json, table

CONNECTIONS: Final = (1, 8, 32)
CLIENTS: Final = (2, 4, 8)
FEW: Final = 10_000
MANY: Final = 1_000_000
PAGES: Final = 60
STAFF_PAGE_MS: Final = 300
ADMIN_LIST: Final = "/admin/payouts/payment/"

Step = Callable[[], Sample]
PageTimes = dict[str, list[float]]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A running product with so many payments in it, and what the loads send to it."""

    product: Product
    folder: Path
    payments: int
    token: str
    pages: dict[str, str]
    staff_pages: dict[str, str]

    def load(self, name: str) -> Load:
        kind: Literal["create", "read"] = "create" if name == "creates" else "read"
        return Load(kind=kind, lines=self.folder / name, token=self.token)


def main() -> None:
    chosen = _arguments()
    require_wrk()
    began = time.monotonic()
    with ExitStack() as stack:
        place = chosen.keep or Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="payouts-bench-"))
        )
        few = _prepared(stack.enter_context(Product.started(place / "few")), FEW)
        many = _prepared(stack.enter_context(Product.started(place / "many")), chosen.rows)
        if chosen.pages is None:
            with few.product.worker_resting(), many.product.worker_resting():
                rows, times = [], _pages(few, many, times=PAGES)
            targets = [*_page_targets(times), *_staff_targets(times)]
        else:
            with few.product.worker_resting(), many.product.worker_resting():
                rows = _loads(many, rounds=chosen.rounds, seconds=chosen.seconds)
                times = _pages(few, many, times=chosen.pages)
                worker.put_off(many.product)
            rows += _sending(many, rounds=chosen.rounds, seconds=chosen.seconds)
            times |= _alone(many, times=chosen.rounds + 1)
            targets = _targets({row.name: row for row in rows}, times)
    seconds = time.monotonic() - began
    sys.stdout.write(f"{table(rows, times, targets)}\n\nMeasured in {seconds:.0f} s.\n")
    _keep(as_json(rows, times, targets))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("--rows", type=int, default=MANY, help="payments of the large product")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=4, help="of each load in each round")
    parser.add_argument(
        "--pages",
        type=int,
        nargs="?",
        default=PAGES,
        help="how often each page is asked for; without a number: pages and nothing else",
    )
    parser.add_argument("--quick", action="store_true", help="one short round, 50,000 payments")
    parser.add_argument("--keep", type=Path, help="folder to keep the data in, for another run")
    chosen = parser.parse_args()
    if chosen.quick:
        chosen.rows, chosen.rounds, chosen.seconds, chosen.pages = (
            min(chosen.rows, 50_000),
            1,
            2,
            chosen.pages and 20,
        )
    return chosen


def _prepared(product: Product, payments: int) -> Prepared:
    _say(f"Filling a product with {payments:,} payments.")
    folder = product.folder / "bench"
    folder.mkdir(exist_ok=True)
    said = subprocess.run(
        [
            *(sys.executable, "-m", "tests.bench.prepare"),
            *("--payments", str(payments), "--folder", str(folder)),
        ],
        cwd=ROOT,
        env=environment(product.folder) | {"CARD_NETWORK_SANDBOX_URL": product.sandbox},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    ).stdout
    facts = json.loads(said.splitlines()[-1])
    return Prepared(product, folder, payments, facts["token"], facts["pages"], facts["staff_pages"])


def _loads(prepared: Prepared, *, rounds: int, seconds: int) -> list[Row]:
    steps = dict(_steps(prepared, seconds))
    samples: dict[str, list[Sample]] = {name: [] for name in steps}
    for number in range(rounds):
        _say(f"Round {number + 1} of {rounds}.")
        for name, step in steps.items():
            samples[name].append(step())
    return [Row(name, tuple(taken)) for name, taken in samples.items()]


def _steps(prepared: Prepared, seconds: int) -> Iterator[tuple[str, Step]]:
    """Every load with its name, the limit first and creates beside it."""
    product = prepared.product

    def load(name: str, connections: int) -> Step:
        return lambda: measured(
            prepared.load(name), product, connections=connections, seconds=seconds
        )

    def limit(clients: int) -> Step:
        script = prepared.folder / "create.sql"
        return lambda: pgbench.limit(script, product, clients=clients, seconds=seconds)

    def creates_beside_snapshot() -> Sample:
        with _open_snapshot(product):
            return load("creates", 8)()

    for clients in CLIENTS:
        yield f"limit: pgbench, {clients} clients", limit(clients)
    for connections in CONNECTIONS:
        yield f"creates, {connections} connections", load("creates", connections)
    yield "creates, 8 connections, open snapshot", creates_beside_snapshot
    yield "creates, 8 connections, no snapshot", load("creates", 8)
    for name in ("retrieves", "lists", "short lists"):
        for connections in CONNECTIONS:
            yield f"{_SHOWN[name]}, {connections} connections", load(name, connections)


_SHOWN: Final = {
    "retrieves": "retrieves",
    "lists": "lists (50 payments)",
    "short lists": "lists (page_size=10)",
}


@contextmanager
def _open_snapshot(product: Product) -> Iterator[None]:
    """Hold a repeatable-read snapshot, as a long report or a dump does."""
    with psycopg.connect(product.database_url) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.execute("SELECT count(*) FROM payouts_account")
        yield


def _pages(few: Prepared, many: Prepared, *, times: int) -> PageTimes:
    _say("Asking for single pages.")
    asks = {}
    for name in many.pages:
        for one in (few, many):
            ask = pages.api_page(one.product, one.pages[name], token=one.token)
            asks[f"{name}, {one.payments:,} payments"] = ask
    staff = {one.payments: pages.admin_pages(one.product) for one in (few, many)}
    for payments, page in staff.items():
        asks[f"admin list, {payments:,} payments"] = page(ADMIN_LIST)
    for name, path in many.staff_pages.items():
        asks[f"staff: {name}"] = staff[many.payments](path)
    return pages.side_by_side(asks, times=times)


def _sending(prepared: Prepared, *, rounds: int, seconds: int) -> list[Row]:
    _say("Letting the worker send.")
    product, creates = prepared.product, prepared.load("creates")
    sent = [worker.completed(creates, product, seconds=seconds) for _ in range(rounds)]
    beside = [measured(creates, product, connections=8, seconds=seconds) for _ in range(rounds)]
    return [
        Row("accepted to completed, network takes 500 ms", tuple(sent)),
        Row("creates, 8 connections, worker sending", tuple(beside)),
    ]


def _alone(prepared: Prepared, *, times: int) -> PageTimes:
    taken = worker.completed_alone(prepared.load("creates"), prepared.product, times=times)
    return {"one push, accepted to completed (network 500)": taken}


def _targets(rows: dict[str, Row], times: PageTimes) -> list[Target]:
    limit = max(rows[f"limit: pgbench, {clients} clients"].per_second for clients in CLIENTS)
    snapshot = rows["creates, 8 connections, open snapshot"].per_second
    without = rows["creates, 8 connections, no snapshot"].per_second
    completed = rows["accepted to completed, network takes 500 ms"].per_second
    best = {
        kind: max(rows[f"{kind}, {count} connections"].per_second for count in CONNECTIONS)
        for kind in ("creates", *_SHOWN.values())
    }
    return [
        Target("creates / limit of the database", best["creates"] / limit, at_least=0.35),
        Target("retrieves a second", best["retrieves"], at_least=2000),
        Target("lists a second (50 payments)", best["lists (50 payments)"], at_least=1200),
        Target("lists a second (page_size=10)", best["lists (page_size=10)"], at_least=1200),
        Target("share that an open snapshot costs", 1 - snapshot / without, at_most=0.2),
        Target("completed a second by one worker", completed, at_least=100),
        *_page_targets(times),
        *_staff_targets(times),
    ]


def _page_targets(times: PageTimes) -> Iterator[Target]:
    """Pages come in pairs: with few payments, then with many."""
    names = [name for name in times if name.endswith(" payments")]
    for few, many in zip(names[::2], names[1::2], strict=True):
        ratio = statistics.median(times[many]) / statistics.median(times[few])
        yield Target(f"{few.partition(',')[0]}: many / few payments", ratio, at_most=1.3)


def _staff_targets(times: PageTimes) -> Iterator[Target]:
    """Every list and search of the back office, as the person sees it come."""
    for name, taken in times.items():
        if name.startswith("staff: "):
            yield Target(f"{name}, ms", statistics.median(taken), at_most=STAFF_PAGE_MS)


def _keep(found: dict[str, object]) -> None:
    kept = ROOT / "var" / "bench.json"
    kept.parent.mkdir(exist_ok=True)
    kept.write_text(json.dumps(found, indent=1))


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


if __name__ == "__main__":
    main()
