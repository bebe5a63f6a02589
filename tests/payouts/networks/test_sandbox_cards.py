import asyncio

import pytest

from payouts.networks.base import CardType, Eligibility, EligibilityUnknown, Speed
from payouts.networks.sandbox.adapter import SandboxNetwork
from payouts.networks.sandbox.behaviour import make_card_number
from tests.payouts.networks.cast import MASTERCARD, PATIENT, VISA
from tests.sandbox import SandboxServer


def check(address: str, number: str) -> Eligibility:
    network = SandboxNetwork(address, patience=PATIENT)
    try:
        return network.check_card(number, expiration_month=1, expiration_year=2031)
    finally:
        network.close_card_checks()


@pytest.mark.parametrize("network", ["visa", "mastercard"])
@pytest.mark.parametrize(
    ("nn", "speed", "card_type"),
    [
        (1, "standard", "debit"),
        (2, "not_supported", "debit"),
        (3, "fast_funds", "credit"),
        (5, "fast_funds", "prepaid"),
        (6, "not_supported", "credit"),
    ],
)
def test_says_how_fast_a_card_is_paid(
    sandbox: SandboxServer, network: str, nn: int, speed: Speed, card_type: CardType
) -> None:
    answer = check(sandbox.address, make_card_number("eligibility", nn, network=network))
    assert (answer.speed, answer.card_type) == (speed, card_type)
    assert answer.eligible == (speed != "not_supported")


@pytest.mark.parametrize("number", [VISA, MASTERCARD, make_card_number("code", 57)])
def test_says_that_an_ordinary_card_gets_funds_fast(sandbox: SandboxServer, number: str) -> None:
    answer = check(sandbox.address, number)
    assert (answer.eligible, answer.speed, answer.card_type) == (True, "fast_funds", "debit")


def test_lets_a_sender_close_its_connections_without_ending_card_checks(
    sandbox: SandboxServer,
) -> None:
    network = SandboxNetwork(sandbox.address, patience=PATIENT)
    for _ in range(2):
        assert network.check_card(VISA, expiration_month=1, expiration_year=2031).eligible
        asyncio.run(network.aclose())
    network.close_card_checks()


@pytest.mark.parametrize("address", [None, "http://127.0.0.1:1"])
def test_does_not_guess_when_the_card_cannot_be_checked(
    sandbox: SandboxServer, address: str | None
) -> None:
    number = make_card_number("eligibility", 4)
    with pytest.raises(EligibilityUnknown) as refusal:
        check(address or sandbox.address, number)
    assert number not in str(refusal.value)
