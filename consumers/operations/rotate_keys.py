"""Moves what is sealed from retired keys to the current ones, while the product runs.

A card has two keys: the one that wraps its data key, and that of its fingerprint. The first moves
without the number being read; the second needs the number, and this is the one place besides the
sender where it is opened. A consumer's tax identifier moves too.

How a rotation goes: give every process the new key *behind* the old one, so that all can open what
it seals; then put it first everywhere; then run this until nothing remains; only then drop the old
key.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import BinaryField, Q, QuerySet
from django.db.models.functions import Substr
from django.utils.module_loading import import_string

from consumers.audit import Act, Subject, Verb, record_act
from consumers.models import Consumer, PaymentCard
from consumers.operations.consumers import reseal_tax_identifier
from consumers.vault import (
    CardUnreadable,
    KeyRing,
    SealedCard,
    TextUnreadable,
    fingerprint,
    key_ring_from_settings,
    rewrap,
    unseal,
)

# Pushes to a card of the batch wait until the batch is committed, a few hundredths of a second.
BATCH: Final = 200
_BEFORE_ALL: Final = UUID(int=0)


@dataclass(slots=True)
class Rotation:
    """What a rotation did, in numbers, and the rows that it had to leave under an old key."""

    cards: int = 0
    tax_identifiers: int = 0
    unreadable_cards: set[UUID] = field(default_factory=set)
    unreadable_consumers: set[UUID] = field(default_factory=set)
    # The consumer has a card with the same number under the current fingerprint key already.
    doubled_cards: set[UUID] = field(default_factory=set)

    @property
    def is_clean(self) -> bool:
        return not (self.unreadable_cards or self.unreadable_consumers or self.doubled_cards)


class Remaining(NamedTuple):
    """How many rows are not under the current keys."""

    cards: int
    tax_identifiers: int


class Resealed(NamedTuple):
    """What a sealed text of another app came to: see `reseal_others`."""

    what: str
    moved: int
    left: int
    unreadable: frozenset[UUID]


def reseal_others(*, is_trial: bool) -> list[Resealed]:
    """Move what other apps have sealed with the vault, as the settings name them.

    Without that, a key could be dropped that they still need: this app does not know them.
    """
    found: list[Resealed] = []
    for name in settings.VAULT_RESEALERS:
        found.append(import_string(name)(is_trial=is_trial))
    return found


class _Batch(NamedTuple):
    """A batch that ends with the row `last`."""

    moved: int
    last: UUID


Told = Callable[[Rotation], None]


def remaining_under_old_keys() -> Remaining:
    """Count what is not under the current keys. Reads both tables once."""
    ring = key_ring_from_settings()
    return Remaining(_old_cards(ring).count(), _old_tax_identifiers(ring).count())


def rotate_keys(*, told: Told) -> Rotation:
    """Move everything that is under a retired key; `told` hears how far it is after every batch.

    Runs beside the product and beside itself, and may be killed at any moment: a batch is a
    transaction and what has been moved is not looked at again. A row that somebody holds is passed
    over and found in the next round; the rounds end with one that moves nothing. What cannot be
    opened stays as it is.
    """
    ring, rotation = key_ring_from_settings(), Rotation()

    def cards_after(last: UUID) -> _Batch | None:
        return _rotate_cards(ring, rotation, last)

    def tax_identifiers_after(last: UUID) -> _Batch | None:
        return _rotate_tax_identifiers(ring, rotation, last)

    try:
        for batch_after in (cards_after, tax_identifiers_after):
            while _round(batch_after, lambda: told(rotation)):
                pass
    finally:
        # Ended early it has moved something all the same.
        _record(rotation, ring)
    return rotation


def try_keys(*, told: Told) -> Rotation:
    """Open all that `rotate_keys` would move, and write nothing."""
    ring, tried = key_ring_from_settings(), Rotation()
    for card in _old_cards(ring).iterator(chunk_size=BATCH):
        tried.cards += _moved(card, ring, tried) is not None
        told(tried)
    tried.tax_identifiers = _old_tax_identifiers(ring).count()
    return tried


def _record(rotation: Rotation, ring: KeyRing) -> None:
    moved = {
        "current_key": ring.current_kek_id,
        "cards": rotation.cards,
        "identifiers": rotation.tax_identifiers,
    }
    record_act(Act(verb=Verb.ROTATE_KEYS, subject=Subject("vault"), after=moved))


def _round(batch_after: Callable[[UUID], _Batch | None], told: Callable[[], None]) -> int:
    """Go once through the table in the order of its keys; return how many rows were moved."""
    moved, last = 0, _BEFORE_ALL
    while (batch := batch_after(last)) is not None:
        moved, last = moved + batch.moved, batch.last
        told()
    return moved


def _old_cards(ring: KeyRing) -> QuerySet[PaymentCard]:
    is_current = Q(kek_id=ring.current_kek_id, fingerprint_key_id=ring.current_fingerprint_key_id)
    return PaymentCard.objects.filter(~is_current).order_by("pk")


def _old_tax_identifiers(ring: KeyRing) -> QuerySet[Consumer]:
    # A sealed text begins with the id of its key; see `consumers.vault.seal_text`.
    current = ring.current_kek_id.encode() + b"|"
    beginning = Substr("tax_identifier_sealed", 1, len(current), output_field=BinaryField())
    sealed = Consumer.objects.filter(tax_identifier_sealed__isnull=False)
    return sealed.annotate(beginning=beginning).filter(~Q(beginning=current)).order_by("pk")


def _rotate_cards(ring: KeyRing, rotation: Rotation, after: UUID) -> _Batch | None:
    with transaction.atomic():
        # A fingerprint is part of a unique key, so changing it takes the strongest lock of a row.
        cards = list(
            _old_cards(ring).filter(pk__gt=after).select_for_update(skip_locked=True)[:BATCH]
        )
        if not cards:
            return None
        moves = [move for card in cards if (move := _moved(card, ring, rotation)) is not None]
        moved = _store(moves, rotation)
    rotation.cards += moved
    return _Batch(moved, cards[-1].pk)


class _Move(NamedTuple):
    """A card's columns as they are to be."""

    card_id: UUID
    kek_id: str
    wrapped_key: bytes
    fingerprint_key_id: str
    fingerprint: bytes


