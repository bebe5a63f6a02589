"""The demo's consumers and their cards: test numbers and made-up people.

The first one's card approves every push. What the others' cards do is in docs/sandbox.md.
"""

from dataclasses import dataclass
from datetime import date
from typing import Final

from django.utils import timezone

from consumers.models import CardStatus, Consumer, Partner, PaymentCard
from consumers.operations.cards import EligibilityUnavailable, add_card, check_card
from consumers.operations.consumers import register_consumer
from payouts.networks.eligibility import eligibility_of
from payouts.networks.sandbox.behaviour import Fault, make_card_number

CARD_YEARS: Final = 5


@dataclass(frozen=True, slots=True)
class Person:
    pcid: str
    first_name: str
    last_name: str
    number: str
    nickname: str

    @property
    def email(self) -> str:
        return f"{self.first_name}.{self.last_name}@example.com".lower()


PEOPLE: Final = (
    Person("demo-ada", "Ada", "Verna", "4111111111111111", "Approves"),
    Person("demo-bela", "Bela", "Okafor", "5555555555554444", "Approves, Mastercard"),
    Person("demo-chen", "Chen", "Lindqvist", make_card_number("code", 51), "Declines with 51"),
    Person("demo-dara", "Dara", "Moreau", make_card_number("code", 5), "Declines with 05"),
    Person(
        "demo-elif",
        "Elif",
        "Tanaka",
        make_card_number("fault", Fault.SLOW_10S),
        "Approves after ten seconds",
    ),
    Person(
        "demo-femi",
        "Femi",
        "Castellano",
        make_card_number("fault", Fault.ANSWER_LOST),
        "Credits, and never answers",
    ),
)


def prepare_people(partner: Partner) -> PaymentCard:
    """Make whoever is missing, each with a card; return the first one's, which approves.

    A sandbox is for trying what takes cards out of use, and that is for good. In the place of
    somebody without a card comes another one of that name.
    """
    first, *_others = [_card_of(person, partner) for person in PEOPLE]
    return first


def check_new_cards(partner: Partner) -> None:
    """Ask the sandbox network about the cards that it was not asked about yet."""
    for card in PaymentCard.objects.filter(
        partner=partner, status=CardStatus.ACTIVE, push_checked_at=None
    ):
        try:
            check_card(card, source=eligibility_of)
        except EligibilityUnavailable:
            continue  # as for a card of a partner: it is asked again before the first push


def _card_of(person: Person, partner: Partner, *, nth: int = 1) -> PaymentCard:
    pcid = person.pcid if nth == 1 else f"{person.pcid}-{nth}"
    consumer = _consumer_named(pcid, person, partner)
    if consumer.is_active:
        card = consumer.cards.order_by("pk").first() or _new_card(person, consumer)
        if card.status == CardStatus.ACTIVE:
            return card
    return _card_of(person, partner, nth=nth + 1)


def _consumer_named(pcid: str, person: Person, partner: Partner) -> Consumer:
    consumer = Consumer.objects.filter(partner=partner, pcid=pcid).first()
    return consumer or register_consumer(
        partner.pk,
        pcid=pcid,
        first_name=person.first_name,
        last_name=person.last_name,
        email=person.email,
    )


def _new_card(person: Person, consumer: Consumer) -> PaymentCard:
    today: date = timezone.now().date()
    return add_card(
        consumer,
        number=person.number,
        expiration_month=12,
        expiration_year=today.year + CARD_YEARS,
        cardholder_name=consumer.full_name,
        nickname=person.nickname,
    ).card
