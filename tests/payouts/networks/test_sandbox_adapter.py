"""The adapter against the real sandbox process: what every behaviour of a network comes to."""

import asyncio
import socket
import time

import pytest

from payouts.declines import DECLINES
from payouts.networks.base import (
    Approved,
    CardNetwork,
    Declined,
    Finding,
    NotFound,
    NotSent,
    NotSentReason,
    Outcome,
    Push,
    Unknown,
    UnknownReason,
)
from payouts.networks.sandbox.adapter import SandboxNetwork
from payouts.networks.sandbox.behaviour import Fault, make_card_number
from tests.payouts.networks.cast import (
    IMPATIENT,
    MASTERCARD,
    PATIENT,
    VISA,
    entry_of,
    inquire_once,
    make_identity,
    make_push,
    push_once,
    talk,
)
from tests.sandbox import SandboxServer


def test_is_a_card_network() -> None:
    network: CardNetwork = SandboxNetwork("http://127.0.0.1:1", patience=PATIENT)
    assert network.name == "sandbox"


@pytest.mark.parametrize("number", [VISA, MASTERCARD])
def test_credits_an_ordinary_card(sandbox: SandboxServer, number: str) -> None:
    push = make_push(number, amount="1234.56")
    outcome = push_once(sandbox, push)
    assert isinstance(outcome, Approved)
    assert outcome.transaction_id
    assert outcome.approval_code
    entry = entry_of(sandbox, push)
    assert (entry["credited"], entry["amount_cents"], entry["code"]) == (1, 123456, "00")


@pytest.mark.parametrize("code", sorted(DECLINES))
def test_declines_by_amount_with_every_code(sandbox: SandboxServer, code: str) -> None:
    push = make_push(amount=f"1100.{code}")
    outcome = push_once(sandbox, push)
    assert isinstance(outcome, Declined)
    assert outcome.network_code == code
    assert entry_of(sandbox, push)["credited"] == 0


@pytest.mark.parametrize("network", ["visa", "mastercard"])
@pytest.mark.parametrize("code", ["05", "14", "41", "54", "57", "61"])
def test_declines_by_card(sandbox: SandboxServer, network: str, code: str) -> None:
    push = make_push(make_card_number("code", int(code), network=network))
    outcome = push_once(sandbox, push)
    assert isinstance(outcome, Declined)
    assert outcome.network_code == code


@pytest.mark.parametrize("code", ["00", "11"])
def test_approves_with_both_approval_codes(sandbox: SandboxServer, code: str) -> None:
    outcome = push_once(sandbox, make_push(amount=f"1100.{code}"))
    assert isinstance(outcome, Approved)
    assert outcome.network_code == code


def test_does_not_guess_what_a_conditional_approval_means(sandbox: SandboxServer) -> None:
    outcome = push_once(sandbox, make_push(amount="1100.10"))
    assert isinstance(outcome, Unknown)
    assert outcome.why is UnknownReason.UNCLEAR_CODE


def test_passes_on_a_code_that_is_in_no_table(sandbox: SandboxServer) -> None:
    outcome = push_once(sandbox, make_push(amount="1100.77"))
    assert isinstance(outcome, Declined)
    assert outcome.network_code == "77"


def test_declines_more_than_a_network_carries(sandbox: SandboxServer) -> None:
    assert isinstance(push_once(sandbox, make_push(amount="50000.00")), Approved)
    outcome = push_once(sandbox, make_push(amount="50000.01"))
    assert isinstance(outcome, Declined)
    assert outcome.network_code == "13"


async def push_and_follow(network: SandboxNetwork, push: Push) -> tuple[Unknown, list[Finding]]:
    """Push, then ask by the status identifier until the answer is definite."""
    outcome = await network.push(push)
    assert isinstance(outcome, Unknown)
    findings: list[Finding] = []
    while not findings or isinstance(findings[-1], Unknown):
        identifier = outcome.status_identifier
        findings.append(await network.inquire(push.identity, status_identifier=identifier))
        assert len(findings) < 100
        await asyncio.sleep(0.1)
    return outcome, findings


