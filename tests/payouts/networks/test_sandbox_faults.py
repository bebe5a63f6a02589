"""Every fault of the sandbox network: unclear what happened, and credited at most once."""

import time
from typing import NamedTuple

import pytest

from payouts.networks.base import (
    Approved,
    Declined,
    Finding,
    NotFound,
    Outcome,
    Unknown,
    UnknownReason,
)
from payouts.networks.sandbox.adapter import Patience, SandboxNetwork
from payouts.networks.sandbox.behaviour import Fault, make_card_number
from tests.payouts.networks.cast import (
    IMPATIENT,
    PATIENT,
    entry_of,
    inquire_once,
    make_push,
    push_once,
    talk,
)
from tests.sandbox import SandboxServer


class Unclear(NamedTuple):
    fault: Fault
    why: UnknownReason
    finding: type
    credited_at_first: int


UNCLEAR = (
    Unclear(Fault.SLOW_2S, UnknownReason.TIMEOUT, Unknown, 0),
    Unclear(Fault.SLOW_10S, UnknownReason.TIMEOUT, Unknown, 0),
    Unclear(Fault.ANSWER_LOST, UnknownReason.TIMEOUT, Approved, 1),
    Unclear(Fault.RESET_BEFORE, UnknownReason.CONNECTION_LOST, NotFound, 0),
    Unclear(Fault.RESET_AFTER, UnknownReason.CONNECTION_LOST, Approved, 1),
    Unclear(Fault.ERROR_BEFORE, UnknownReason.SERVER_ERROR, NotFound, 0),
    Unclear(Fault.ERROR_AFTER, UnknownReason.SERVER_ERROR, Approved, 1),
    Unclear(Fault.GARBAGE, UnknownReason.CONNECTION_LOST, Approved, 1),
    Unclear(Fault.HTML, UnknownReason.UNREADABLE_ANSWER, Approved, 1),
    Unclear(Fault.TRUNCATED, UnknownReason.CONNECTION_LOST, Approved, 1),
    Unclear(Fault.EMPTY, UnknownReason.UNREADABLE_ANSWER, Approved, 1),
    Unclear(Fault.WRONG_IDENTITY, UnknownReason.IDENTITY_MISMATCH, Approved, 1),
    Unclear(Fault.SLOW_DRIP, UnknownReason.TIMEOUT, Approved, 1),
    Unclear(Fault.HIDDEN_ONCE, UnknownReason.CONNECTION_LOST, NotFound, 1),
    Unclear(Fault.HIDDEN_LONG, UnknownReason.CONNECTION_LOST, NotFound, 1),
    Unclear(Fault.CALLED_DUPLICATE_BEFORE, UnknownReason.UNRESOLVED_DUPLICATE, NotFound, 0),
    Unclear(Fault.NO_CODE, UnknownReason.UNREADABLE_ANSWER, Approved, 1),
    Unclear(Fault.CLOSED_AFTER, UnknownReason.CONNECTION_LOST, Approved, 1),
    Unclear(Fault.RETURNED_UNSEEN, UnknownReason.CONNECTION_LOST, Approved, 1),
    Unclear(Fault.FORBIDDEN_BEFORE, UnknownReason.UNEXPECTED_STATUS, NotFound, 0),
)
# These answer 202 and have tests of their own, of what is told later too.
LATER = {Fault.LATE, Fault.OVER_LIMIT, Fault.TOLD_TWICE, Fault.TOLD_OUT_OF_ORDER, Fault.FORGED}
# What is clear at once, whether it is true or stays so.
CLEAR = {Fault.CALLED_DUPLICATE, Fault.RETURNED, Fault.CONTRADICTED}


UNANSWERED = {Fault.SLOW_2S, Fault.SLOW_10S, Fault.ANSWER_LOST, Fault.SLOW_DRIP}


def patience_for(fault: Fault) -> Patience:
    return IMPATIENT if fault in UNANSWERED else PATIENT


def test_every_fault_has_a_test() -> None:
    assert {case.fault for case in UNCLEAR} | LATER | CLEAR == set(Fault)


@pytest.mark.parametrize("case", UNCLEAR, ids=lambda case: case.fault.name.lower())
def test_calls_unclear_what_is_unclear(sandbox: SandboxServer, case: Unclear) -> None:
    push = make_push(amount=f"1200.{case.fault:02d}")

    async def push_on_a_used_connection(network: SandboxNetwork) -> Outcome:
        assert isinstance(await network.push(make_push()), Approved)
        return await network.push(push)

    patience = patience_for(case.fault)
    outcome = talk(sandbox.address, push_on_a_used_connection, patience=patience)
    assert isinstance(outcome, Unknown)
    assert outcome.why is case.why
    assert entry_of(sandbox, push)["credited"] == case.credited_at_first
    assert isinstance(inquire_once(sandbox, push), case.finding)


@pytest.mark.parametrize("case", UNCLEAR, ids=lambda case: case.fault.name.lower())
def test_credits_once_however_often_it_is_resent(sandbox: SandboxServer, case: Unclear) -> None:
    push = make_push(make_card_number("fault", case.fault))

    async def resend(network: SandboxNetwork) -> list[Outcome]:
        return [await network.push(push) for _ in range(3)]

    outcomes = talk(sandbox.address, resend, patience=patience_for(case.fault))
    entry = entry_of(sandbox, push)
    assert isinstance(outcomes[0], Unknown)
    assert entry["times_seen"] == 3
    if case.fault in (Fault.SLOW_2S, Fault.SLOW_10S):
        last = outcomes[-1]
        assert isinstance(last, Unknown)
        assert last.why is UnknownReason.STILL_RUNNING
        assert entry["credited"] == 0
    else:
        assert isinstance(outcomes[1], Approved)
        assert outcomes[1].transaction_id == getattr(outcomes[2], "transaction_id", None)
        assert entry["credited"] == 1


@pytest.mark.parametrize("fault", [Fault.RESET_AFTER, Fault.ERROR_AFTER, Fault.ANSWER_LOST])
def test_finds_the_decline_behind_a_lost_answer(sandbox: SandboxServer, fault: Fault) -> None:
    push = make_push(make_card_number("code", 5), amount=f"1200.{fault:02d}")
    assert isinstance(push_once(sandbox, push, patience=patience_for(fault)), Unknown)
    finding = inquire_once(sandbox, push)
    assert isinstance(finding, Declined)
    assert finding.network_code == "05"


def test_waits_for_a_slow_answer(sandbox: SandboxServer) -> None:
    push = make_push(make_card_number("fault", Fault.SLOW_2S))
    began = time.monotonic()
    outcome = talk(sandbox.address, lambda network: network.push(push))
    assert isinstance(outcome, Approved)
    assert time.monotonic() - began >= 2


@pytest.mark.parametrize(("inquiries", "fault"), [(1, Fault.HIDDEN_ONCE), (3, Fault.HIDDEN_LONG)])
def test_finds_what_was_not_found_at_first(
    sandbox: SandboxServer, inquiries: int, fault: Fault
) -> None:
    push = make_push(amount=f"1200.{fault:02d}")

    async def ask_on(network: SandboxNetwork) -> list[Finding]:
        await network.push(push)
        return [await network.inquire(push.identity) for _ in range(inquiries + 1)]

    findings = talk(sandbox.address, ask_on)
    assert [type(finding) for finding in findings] == [NotFound] * inquiries + [Approved]
