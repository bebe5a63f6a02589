"""What is asked about consumers and cards, always through their partner. Nothing writes here."""

from datetime import date
from uuid import UUID

from django.contrib.postgres.search import SearchQuery
from django.db.models import Q, QuerySet, Sum

from consumers.cards import is_expired
from consumers.models import CardStatus, Consumer, ConsumerTally, PaymentCard
from consumers.search import prefix_query

EXPIRED = "expired"
# Counting what a search finds costs what it finds; beyond this the answer is a lower bound.
COUNTED_AT_MOST = 10_000

# Sealed bytes and search words are of no use to anybody who reads.
_NOT_READ_OF_CONSUMERS = ("search_vector", "tax_identifier_sealed")
_NOT_READ_OF_CARDS = ("wrapped_key", "ciphertext", "fingerprint", "fingerprint_key_id", "kek_id")


class FinishedQuery(SearchQuery):
    """A tsquery that is written out already, so that PostgreSQL must not take it apart again."""

    template = "%(expressions)s::tsquery"


def consumers_of(partner_id: UUID) -> QuerySet[Consumer]:
    """All consumers of the partner."""
    return Consumer.objects.filter(partner_id=partner_id).defer(*_NOT_READ_OF_CONSUMERS)


def consumer_count(partner_id: UUID) -> int:
    """How many consumers the partner has: the sum of a few maintained rows."""
    tallies = ConsumerTally.objects.filter(partner_id=partner_id)
    total: int | None = tallies.aggregate(total=Sum("consumers"))["total"]
    return total or 0


def matching_count(consumers: QuerySet[Consumer]) -> tuple[int, bool]:
    """Count what a search found, and whether that is all: no more than so many are looked at."""
    counted = consumers.order_by()[: COUNTED_AT_MOST + 1].count()
    return min(counted, COUNTED_AT_MOST), counted <= COUNTED_AT_MOST


def consumers_matching(partner_id: UUID, text: str) -> QuerySet[Consumer]:
    """The partner's consumers who have, for every word of `text`, a word that begins with it.

    Words of names, e-mail and pcid count; a whole pcid always finds its consumer. Text without any
    letter or digit finds nobody.
    """
    storable = text.replace("\0", " ")
    matches = Q(pcid=storable)
    words = prefix_query(storable)
    if words is not None:
        matches |= Q(search_vector=FinishedQuery(words))
    return consumers_of(partner_id).filter(matches)


def cards_of(partner_id: UUID) -> QuerySet[PaymentCard]:
    """All cards of the partner's consumers."""
    return PaymentCard.objects.filter(partner_id=partner_id).defer(*_NOT_READ_OF_CARDS)


def card_status(card: PaymentCard, *, on: date) -> str:
    """`active` or `inactive`; `expired` for an active card past its date on the day `on`."""
    if card.status != CardStatus.ACTIVE:
        return card.status
    if is_expired(card.expiration_month, card.expiration_year, on=on):
        return EXPIRED
    return card.status
