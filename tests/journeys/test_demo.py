"""`make demo` as a newcomer meets it: it comes up, a push is paid, and it goes without a trace."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from tests.demo_staff import sign_in

ROOT: Final = Path(__file__).resolve().parent.parent.parent
START_SECONDS: Final = 120.0
STOP_SECONDS: Final = 60.0
PAY_SECONDS: Final = 20.0

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/environ").exists(), reason="finds left-over processes under /proc"
)


class Demo:
    """One run of the command, with its data in a folder of its own."""

    def __init__(self, var: Path) -> None:
        self.var = var
        self.said = (var.parent / "said").open("w+")
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "demo"],
            cwd=ROOT,
            env=environment(var) | {"PORT": "0"},
            stdin=subprocess.DEVNULL,
            stdout=self.said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def facts(self) -> dict[str, Any]:
        """Wait for var/demo.json, which is there as soon as everything answers."""
        place = self.var / "demo.json"
        assert becomes(lambda: place.exists() or self.process.poll() is not None, START_SECONDS)
        assert place.exists(), self.words()
        assert stat.S_IMODE(place.stat().st_mode) == 0o600
        facts: dict[str, Any] = json.loads(place.read_text())
        return facts

    def words(self) -> str:
        self.said.flush()
        return Path(self.said.name).read_text()

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.process.wait(STOP_SECONDS)

    def processes(self) -> list[str]:
        """What runs on this folder: named in its environment, or among its arguments."""
        mark = os.fsencode(self.var)
        found = []
        for place in Path("/proc").glob("[0-9]*"):
            try:
                text = (place / "environ").read_bytes() + (place / "cmdline").read_bytes()
            except OSError:
                continue
            if mark in text:
                found.append(f"{place.name} {(place / 'cmdline').read_text()}")
        return found


@pytest.fixture
def var() -> Iterator[Path]:
    # Not pytest's own place: it closes that to the database's user now and then.
    with tempfile.TemporaryDirectory(prefix="payouts-demo-") as place:
        yield Path(place) / "var"


@pytest.fixture
def start(var: Path) -> Iterator[Callable[[], Demo]]:
    demos: list[Demo] = []

    def starter() -> Demo:
        demos.append(Demo(var))
        return demos[-1]

    yield starter
    for demo in demos:
        if demo.process.poll() is None:
            demo.end(signal.SIGTERM)
        demo.said.close()


def environment(var: Path) -> dict[str, str]:
    # The tests' own database, by both of its names, is not the demo's.
    kept = {name: word for name, word in os.environ.items() if not name.startswith("DATABASE_")}
    return kept | {"PAYOUTS_VAR": str(var)}


def becomes(is_true: Callable[[], object], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while not is_true() and time.monotonic() < deadline:
        time.sleep(0.1)
    return bool(is_true())


@contextmanager
def client_for(facts: dict[str, Any]) -> Iterator[httpx.Client]:
    """A client with a token, as an integrator gets one."""
    with httpx.Client(base_url=facts["address"], trust_env=False, timeout=30) as client:
        answer = client.post(
            "/auth/token/",
            data={"grant_type": "client_credentials", "scope": "api:write", **facts["api"]},
        )
        assert answer.status_code == 200, answer.text
        client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        yield client


def push(client: httpx.Client, facts: dict[str, Any]) -> dict[str, Any]:
    answer = client.post(
        "/v2/payments/oct/",
        json={**facts["demo"], "amount": 100},
        headers={"Idempotency-Key": str(uuid.uuid4())},
    )
    assert answer.status_code == 201, answer.text
    payment: dict[str, Any] = answer.json()
    return payment


def status_of(client: httpx.Client, payment: dict[str, Any]) -> str:
    return str(client.get(f"/v2/payments/oct/{payment['id']}/").json()["status"])


def credited(facts: dict[str, Any]) -> int:
    totals = httpx.get(f"{facts['sandbox']['address']}/book/totals", trust_env=False).json()
    return int(totals["credited_cents"])


def require_push_is_paid(facts: dict[str, Any]) -> None:
    before = credited(facts)
    with client_for(facts) as client:
        payment = push(client, facts)
        assert payment["direction"] == "Push"
        assert (payment["amount"], type(payment["fee_amount"])) == (100, float)
        assert payment["consumer_id"] == facts["demo"]["consumer_id"]
        assert payment["external_payment_card_id"] == facts["demo"]["external_payment_card_id"]
        assert becomes(lambda: status_of(client, payment) == "completed", PAY_SECONDS)
    assert credited(facts) - before == 100_00


def require_staff_can_sign_in(facts: dict[str, Any]) -> None:
    roles = [member["role"] for member in facts["staff"]]
    assert roles == ["viewer", "maker", "approver", "operations", "admin", "auditor"]
    member = facts["staff"][0]
    with httpx.Client(base_url=facts["address"], trust_env=False, timeout=30) as browser:
        sign_in(browser, member["username"], member["password"])
        assert browser.get("/admin/").status_code == 200


def require_health(var: Path) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "check_health", "--json"],
        cwd=ROOT,
        env=environment(var),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["workers"]


def test_comes_up_pays_and_goes_without_a_trace(start: Callable[[], Demo], var: Path) -> None:
    demo = start()
    facts = demo.facts()
    assert facts["address"] in demo.words()
    require_push_is_paid(facts)
    require_staff_can_sign_in(facts)
    require_health(var)

    assert demo.end(signal.SIGINT) == 0
    assert demo.processes() == []
    assert not (var / "demo.json").exists()

    again = start()
    facts_again = again.facts()
    assert facts_again["api"] == facts["api"]
    assert facts_again["staff"] == facts["staff"]
    assert facts_again["demo"] == facts["demo"]
    assert credited(facts_again) == 100_00

    # Nobody is asked to stop: they must notice by themselves.
    again.end(signal.SIGKILL)
    assert becomes(lambda: again.processes() == [], STOP_SECONDS), again.processes()


def test_says_when_somebody_else_has_the_port(var: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as somebody:
        port = somebody.getsockname()[1]
        done = subprocess.run(
            [sys.executable, "manage.py", "demo", "--port", str(port)],
            cwd=ROOT,
            env=environment(var) | {"DATABASE_URL": "postgresql:///unused"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 1
    assert f"Port {port} cannot be used" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (var / "log").exists()
