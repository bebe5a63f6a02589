"""The sandbox network as any HTTP client meets it, and what its book keeps over kills and races."""

import asyncio
import socket
import sqlite3
import time
from contextlib import closing
from typing import Any

import httpx
import pytest

from payouts.networks.base import Approved, NotSent, Outcome, Push, Unknown
from payouts.networks.sandbox.adapter import SandboxNetwork
from payouts.networks.sandbox.behaviour import Fault, make_card_number
from payouts.networks.sandbox.server import CARD_PATH, PUSH_PATH, QUERY_PATH
from tests.payouts.networks.cast import (
    IMPATIENT,
    VISA,
    entry_of,
    make_identity,
    make_push,
    push_once,
    talk,
)
from tests.sandbox import SandboxServer


def message_of(push: Push) -> dict[str, Any]:
    identity = push.identity
    return {
        "acquiringBin": identity.acquiring_bin,
        "systemsTraceAuditNumber": identity.systems_trace_audit_number,
        "retrievalReferenceNumber": identity.retrieval_reference_number,
        "recipientPrimaryAccountNumber": push.number,
        "amount": f"{push.amount:.2f}",
        "transactionCurrencyCode": "USD",
        "cardAcceptor": {
            "idCode": identity.card_acceptor_id,
            "terminalId": identity.terminal_id,
        },
    }


@pytest.mark.parametrize(
    ("fault", "seen"),
    [
        (Fault.RESET_BEFORE, httpx.ReadError),
        (Fault.RESET_AFTER, httpx.ReadError),
        (Fault.CLOSED_AFTER, httpx.RemoteProtocolError),
        (Fault.GARBAGE, httpx.RemoteProtocolError),
        (Fault.TRUNCATED, httpx.RemoteProtocolError),
    ],
)
def test_breaks_the_connection_in_earnest(
    sandbox: SandboxServer, fault: Fault, seen: type[Exception]
) -> None:
    message = message_of(make_push(make_card_number("fault", fault)))
    with pytest.raises(seen):
        sandbox.http.post(PUSH_PATH, json=message)


def test_answers_a_push_in_the_shape_of_the_network(sandbox: SandboxServer) -> None:
    message = message_of(make_push())
    answer = sandbox.http.post(PUSH_PATH, json=message)
    body = answer.json()
    assert answer.status_code == 200
    assert body["actionCode"] == "00"
    assert len(body["transactionIdentifier"]) == 15
    assert len(body["approvalCode"]) == 6
    echoed = ("acquiringBin", "systemsTraceAuditNumber", "retrievalReferenceNumber", "cardAcceptor")
    assert {name: body[name] for name in echoed} == {name: message[name] for name in echoed}


WRONG = [
    {"amount": "0.00"},
    {"amount": "-1.00"},
    {"amount": 25},
    {"amount": "1.005"},
    {"amount": "NaN"},
    {"recipientPrimaryAccountNumber": "4111"},
    {"systemsTraceAuditNumber": "12345"},
    {"retrievalReferenceNumber": None},
    {"acquiringBin": "\u0664\u0660\u0668\u0669\u0669\u0669"},
    {"transactionCurrencyCode": "EUR"},
    {"cardAcceptor": "PT000001"},
    {"cardAcceptor": {"idCode": "P", "terminalId": "PT0000001"}},
]


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_refuses_a_malformed_push_and_keeps_no_trace(
    sandbox: SandboxServer, wrong: dict[str, Any]
) -> None:
    before = len(sandbox.book())
    answer = sandbox.http.post(PUSH_PATH, json=message_of(make_push()) | wrong)
    assert answer.status_code == 400
    assert VISA not in answer.text
    assert len(sandbox.book()) == before


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"null", b"\xff", b"[" * 5000])
def test_refuses_what_is_no_message(sandbox: SandboxServer, body: bytes) -> None:
    for path in (PUSH_PATH, CARD_PATH):
        assert sandbox.http.post(path, content=body).status_code == 400


def test_drops_whoever_sends_more_than_any_message_has(sandbox: SandboxServer) -> None:
    with pytest.raises(httpx.TransportError):
        sandbox.http.post(PUSH_PATH, content=b"x" * 10_000_000)
    assert sandbox.http.get("/healthz").json() == {"status": "ok"}