def _moved(card: PaymentCard, ring: KeyRing, rotation: Rotation) -> _Move | None:
    """The card under the current keys, or None and a note if it does not open."""
    sealed = SealedCard(card.kek_id, bytes(card.wrapped_key), bytes(card.ciphertext))
    try:
        rewrapped = rewrap(sealed, card_id=card.pk, partner_id=card.partner_id, ring=ring)
        key_id, digest = card.fingerprint_key_id, bytes(card.fingerprint)
        if key_id != ring.current_fingerprint_key_id:
            number = unseal(sealed, card_id=card.pk, partner_id=card.partner_id, ring=ring)
            made = fingerprint(number, partner_id=card.partner_id, ring=ring)
            key_id, digest = made.key_id, made.digest
    except CardUnreadable:
        rotation.unreadable_cards.add(card.pk)
        return None
    return _Move(card.pk, rewrapped.kek_id, rewrapped.wrapped_key, key_id, digest)


# Who touched the card last, and when, stays as it is: nothing that a person sees has changed.
_STORE: Final = """
UPDATE consumers_paymentcard card
SET kek_id = moved.kek_id, wrapped_key = moved.wrapped_key,
    fingerprint_key_id = moved.fingerprint_key_id, fingerprint = moved.fingerprint
FROM unnest(%s::uuid[], %s::text[], %s::bytea[], %s::text[], %s::bytea[])
    AS moved (id, kek_id, wrapped_key, fingerprint_key_id, fingerprint)
WHERE card.id = moved.id
"""


def _store(moves: Sequence[_Move], rotation: Rotation) -> int:
    """Write the cards; return how many. A number that a consumer has twice stays as it is."""
    if not moves:
        return 0
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_STORE, [list(column) for column in zip(*moves, strict=True)])
        return len(moves)
    except IntegrityError:
        if len(moves) == 1:
            rotation.doubled_cards.add(moves[0].card_id)
            return 0
    return sum(_store([move], rotation) for move in moves)


def _rotate_tax_identifiers(ring: KeyRing, rotation: Rotation, after: UUID) -> _Batch | None:
    with transaction.atomic():
        consumers = list(
            _old_tax_identifiers(ring)
            .filter(pk__gt=after)
            .select_for_update(skip_locked=True, no_key=True)[:BATCH]
        )
        if not consumers:
            return None
        moved = sum(_has_moved(consumer, rotation) for consumer in consumers)
    rotation.tax_identifiers += moved
    return _Batch(moved, consumers[-1].pk)


def _has_moved(consumer: Consumer, rotation: Rotation) -> bool:
    try:
        return reseal_tax_identifier(consumer)
    except TextUnreadable:
        rotation.unreadable_consumers.add(consumer.pk)
        return False
