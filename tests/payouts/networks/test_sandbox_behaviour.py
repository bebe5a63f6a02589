import re
from dataclasses import replace
from pathlib import Path

import pytest

from consumers.cards import CardNetworkName, network_of, passes_luhn
from payouts.networks.sandbox.behaviour import (
    CardKind,
    Fault,
    Plan,
    Switches,
    fault_named,
    make_card_number,
    plan_for,
)
from tests.payouts.networks.cast import VISA, make_identity

CALM = Switches()
KINDS: tuple[CardKind, ...] = ("code", "fault", "eligibility", "late_code")


def plan(number: str = VISA, *, cents: int = 2500, switches: Switches = CALM) -> Plan:
    return plan_for(number, amount_cents=cents, identity=make_identity(), switches=switches)


@pytest.mark.parametrize("network", [CardNetworkName.VISA, CardNetworkName.MASTERCARD])
@pytest.mark.parametrize("kind", KINDS)
def test_makes_cards_that_pass_every_check(network: CardNetworkName, kind: CardKind) -> None:
    numbers = [make_card_number(kind, nn, network=network) for nn in range(100)]
    assert all(passes_luhn(number) and network_of(number) is network for number in numbers)
    assert len(set(numbers)) == 100


def test_approves_by_default() -> None:
    assert plan() == Plan("00", None)


@pytest.mark.parametrize(
    ("number", "cents", "expected"),
    [
        (make_card_number("code", 51), 2500, Plan("51", None)),
        (make_card_number("fault", Fault.HTML), 2500, Plan("00", Fault.HTML)),
        (make_card_number("late_code", 5), 2500, Plan("05", Fault.LATE)),
        (make_card_number("eligibility", 1), 2500, Plan("00", None)),
        (make_card_number("eligibility", 2), 2500, Plan("57", None)),
        (make_card_number("eligibility", 4), 2500, Plan("00", None)),
        (VISA, 1100_61, Plan("61", None)),
        (VISA, 1100_00, Plan("00", None)),
        (VISA, 1101_00, Plan("00", None)),
        (VISA, 1099_99, Plan("00", None)),
        (VISA, 1200_08, Plan("00", Fault.ERROR_AFTER)),
        (VISA, 1200_99, Plan("00", None)),
        (VISA, 50_000_01, Plan("13", None)),
    ],
)
def test_follows_the_card_and_the_amount(number: str, cents: int, expected: Plan) -> None:
    assert plan(number, cents=cents) == expected


def test_lets_the_amount_win_over_the_card() -> None:
    assert plan(make_card_number("code", 51), cents=1100_05).code == "05"
    assert plan(make_card_number("fault", Fault.HTML), cents=1200_12).fault is Fault.EMPTY


def test_combines_any_code_with_any_fault() -> None:
    assert plan(make_card_number("code", 51), cents=1200_06) == Plan("51", Fault.RESET_AFTER)
    assert plan(make_card_number("fault", 6), cents=1100_51) == Plan("51", Fault.RESET_AFTER)


def test_lets_card_and_amount_win_over_the_mix() -> None:
    always = Switches(faults=1, mix=(Fault.EMPTY,))
    assert plan(switches=always).fault is Fault.EMPTY
    assert plan(cents=1200_10, switches=always).fault is Fault.HTML


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_strikes_the_share_that_was_asked_for(share: float) -> None:
    switches = Switches(faults=share, seed=7)
    struck = sum(plan(switches=switches).fault is not None for _ in range(2000))
    assert abs(struck - 2000 * share) <= 100


def test_draws_every_fault_some_time() -> None:
    drawn = {plan(switches=Switches(faults=1)).fault for _ in range(2000)}
    undoing = {Fault.RETURNED, Fault.RETURNED_UNSEEN, Fault.CONTRADICTED}
    assert drawn == set(Fault) - undoing


def test_draws_the_same_in_another_hour_and_otherwise_with_another_seed() -> None:
    def draw(seed: int, hour: str) -> list[Fault | None]:
        identities = [make_identity(n) for n in range(200)]
        later = [replace(i, retrieval_reference_number=hour) for i in identities]
        switches = Switches(faults=0.5, seed=seed)
        return [plan_for(VISA, amount_cents=1, identity=i, switches=switches).fault for i in later]

    assert draw(7, "603404000001") == draw(7, "603405000001")
    assert draw(7, "603404000001") != draw(8, "603404000001")


@pytest.mark.parametrize("name", ["", "rain", "HTML "])
def test_knows_no_other_fault(name: str) -> None:
    with pytest.raises(ValueError, match="no fault"):
        fault_named(name)


def test_refuses_a_share_that_is_none() -> None:
    with pytest.raises(ValueError, match="share"):
        Switches(faults=1.5)


DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "sandbox.md"


def test_is_documented_fault_by_fault() -> None:
    text = DOCUMENT.read_text()
    assert not [fault for fault in Fault if f"`{fault.name.lower()}`" not in text]
    assert not [fault for fault in Fault if f"{fault:02d}" not in text]


def test_is_documented_with_cards_that_are_right() -> None:
    spaced = re.findall(r"\b(?:[0-9]{4} ){3}[0-9]{4}\b", DOCUMENT.read_text())
    assert len(spaced) > 40
    assert all(passes_luhn(number.replace(" ", "")) for number in spaced)