def test_survives_a_client_that_speaks_no_http(sandbox: SandboxServer) -> None:
    with socket.create_connection(("127.0.0.1", sandbox.port), timeout=5) as client:
        client.sendall(b"\x16\x03\x01 hello\r\n\r\n")
        assert client.recv(100) == b""
    assert sandbox.http.get("/healthz").status_code == 200


@pytest.mark.parametrize("path", ["/", "/book/1", f"{QUERY_PATH}/1", PUSH_PATH])
def test_knows_no_other_resource(sandbox: SandboxServer, path: str) -> None:
    assert sandbox.http.get(path).status_code == 404


@pytest.mark.parametrize("query", ["", "?stan=1&rrn=2", "?acquiringBIN=1&stan=2&rrn="])
def test_refuses_an_inquiry_that_names_no_identity(sandbox: SandboxServer, query: str) -> None:
    assert sandbox.http.get(f"{QUERY_PATH}{query}").status_code == 400


@pytest.mark.parametrize("query", ["after=x", "limit=-1", f"after={'9' * 30}"])
def test_refuses_a_page_that_cannot_be(sandbox: SandboxServer, query: str) -> None:
    assert sandbox.http.get(f"/book?{query}").status_code == 400


def test_pages_through_the_whole_book(own_sandbox: SandboxServer) -> None:
    pushes = [make_push() for _ in range(5)]
    for push in pushes:
        push_once(own_sandbox, push)
    first = own_sandbox.http.get("/book?limit=3").json()
    rest = own_sandbox.http.get(f"/book?limit=3&after={first['next_after']}").json()
    numbers = [entry["retrieval_reference_number"] for entry in own_sandbox.book()]
    assert [len(first["instructions"]), len(rest["instructions"])] == [3, 2]
    assert numbers == [push.identity.retrieval_reference_number for push in pushes]
    assert first["totals"]["credited_cents"] == 5 * 2500


def test_counts_the_whole_book_on_its_first_page_only(own_sandbox: SandboxServer) -> None:
    push_once(own_sandbox, make_push())
    assert "totals" not in own_sandbox.http.get("/book?after=1").json()


def test_counts_what_it_did(own_sandbox: SandboxServer) -> None:
    for amount in ("10.00", "1100.05", f"1200.{Fault.RESET_BEFORE:02d}"):
        push_once(own_sandbox, make_push(amount=amount))
    repeated = make_push(amount="0.01")
    for amount in ("0.01", "0.01", "0.02"):
        push_once(own_sandbox, make_push(amount=amount, identity=repeated.identity))
    assert own_sandbox.totals() == {
        "instructions": 4,
        "credited": 2,
        "credited_cents": 1001,
        "declined": 1,
        "running": 0,
        "dropped": 1,
        "repeats": 1,
        "refused": 1,
    }


def test_never_writes_a_card_number_to_its_file(own_sandbox: SandboxServer) -> None:
    push_once(own_sandbox, make_push(VISA))
    own_sandbox.stop()
    files = list(own_sandbox.book_path.parent.iterdir())
    assert own_sandbox.book_path in files
    assert not [path for path in files if VISA.encode() in path.read_bytes()]


def test_credits_one_of_fifty_that_arrive_at_once(sandbox: SandboxServer) -> None:
    push = make_push()

    async def race(network: SandboxNetwork) -> list[Outcome]:
        return await asyncio.gather(*(network.push(push) for _ in range(50)))

    outcomes = talk(sandbox.address, race)
    entry = entry_of(sandbox, push)
    assert any(isinstance(outcome, Approved) for outcome in outcomes)
    assert (entry["times_seen"], entry["credited"]) == (50, 1)


def test_keeps_its_book_when_it_is_killed(own_sandbox: SandboxServer) -> None:
    push = make_push()
    first = push_once(own_sandbox, push)
    own_sandbox.kill()
    with SandboxServer.started(own_sandbox.book_path) as again:
        assert isinstance(first, Approved)
        repeat = push_once(again, push)
        assert isinstance(repeat, Approved)
        assert repeat.transaction_id == first.transaction_id
        assert again.totals()["credited"] == 1


def test_finishes_after_a_kill_what_it_had_taken_up(own_sandbox: SandboxServer) -> None:
    running = make_push(make_card_number("fault", Fault.SLOW_10S))
    dropped = make_push(make_card_number("fault", Fault.RESET_BEFORE))
    for push in (running, dropped):
        push_once(own_sandbox, push, patience=IMPATIENT)
    assert own_sandbox.totals()["running"] == 1
    own_sandbox.kill()
    with SandboxServer.started(own_sandbox.book_path) as again:
        assert (again.totals()["credited"], again.totals()["dropped"]) == (1, 1)
        assert entry_of(again, running)["credited"] == 1