def test_follows_a_late_approval_by_its_status_identifier(sandbox: SandboxServer) -> None:
    push = make_push(make_card_number("fault", Fault.LATE))
    outcome, findings = talk(sandbox.address, lambda network: push_and_follow(network, push))
    assert outcome.why is UnknownReason.IN_PROGRESS
    assert outcome.status_identifier
    assert isinstance(findings[0], Unknown)
    assert findings[0].status_identifier == outcome.status_identifier
    assert isinstance(findings[-1], Approved)
    assert entry_of(sandbox, push)["credited"] == 1


def test_follows_a_late_decline_by_its_status_identifier(sandbox: SandboxServer) -> None:
    push = make_push(make_card_number("late_code", 61))
    _, findings = talk(sandbox.address, lambda network: push_and_follow(network, push))
    assert isinstance(findings[-1], Declined)
    assert findings[-1].network_code == "61"
    assert entry_of(sandbox, push)["credited"] == 0


def test_learns_of_what_takes_the_network_too_long(own_sandbox: SandboxServer) -> None:
    own_sandbox.control(limit_ms=200)
    push = make_push(amount=f"1200.{Fault.OVER_LIMIT:02d}")
    outcome, findings = talk(own_sandbox.address, lambda network: push_and_follow(network, push))
    assert outcome.why is UnknownReason.IN_PROGRESS
    assert isinstance(findings[-1], Approved)


def test_asks_by_identity_when_the_status_identifier_is_forgotten(sandbox: SandboxServer) -> None:
    push = make_push()

    async def ask(network: SandboxNetwork) -> Finding:
        await network.push(push)
        return await network.inquire(push.identity, status_identifier="999999999999")

    assert isinstance(talk(sandbox.address, ask), Approved)


def test_does_not_take_over_what_another_status_identifier_says(sandbox: SandboxServer) -> None:
    other, push = make_push(), make_push(make_card_number("fault", Fault.RESET_BEFORE))
    push_once(sandbox, other)
    identifier = f"{entry_of(sandbox, other)['id']:015d}"
    finding = talk(
        sandbox.address,
        lambda network: network.inquire(push.identity, status_identifier=identifier),
    )
    assert isinstance(finding, Unknown)
    assert finding.why is UnknownReason.IDENTITY_MISMATCH


@pytest.mark.parametrize("amount", ["1100.94", f"1200.{Fault.CALLED_DUPLICATE:02d}"])
def test_looks_up_what_a_duplicate_was(sandbox: SandboxServer, amount: str) -> None:
    push = make_push(amount=amount)
    assert isinstance(push_once(sandbox, push), Approved)
    assert entry_of(sandbox, push)["credited"] == 1


def test_looks_up_that_a_duplicate_was_declined(sandbox: SandboxServer) -> None:
    push = make_push(make_card_number("code", 57), amount=f"1200.{Fault.CALLED_DUPLICATE:02d}")
    outcome = push_once(sandbox, push)
    assert isinstance(outcome, Declined)
    assert outcome.network_code == "57"


@pytest.mark.parametrize("changed", [{"amount": "26.00"}, {"number": MASTERCARD}])
def test_does_not_take_an_original_of_other_content_for_its_own(
    sandbox: SandboxServer, changed: dict[str, str]
) -> None:
    push = make_push(VISA, amount="25.00")
    assert isinstance(push_once(sandbox, push), Approved)
    other = make_push(**{"number": VISA, "amount": "25.00", **changed}, identity=push.identity)
    outcome = push_once(sandbox, other)
    assert isinstance(outcome, Unknown)
    assert outcome.why is UnknownReason.IDENTITY_MISMATCH
    entry = entry_of(sandbox, push)
    assert (entry["credited"], entry["amount_cents"], entry["times_refused"]) == (1, 2500, 1)


