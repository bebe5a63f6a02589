"""What the sandbox network posts by itself, by which fault, and that it is signed."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from payouts.networks.base import Approved, Declined, Push, Returned, Unknown
from payouts.networks.sandbox.behaviour import Fault, make_card_number
from payouts.networks.sandbox.notices import is_signed, read_notice, sign
from tests.payouts.networks.cast import entry_of, inquire_once, make_push, push_once
from tests.payouts.webhooks.receiver import Receiver, receiver
from tests.sandbox import SandboxServer

KEY = "between the network and us"


@pytest.fixture(scope="module")
def house() -> Iterator[Receiver]:
    with receiver() as listening:
        yield listening


@pytest.fixture(scope="module")
def telling(house: Receiver, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxServer]:
    """A sandbox network that posts to the house."""
    book = tmp_path_factory.mktemp("telling") / "book.sqlite3"
    switches = {"latency_ms": 0, "late_ms": 50, "return_ms": 50}
    with SandboxServer.started(book, notify=house.url, notify_key=KEY, **switches) as server:
        yield server


def _posted(house: Receiver, push: Push, number: int) -> list[bytes]:
    """The bodies of what was posted about a push, once there are so many; unsigned ones marked."""
    reference = push.identity.retrieval_reference_number
    deadline = time.monotonic() + 10
    found: list[bytes] = []
    while len(found) < number and time.monotonic() < deadline:
        time.sleep(0.02)
        found = [
            one.body
            for one in list(house.received)
            if json.loads(one.body)["retrievalReferenceNumber"] == reference
        ]
    assert len(found) == number
    return found


def _is_genuine(house: Receiver, body: bytes) -> bool:
    (signature, *_) = [
        one.headers["network-signature"] for one in house.received if one.body == body
    ]
    return is_signed(body, signature=signature, keys=["older", KEY], at=datetime.now(UTC))


@pytest.mark.parametrize(
    ("fault", "kinds"),
    [
        (Fault.LATE, [Approved]),
        (Fault.TOLD_TWICE, [Approved, Approved]),
        (Fault.TOLD_OUT_OF_ORDER, [Approved, Unknown]),
        (Fault.RETURNED, [Returned]),
        (Fault.RETURNED_UNSEEN, [Returned]),
        (Fault.CONTRADICTED, [Approved]),
    ],
)
def test_posts_what_its_fault_says(
    telling: SandboxServer, house: Receiver, fault: Fault, kinds: list[type]
) -> None:
    push = make_push(make_card_number("fault", fault))
    push_once(telling, push)
    bodies = _posted(house, push, len(kinds))
    notices = [read_notice(body) for body in bodies]
    assert [type(one.says) for one in notices if one] == kinds
    assert all(one and one.identity == push.identity for one in notices)
    assert all(one and one.amount == push.amount for one in notices)
    assert all(_is_genuine(house, body) for body in bodies)
    assert entry_of(telling, push)["credited"] == 1


@pytest.mark.parametrize(("code", "says"), [("00", Approved), ("05", Declined)])
def test_posts_what_was_decided_late(
    telling: SandboxServer, house: Receiver, code: str, says: type
) -> None:
    push = make_push(make_card_number("late_code", int(code)))
    push_once(telling, push)
    (body,) = _posted(house, push, 1)
    notice = read_notice(body)
    assert notice is not None
    assert isinstance(notice.says, says)


def test_a_forger_says_the_opposite_and_has_no_key(telling: SandboxServer, house: Receiver) -> None:
    push = make_push(make_card_number("fault", Fault.FORGED))
    push_once(telling, push)
    (body,) = _posted(house, push, 1)
    notice = read_notice(body)
    assert notice is not None
    assert isinstance(notice.says, Declined)
    assert not _is_genuine(house, body)
    deadline = time.monotonic() + 10
    while not entry_of(telling, push)["credited"]:
        assert time.monotonic() < deadline


def test_contradicts_its_own_answer(telling: SandboxServer) -> None:
    push = make_push(make_card_number("fault", Fault.CONTRADICTED))
    assert isinstance(push_once(telling, push), Declined)
    assert isinstance(inquire_once(telling, push), Approved)


def test_posts_after_a_kill_what_it_had_not_told(tmp_path: Path, house: Receiver) -> None:
    book, push = tmp_path / "book.sqlite3", make_push(make_card_number("fault", Fault.RETURNED))
    with SandboxServer.started(book, latency_ms=0, notify="http://127.0.0.1:9/", notify_key=KEY,
                               return_ms=0) as first:  # fmt: skip
        push_once(first, push)
        first.kill()
    with SandboxServer.started(book, latency_ms=0, notify=house.url, notify_key=KEY):
        assert read_notice(_posted(house, push, 1)[0]) is not None


def test_a_signature_is_of_this_body_and_of_now() -> None:
    now, body = datetime.now(UTC), b"{}"
    signature = sign(body, key=KEY, at=now)
    assert is_signed(body, signature=signature, keys=[KEY], at=now)
    assert not is_signed(b"{ }", signature=signature, keys=[KEY], at=now)
    assert not is_signed(body, signature=signature, keys=[], at=now)
    assert not is_signed(body, signature=signature, keys=[KEY], at=now + timedelta(minutes=6))
    assert not is_signed(body, signature="t=1", keys=[KEY], at=now)
