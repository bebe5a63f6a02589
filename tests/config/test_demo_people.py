"""The people of the demo, who are all there at every start, whatever was tried in the last run."""

import pytest

from config.demo.people import PEOPLE, check_new_cards, prepare_people
from consumers.models import CardStatus, Consumer, Partner, PaymentCard
from consumers.operations.cards import deactivate_card
from consumers.operations.consumers import cancel_consumer_account
from tests.builders import make_partner

pytestmark = pytest.mark.django_db


@pytest.fixture
def partner() -> Partner:
    return make_partner()


def test_are_the_same_at_every_start(partner: Partner) -> None:
    card = prepare_people(partner)
    assert prepare_people(partner) == card
    assert Consumer.objects.filter(partner=partner).count() == len(PEOPLE)


def test_a_card_that_was_taken_out_of_use_is_replaced_by_another_persons(partner: Partner) -> None:
    card = prepare_people(partner)
    deactivate_card(card)
    other = prepare_people(partner)
    assert (other.status, other.last4) == (CardStatus.ACTIVE, card.last4)
    assert other.consumer.pcid == f"{card.consumer.pcid}-2"
    assert prepare_people(partner) == other


def test_somebody_whose_account_is_closed_is_replaced(partner: Partner) -> None:
    card = prepare_people(partner)
    cancel_consumer_account(card.consumer, reason="Other")
    assert prepare_people(partner).consumer.is_active


def test_nobody_asks_about_a_card_that_is_out_of_use(partner: Partner) -> None:
    prepare_people(partner)
    for card in PaymentCard.objects.filter(partner=partner):
        deactivate_card(card)
    check_new_cards(partner)
    assert not PaymentCard.objects.exclude(push_checked_at=None).exists()