def test_has_credited_whatever_it_approved_when_it_is_killed(own_sandbox: SandboxServer) -> None:
    own_sandbox.control(latency_ms=5)
    pushes = [make_push() for _ in range(200)]
    waiting = iter(pushes)
    known: dict[str, type[Outcome]] = {}

    async def send_on(network: SandboxNetwork) -> None:
        for push in waiting:
            outcome = await network.push(push)
            known[push.identity.retrieval_reference_number] = type(outcome)
            if len(known) == 50:
                own_sandbox.kill()

    async def send_all(network: SandboxNetwork) -> None:
        await asyncio.gather(*(send_on(network) for _ in range(20)))

    talk(own_sandbox.address, send_all)
    # Read from the file: a new process would first finish what this one had taken up.
    with closing(sqlite3.connect(own_sandbox.book_path)) as book:
        rows = book.execute("SELECT retrieval_reference_number FROM instructions WHERE credited")
        credited = {number for (number,) in rows}
    assert {number for number, kind in known.items() if kind is Approved} <= credited
    assert not {number for number, kind in known.items() if kind is NotSent} & credited
    assert (len(known), set(known.values())) == (200, {Approved, Unknown, NotSent})


def test_forgets_a_status_identifier_after_a_day(own_sandbox: SandboxServer) -> None:
    push_once(own_sandbox, make_push())
    assert own_sandbox.http.get(f"{PUSH_PATH}/000000000000001").status_code == 200
    own_sandbox.stop()
    with sqlite3.connect(own_sandbox.book_path) as book:
        book.execute("UPDATE instructions SET received_at = '2026-01-01T00:00:00.000+00:00'")
    book.close()
    with SandboxServer.started(own_sandbox.book_path) as again:
        assert again.http.get(f"{PUSH_PATH}/000000000000001").status_code == 404


def test_shows_and_throws_its_switches(own_sandbox: SandboxServer) -> None:
    switches = own_sandbox.control(latency_ms=300, faults=0.5, seed=9, mix=["html"])
    assert switches == {
        "latency_ms": 300,
        "limit_ms": 30_000,
        "late_ms": 300,
        "return_ms": 259_200_000,
        "faults": 0.5,
        "seed": 9,
        "mix": ["html"],
    }
    own_sandbox.control(faults=0)
    began = time.monotonic()
    push_once(own_sandbox, make_push())
    assert time.monotonic() - began >= 0.3


@pytest.mark.parametrize(
    "change",
    [{"faults": 2}, {"latency_ms": -1}, {"latency_ms": "1"}, {"speed": 1}, {"mix": ["rain"]}],
    ids=str,
)
def test_refuses_a_switch_that_it_does_not_have(
    sandbox: SandboxServer, change: dict[str, Any]
) -> None:
    before = sandbox.http.get("/control").json()
    assert sandbox.http.post("/control", json=change).status_code == 400
    assert sandbox.http.get("/control").json() == before


def test_refuses_connections_for_as_long_as_it_is_told(own_sandbox: SandboxServer) -> None:
    own_sandbox.control(refuse_ms=800)
    time.sleep(0.3)
    assert isinstance(push_once(own_sandbox, make_push()), NotSent)
    time.sleep(1)
    assert isinstance(push_once(own_sandbox, make_push()), Approved)


def outcomes_with(sandbox: SandboxServer, *, sequences: range) -> list[str]:
    async def push_all(network: SandboxNetwork) -> list[Outcome]:
        pushes = [make_push(identity=make_identity(n)) for n in sequences]
        return [await network.push(push) for push in pushes]

    return [type(outcome).__name__ for outcome in talk(sandbox.address, push_all)]


def test_repeats_a_faulty_run(own_sandbox: SandboxServer, sandbox: SandboxServer) -> None:
    mix = "html,error_after,late"
    own_sandbox.control(faults=0.5, seed=7, mix=mix.split(","))
    sequences = range(80_000_000, 80_000_030)
    first = outcomes_with(own_sandbox, sequences=sequences)
    path = own_sandbox.book_path.with_name("again.sqlite3")
    with SandboxServer.started(path, latency_ms=0, faults=0.5, seed=7, mix=mix) as again:
        assert outcomes_with(again, sequences=sequences) == first
    assert {"Approved", "Unknown"} == set(first)
