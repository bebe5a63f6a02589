"""Finds whom to pay while somebody types, and says how each of the person's cards stands."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from consumers.models import CardStatus, Consumer, Partner, PaymentCard
from consumers.queries import EXPIRED, card_status
from consumers.search import find_cards_by_last4, find_consumers
from payouts.models import Payment
from payouts.networks.routing import PUSHABLE_CARD_NETWORKS
from payouts.states import Status

HITS_SHOWN: Final = 8
CARDS_SHOWN: Final = 50
# More than this nobody chooses from a list; then the search goes over all of them.
PARTNERS_LISTED: Final = 200

_UNSHOWN: Final = ("search_vector", "tax_identifier_sealed")
_SEALED: Final = ("kek_id", "wrapped_key", "ciphertext", "fingerprint_key_id", "fingerprint")

_SPEEDS: Final = {
    "fast_funds": ("Fast: within 30 minutes", "success"),
    "standard": ("Standard: up to two business days", "info"),
}


@dataclass(frozen=True, slots=True)
class Hits:
    """The newest consumers that a text may mean; there are more if it is not complete."""

    text: str
    consumers: list[Consumer]
    is_complete: bool


@dataclass(frozen=True, slots=True)
class CardChoice:
    """One card of the payee. `hindrance` is empty if it can be chosen; `tone` is of the speed."""

    card: PaymentCard
    speed: str
    tone: str
    asked_at: datetime | None
    is_first_time: bool
    hindrance: str


def payee_hits(text: str, *, partner_id: UUID | None) -> Hits:
    """Search by name, e-mail, pcid, id, or the last four of a card. Three statements at most."""
    text = text.strip()
    if not text:
        return Hits(text, [], is_complete=True)
    found = find_consumers(text, partner_id=partner_id)
    ids = found.ids
    if len(text) == 4 and text.isascii() and text.isdigit():
        cards = find_cards_by_last4(text, partner_id=partner_id).ids[: HITS_SHOWN + 1]
        holders = PaymentCard.objects.filter(pk__in=cards).values_list("consumer_id", flat=True)
        ids = sorted({*ids, *holders}, reverse=True)
    rows = Consumer.objects.filter(pk__in=ids[:HITS_SHOWN]).select_related("partner")
    return Hits(text, list(rows.defer(*_UNSHOWN).order_by("-pk")), len(ids) <= HITS_SHOWN)


def payee(consumer_id: UUID) -> Consumer | None:
    rows = Consumer.objects.select_related("partner").defer(*_UNSHOWN)
    return rows.filter(pk=consumer_id).first()


def cards_of(consumer: Consumer, *, at: datetime) -> list[CardChoice]:
    """The payee's newest cards, usable ones first. One statement."""
    choices = [_choice(card, at) for card in _cards(consumer).order_by("-pk")[:CARDS_SHOWN]]
    return sorted(choices, key=lambda choice: choice.hindrance != "")


def card_of(consumer: Consumer, card_id: UUID, *, at: datetime) -> CardChoice:
    """One card of the payee.

    :raises PaymentCard.DoesNotExist: if the consumer has no such card.
    """
    return _choice(_cards(consumer).get(pk=card_id), at)


def has_been_paid(card_column: str) -> Exists:
    """Whether money has ever arrived on the card that the column names."""
    paid = [Status.COMPLETED.value, Status.RETURNED.value]
    return Exists(Payment.objects.filter(card_id=OuterRef(card_column), status__in=paid))


def partners_to_choose_from() -> list[Partner]:
    """Partners that are active, by name; none if they are one, or too many to choose from."""
    rows: QuerySet[Partner] = Partner.objects.filter(is_active=True).only("name").order_by("name")
    partners = list(rows[: PARTNERS_LISTED + 1])
    return partners if 1 < len(partners) <= PARTNERS_LISTED else []


def _cards(consumer: Consumer) -> QuerySet[PaymentCard]:
    cards = PaymentCard.objects.filter(consumer=consumer).defer(*_SEALED)
    return cards.annotate(was_paid=has_been_paid("pk"))


def _choice(card: PaymentCard, at: datetime) -> CardChoice:
    speed, tone = _speed(card)
    return CardChoice(
        card=card,
        speed=speed,
        tone=tone,
        asked_at=card.push_checked_at,
        is_first_time=not card.was_paid,  # type: ignore[attr-defined]
        hindrance=_hindrance(card, at),
    )


def _speed(card: PaymentCard) -> tuple[str, str]:
    if card.push_eligible is None:
        return "Not asked yet", "neutral"
    if not card.push_eligible:
        return "Takes no pushes", "danger"
    return _SPEEDS.get(card.push_speed, ("Takes pushes", "info"))


def _hindrance(card: PaymentCard, at: datetime) -> str:
    status = card_status(card, on=at.date())
    if status == CardStatus.INACTIVE:
        return "Deactivated"
    if status == EXPIRED:
        return "Expired"
    if card.push_eligible is False or card.network not in PUSHABLE_CARD_NETWORKS:
        return "Takes no pushes"
    return ""
