"""Whether a card can be pushed to, asked through to the network."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from consumers.models import PaymentCard
from consumers.operations.cards import CardEligibility, EligibilityUnavailable
from consumers.vault import CardUnreadable
from payouts.networks.eligibility import eligibility_of
from payouts.networks.routing import network_for
from payouts.networks.sandbox.adapter import SandboxNetwork
from tests.builders import make_card
from tests.sandbox import SandboxServer

pytestmark = pytest.mark.django_db

NOBODY = "http://127.0.0.1:9"
STANDARD = "4000130000000015"
NOT_SUPPORTED = "4000130000000023"
AMEX = "378282246310005"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxServer]:
    book: Path = tmp_path_factory.mktemp("sandbox") / "book.sqlite3"
    with SandboxServer.started(book, latency_ms=0) as server:
        yield server


@pytest.fixture(autouse=True)
def _no_connection_left(settings: Any) -> Iterator[None]:
    yield
    network = network_for("visa")
    assert isinstance(network, SandboxNetwork)
    network.close_card_checks()


def ask(sandbox: SandboxServer, settings: Any, number: str) -> CardEligibility:
    settings.CARD_NETWORK_SANDBOX_URL = sandbox.address
    return eligibility_of(make_card(number=number))


def test_says_how_fast_a_card_is(sandbox: SandboxServer, settings: Any) -> None:
    assert ask(sandbox, settings, "4111111111111111").speed == "fast_funds"
    assert ask(sandbox, settings, STANDARD) == CardEligibility(
        eligible=True, speed="standard", card_type="debit"
    )


def test_says_that_a_card_cannot_be_pushed_to(sandbox: SandboxServer, settings: Any) -> None:
    answer = ask(sandbox, settings, NOT_SUPPORTED)
    assert (answer.eligible, answer.speed) == (False, "not_supported")


def test_a_kind_of_card_that_no_network_carries_is_not_eligible(settings: Any) -> None:
    settings.CARD_NETWORK_SANDBOX_URL = NOBODY
    answer = eligibility_of(make_card(number=AMEX))
    assert answer == CardEligibility(eligible=False, speed="not_supported")


def test_nobody_can_say_when_the_network_is_away(settings: Any) -> None:
    settings.CARD_NETWORK_SANDBOX_URL = NOBODY
    with pytest.raises(EligibilityUnavailable) as caught:
        eligibility_of(make_card())
    assert "1111" not in repr(caught.value)


def test_a_card_that_does_not_open_is_not_asked_about() -> None:
    card, other = make_card(), make_card()
    PaymentCard.objects.filter(pk=card.pk).update(ciphertext=other.ciphertext)
    card.refresh_from_db()
    with pytest.raises(CardUnreadable):
        eligibility_of(card)