def test_finds_nothing_of_what_was_never_sent(sandbox: SandboxServer) -> None:
    assert isinstance(inquire_once(sandbox, make_push()), NotFound)


def test_tells_terminals_with_the_same_trace_number_apart(sandbox: SandboxServer) -> None:
    first, second = make_identity(5_000_001), make_identity(6_000_001)
    push_once(sandbox, make_push(identity=first))
    assert isinstance(inquire_once(sandbox, make_push(identity=second)), NotFound)
    assert isinstance(inquire_once(sandbox, make_push(identity=first)), Approved)


def test_proves_that_nothing_left_when_nobody_listens() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}"
    assert talk(address, lambda network: network.push(make_push())) == NotSent(
        NotSentReason.CONNECTION_FAILED
    )
    finding = talk(address, lambda network: network.inquire(make_identity()))
    assert isinstance(finding, Unknown)
    assert finding.why is UnknownReason.UNREACHABLE


def test_proves_that_nothing_left_when_the_name_is_unknown() -> None:
    outcome = talk("http://no-such-network.invalid", lambda network: network.push(make_push()))
    assert isinstance(outcome, NotSent)


def test_proves_that_nothing_left_when_tls_fails(sandbox: SandboxServer) -> None:
    address = sandbox.address.replace("http://", "https://")
    outcome = talk(address, lambda network: network.push(make_push()))
    assert outcome == NotSent(NotSentReason.CONNECTION_FAILED)


def test_does_not_call_unsent_what_went_over_a_dying_connection(
    own_sandbox: SandboxServer,
) -> None:
    held = make_push(make_card_number("fault", Fault.SLOW_10S))

    async def lose_the_network(network: SandboxNetwork) -> tuple[Outcome, Outcome]:
        assert isinstance(await network.push(make_push()), Approved)
        sending = asyncio.create_task(network.push(held))
        await asyncio.sleep(0.3)
        own_sandbox.kill()
        return await sending, await network.push(make_push())

    during, after = talk(own_sandbox.address, lose_the_network)
    assert isinstance(during, Unknown)
    assert during.why is UnknownReason.CONNECTION_LOST
    assert isinstance(after, NotSent)


def test_raises_only_when_it_is_cancelled(sandbox: SandboxServer) -> None:
    push = make_push(make_card_number("fault", Fault.SLOW_2S))

    async def cancel(network: SandboxNetwork) -> None:
        sending = asyncio.create_task(network.push(push))
        await asyncio.sleep(0.3)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        # The lane that was cancelled in the middle is good for the next push.
        assert isinstance(await network.push(make_push()), Approved)

    talk(sandbox.address, cancel)
    assert entry_of(sandbox, push)["times_seen"] == 1


def test_keeps_hundreds_of_slow_calls_in_flight(own_sandbox: SandboxServer) -> None:
    own_sandbox.control(latency_ms=1000)

    async def push_many(network: SandboxNetwork) -> list[Outcome]:
        return await asyncio.gather(*(network.push(make_push()) for _ in range(300)))

    began = time.monotonic()
    outcomes = talk(own_sandbox.address, push_many)
    assert all(isinstance(outcome, Approved) for outcome in outcomes)
    assert time.monotonic() - began < 8
    assert own_sandbox.totals()["credited"] == 300


def test_never_shows_a_card_number(sandbox: SandboxServer) -> None:
    pushes = [make_push(make_card_number("fault", fault)) for fault in Fault]

    async def push_all(network: SandboxNetwork) -> list[Outcome]:
        return await asyncio.gather(*(network.push(push) for push in pushes))

    shown = repr(talk(sandbox.address, push_all, patience=IMPATIENT)) + repr(sandbox.book())
    assert not [push.number for push in pushes if push.number in shown]
