"""How cards move to new keys: that of the number's data key, and that of the fingerprint.

The first moves without the number being read; the second needs the number, and this is the one
place besides the sender where it is opened.
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.db.models import Count, Q, QuerySet

from consumers.models import PaymentCard
from consumers.operations.sealed_rows import ENCRYPTION, FINGERPRINT, KeyUse, Left, SealedKind
from consumers.vault import KeyRing, SealedCard, fingerprint, rewrap, unseal

DOUBLED: Final = "cards whose number the consumer has under the current key already"


class CardMove(NamedTuple):
    """A card's columns as they are to be, if its wrapped key is still the one before."""

    card_id: UUID
    kek_id: str
    wrapped_before: bytes
    wrapped_key: bytes
    fingerprint_key_id: str
    fingerprint: bytes


class _Cards(SealedKind):
    name = "cards"
    columns = (
        "consumers.PaymentCard.wrapped_key",
        "consumers.PaymentCard.ciphertext",
        "consumers.PaymentCard.fingerprint",
    )
    changes_unique = True

    def behind(self, ring: KeyRing) -> QuerySet[PaymentCard]:
        current = Q(kek_id=ring.current_kek_id, fingerprint_key_id=ring.current_fingerprint_key_id)
        return PaymentCard.objects.filter(~current)

    def uses(self) -> Iterable[KeyUse]:
        for setting, column in ((ENCRYPTION, "kek_id"), (FINGERPRINT, "fingerprint_key_id")):
            for key_id, rows in PaymentCard.objects.values_list(column).annotate(rows=Count("pk")):
                yield KeyUse(setting, key_id, self.name, rows)

    def moved(self, row: PaymentCard, *, ring: KeyRing) -> CardMove:
        sealed = SealedCard(row.kek_id, bytes(row.wrapped_key), bytes(row.ciphertext))
        rewrapped = rewrap(sealed, card_id=row.pk, partner_id=row.partner_id, ring=ring)
        key_id, digest = row.fingerprint_key_id, bytes(row.fingerprint)
        if key_id != ring.current_fingerprint_key_id:
            number = unseal(sealed, card_id=row.pk, partner_id=row.partner_id, ring=ring)
            made = fingerprint(number, partner_id=row.partner_id, ring=ring)
            key_id, digest = made.key_id, made.digest
        return CardMove(
            row.pk, rewrapped.kek_id, sealed.wrapped_key, rewrapped.wrapped_key, key_id, digest
        )

    def store(self, moves: Sequence[CardMove], *, left: Left) -> int:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(_STORE, [list(column) for column in zip(*moves, strict=True)])
                return int(cursor.rowcount)
        except IntegrityError:
            # One of them is there twice, and stays as it is.
            if len(moves) == 1:
                left(DOUBLED, moves[0].card_id)
                return 0
        return sum(self.store([move], left=left) for move in moves)


# Who touched the card last, and when, stays as it is: nothing that a person sees has changed.
_STORE: Final = """
UPDATE consumers_paymentcard card
SET kek_id = moved.kek_id, wrapped_key = moved.wrapped_key,
    fingerprint_key_id = moved.fingerprint_key_id, fingerprint = moved.fingerprint
FROM unnest(%s::uuid[], %s::text[], %s::bytea[], %s::bytea[], %s::text[], %s::bytea[])
    AS moved (id, kek_id, wrapped_before, wrapped_key, fingerprint_key_id, fingerprint)
WHERE card.id = moved.id AND card.wrapped_key = moved.wrapped_before
"""

CARDS: Final = _Cards()
