"""Takes in the cards that money is pushed to, asks whether it can be, and takes cards out of use.

The number is sealed here and is not opened again here. Who asks the card network is plugged in from
outside (`EligibilitySource`), because networks belong to payouts and this app does not know it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol, TypedDict, Unpack

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from consumers.audit import Act, Verb, changed_fields, record_act, subject_of
from consumers.cards import (
    CARD_EXPIRED,
    CardProblem,
    Pan,
    problems_with_card,
    problems_with_expiry,
)
from consumers.ids import new_id
from consumers.models import CardStatus, Consumer, PaymentCard
from consumers.operations.consumers import ConsumerInactive
from consumers.partner_events import tell_of_card
from consumers.vault import Fingerprint, fingerprints_under_all_keys, key_ring_from_settings, seal

REMOVED = "removed"

# What the audit trail says about a new card: what a screen may show of it.
_KEPT_IN_TRAIL = (
    "consumer_id", "network", "bin", "last4", "expiration_month", "expiration_year",
    "cardholder_name",
)  # fmt: skip


class CardNotAcceptable(ValueError):
    """The typed card cannot be a usable one; `problems` names everything that is wrong with it."""

    def __init__(self, problems: Sequence[CardProblem]) -> None:
        super().__init__("The card cannot be used as it was typed.")
        self.problems = tuple(problems)


class CardExpired(CardNotAcceptable):
    """What was typed can be a card's, but it has expired, and nothing else is wrong with it."""


class CardInactive(Exception):
    """The card was taken out of use."""


class EligibilityUnavailable(Exception):
    """No card network could say now whether the card can be pushed to."""


@dataclass(frozen=True, slots=True)
class CardEligibility:
    """What the network said about a card: `speed` and `card_type` are empty if it did not say."""

    eligible: bool
    speed: str = ""
    card_type: str = ""


class EligibilitySource(Protocol):
    """Asks the card's network. Takes seconds at worst; raises EligibilityUnavailable."""

    def __call__(self, card: PaymentCard, /) -> CardEligibility: ...


@dataclass(frozen=True, slots=True)
class AddedCard:
    """The consumer's card with the number, and whether it was stored just now."""

    card: PaymentCard
    is_new: bool


class CardLabels(TypedDict, total=False):
    """What is noted with a card and means nothing to the number."""

    cardholder_name: str
    postal_code: str
    nickname: str


class CardChanges(CardLabels, total=False):
    expiration_month: int
    expiration_year: int


def add_card(
    consumer: Consumer,
    *,
    number: str,
    expiration_month: int,
    expiration_year: int,
    by_user: User | None = None,
    **labels: Unpack[CardLabels],
) -> AddedCard:
    """Seal and store a card of the consumer, unless it is there already.

    The same number again gives the existing card, unchanged and with the status that it has; so do
    two callers at once, of whom one stores it. Whether it can be pushed to is not asked here: see
    `check_card`. A person who adds a card is remembered, because that person may not approve a push
    to it.

    :raises CardExpired: the card is past its last day.
    :raises CardNotAcceptable: naming everything that is wrong; no part of the number is in it.
    :raises ConsumerInactive: the consumer's account is canceled.
    """
    problems = problems_with_card(number, expiration_month, expiration_year, _today())
    if problems:
        raise _not_acceptable(problems)
    if not consumer.is_active:
        raise ConsumerInactive("The consumer's account is canceled.")
    ring = key_ring_from_settings()
    pan = Pan(number)
    fingerprints = fingerprints_under_all_keys(pan, partner_id=consumer.partner_id, ring=ring)
    existing = _card_with(fingerprints, consumer)
    if existing is not None:
        return AddedCard(existing, is_new=False)
    card_id = new_id()
    sealed = seal(pan, card_id=card_id, partner_id=consumer.partner_id, ring=ring)
    card = PaymentCard(
        id=card_id,
        partner_id=consumer.partner_id,
        consumer=consumer,
        kek_id=sealed.kek_id,
        wrapped_key=sealed.wrapped_key,
        ciphertext=sealed.ciphertext,
        fingerprint_key_id=fingerprints[0].key_id,
        fingerprint=fingerprints[0].digest,
        # The checks above refuse a number that no network issues.
        network=pan.network or "",
        bin=pan.bin,
        last4=pan.last4,
        expiration_month=expiration_month,
        expiration_year=expiration_year,
        edited_by_user=by_user,
        **labels,
    )
    return _stored(card, fingerprints, consumer)


def edit_card(
    card: PaymentCard, *, by_user: User | None = None, **changes: Unpack[CardChanges]
) -> PaymentCard:
    """Change what is noted with a card; its number never changes.

    A new expiry makes the network's last word on the card void. Columns that are not named are not
    written. A person who edits is remembered, because that person may not approve a push to it.

    :raises CardExpired: the new expiry is past.
    :raises CardNotAcceptable: the new expiry is impossible.
    :raises CardInactive: the card was taken out of use.
    """
    columns: dict[str, Any] = dict(changes)
    if _changes_expiry(card, changes):
        columns |= {"push_eligible": None, "push_speed": "", "push_checked_at": None}
    if by_user is not None:
        columns["edited_by_user"] = by_user
    with transaction.atomic():
        changed = PaymentCard.objects.filter(pk=card.pk, status=CardStatus.ACTIVE).update(
            **columns, updated_at=timezone.now()
        )
        if not changed:
            raise CardInactive("The card was taken out of use.")
        before, after = changed_fields(card, changes)
        record_act(Act(verb=Verb.CHANGE, subject=subject_of(card), before=before, after=after))
        tell_of_card(card.pk, "updated")
    card.refresh_from_db()
    return card


def deactivate_card(card: PaymentCard, *, reason: str = REMOVED, why: str = "") -> None:
    """Take the card out of use for good. Doing it again changes nothing; the first reason stays.

    `reason` is one of our words and stays with the card; `why` is a person's own, for the trail.
    """
    with transaction.atomic():
        deactivated = PaymentCard.objects.filter(pk=card.pk, status=CardStatus.ACTIVE).update(
            status=CardStatus.INACTIVE, deactivation_reason=reason, updated_at=timezone.now()
        )
        if deactivated:
            told = f"{reason}: {why}" if why else reason
            record_act(Act(verb=Verb.DEACTIVATE, subject=subject_of(card), reason=told))
            tell_of_card(card.pk, "deactivated")
    card.refresh_from_db(fields=["status", "deactivation_reason", "updated_at"])


def check_card(card: PaymentCard, *, source: EligibilitySource) -> PaymentCard:
    """Ask the network whether the card can be pushed to, and keep the answer with its time.

    Call it outside of any transaction: it waits for the network. Of two callers at once the later
    answer stays.

    :raises CardInactive: the card was taken out of use; nobody is asked.
    :raises EligibilityUnavailable: nobody could say; what was known before stays.
    """
    if card.status != CardStatus.ACTIVE:
        raise CardInactive("The card was taken out of use.")
    answer = source(card)
    checked_at = timezone.now()
    columns: dict[str, Any] = {
        "push_eligible": answer.eligible,
        "push_speed": answer.speed,
        "push_checked_at": checked_at,
        "updated_at": checked_at,
    }
    if answer.card_type:
        columns["card_type"] = answer.card_type
    is_news = (answer.eligible, answer.speed) != (card.push_eligible, card.push_speed)
    with transaction.atomic():
        PaymentCard.objects.filter(pk=card.pk).update(**columns)
        if is_news:
            tell_of_card(card.pk, "checked")
    for column, value in columns.items():
        setattr(card, column, value)
    return card


def _stored(
    card: PaymentCard, fingerprints: Sequence[Fingerprint], consumer: Consumer
) -> AddedCard:
    try:
        with transaction.atomic():
            card.save(force_insert=True)
            after = {name: getattr(card, name) for name in _KEPT_IN_TRAIL}
            record_act(Act(verb=Verb.ADD, subject=subject_of(card), after=after))
            tell_of_card(card.pk, "created")
    except IntegrityError:
        existing = _card_with(fingerprints, consumer)
        if existing is None:
            raise
        return AddedCard(existing, is_new=False)
    return AddedCard(card, is_new=True)


def _card_with(fingerprints: Sequence[Fingerprint], consumer: Consumer) -> PaymentCard | None:
    """The consumer's card with a number, under whichever fingerprint key it was stored."""
    any_of = Q()
    for one in fingerprints:
        any_of |= Q(fingerprint_key_id=one.key_id, fingerprint=one.digest)
    return PaymentCard.objects.filter(any_of, consumer=consumer).first()


def _changes_expiry(card: PaymentCard, changes: CardChanges) -> bool:
    month = changes.get("expiration_month", card.expiration_month)
    year = changes.get("expiration_year", card.expiration_year)
    if (month, year) == (card.expiration_month, card.expiration_year):
        return False
    problems = problems_with_expiry(month, year, _today())
    if problems:
        raise _not_acceptable(problems)
    return True


def _not_acceptable(problems: Sequence[CardProblem]) -> CardNotAcceptable:
    is_expired = all(problem.code == CARD_EXPIRED for problem in problems)
    return CardExpired(problems) if is_expired else CardNotAcceptable(problems)


def _today() -> date:
    return timezone.now().date()
