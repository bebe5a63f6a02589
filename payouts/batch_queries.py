"""What is asked about batches: lists, one with its counts, its lines, its pushes. Reads only."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import Count, Max, Q, QuerySet, Sum

from payouts.deciding.approvers import digest_by_database, open_to
from payouts.models import Batch, BatchOrder, BatchRow, BatchState, BatchTally, Payment, RowState
from payouts.money import ZERO
from payouts.states import CANCELABLE, OPEN, Status

LINES_SHOWN: Final = 100
BATCHES_SHOWN: Final = 50
_SAME_FILE_SHOWN: Final = 5

_BATCH_COLUMNS: Final = ("partner", "uploaded_by")
_ROW_COLUMNS: Final = (
    "line", "cells", "state", "amount", "fee_amount", "reference", "findings", "has_warning",
    "is_first_push_to_card", "batch_id", "consumer__first_name", "consumer__last_name",
    "consumer__pcid", "card__network", "card__last4", "payment__status", "payment__failure_code",
    "payment__network_code",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sums:
    """Some lines or pushes: how many, dollars, fees; `warned` of them have a warning."""

    rows: int = 0
    warned: int = 0
    amount: Decimal = ZERO
    fee_amount: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class BatchCounts:
    """The lines of a batch by state; from rows that the database keeps."""

    by_state: dict[str, Sums] = field(default_factory=dict)

    def of(self, *states: RowState) -> Sums:
        found = [self.by_state.get(state.value, Sums()) for state in states]
        return Sums(
            sum(one.rows for one in found),
            sum(one.warned for one in found),
            sum((one.amount for one in found), ZERO),
            sum((one.fee_amount for one in found), ZERO),
        )

    @property
    def lines(self) -> int:
        return self.of(*RowState).rows


@dataclass(frozen=True, slots=True)
class WaitingPushes:
    """Pushes of a batch that one person may decide about: dollars in all, the largest.

    `first_time` is how many cards nothing was pushed to before, however many pushes go there.
    """

    count: int
    amount: Decimal
    fee_amount: Decimal
    largest: Decimal
    first_time: int


def batch_of(batch_id: UUID) -> Batch | None:
    """The batch, with its partner and whoever uploaded it; None if there is none."""
    return Batch.objects.select_related(*_BATCH_COLUMNS).filter(pk=batch_id).first()


def newest_batches(*, before: UUID | None = None) -> list[Batch]:
    """Newest first, one more than a page shows."""
    rows = Batch.objects.select_related(*_BATCH_COLUMNS).order_by("-pk")
    return list((rows if before is None else rows.filter(pk__lt=before))[: BATCHES_SHOWN + 1])


def counts_of(batch_ids: Sequence[UUID]) -> dict[UUID, BatchCounts]:
    """The counts of each of the batches. One statement."""
    counts = {batch_id: BatchCounts() for batch_id in batch_ids}
    for tally in BatchTally.objects.filter(batch_id__in=batch_ids, rows__gt=0):
        sums = Sums(tally.rows, tally.warned, tally.amount, tally.fee_amount)
        counts[tally.batch_id].by_state[tally.state] = sums
    return counts


def earlier_uploads(batch: Batch) -> list[Batch]:
    """Other batches of the partner that were made of the very same file, newest first."""
    same = Batch.objects.filter(partner_id=batch.partner_id, file_digest=bytes(batch.file_digest))
    others = same.filter(pk__lt=batch.pk).exclude(state=BatchState.REFUSED)
    return list(others.select_related("uploaded_by").order_by("-pk")[:_SAME_FILE_SHOWN])


def lines_of(
    batch_id: UUID, which: Q, *, after: int = 0, limit: int = LINES_SHOWN
) -> list[BatchRow]:
    """Lines with what a page shows of them, in their order, one more than `limit`."""
    rows = BatchRow.objects.filter(which, batch_id=batch_id, line__gt=after)
    beside = rows.select_related("consumer", "card", "payment").only(*_ROW_COLUMNS)
    return list(beside.order_by("line")[: limit + 1])


def every_line_of(batch_id: UUID) -> Iterator[BatchRow]:
    """All lines in their order, a few thousand in memory at a time."""
    rows = BatchRow.objects.filter(batch_id=batch_id).order_by("line")
    beside = rows.select_related("consumer", "card", "payment").only(*_ROW_COLUMNS)
    return beside.iterator(chunk_size=2_000)


def pushes_by_status(batch_id: UUID) -> dict[Status, Sums]:
    """What has become of the pushes that were issued. One statement."""
    counted = (
        pushes_of(batch_id)
        .order_by()
        .values("status")
        .annotate(rows=Count("pk"), sum=Sum("amount"), fees=Sum("fee_amount"))
    )
    return {Status(one["status"]): Sums(one["rows"], 0, one["sum"], one["fees"]) for one in counted}


def pushes_of(batch_id: UUID) -> QuerySet[Payment]:
    """The pushes that a batch was issued as; by an index that holds them newest first."""
    return Payment.objects.filter(batch_row__batch_id=batch_id)


def is_still_moving(statuses: dict[Status, Sums]) -> bool:
    """Whether some of the pushes may still change by themselves or by somebody's decision."""
    return any(status in OPEN and sums.rows for status, sums in statuses.items())


def cancelable_ids(batch_id: UUID) -> list[UUID]:
    """The pushes of the batch that were not sent yet, in the order of its lines."""
    unsent = pushes_of(batch_id).filter(status__in=[status.value for status in CANCELABLE])
    return list(unsent.order_by("batch_row__line").values_list("pk", flat=True))


def open_pushes(
    batch_id: UUID, person: User, *, at: datetime, without: Sequence[tuple[int, int]] = ()
) -> QuerySet[Payment]:
    """Pushes that this person may decide about, but for ranges of lines (both ends included)."""
    rows = open_to(person.pk, pushes_of(batch_id), at=at)
    for first, last in without:
        rows = rows.exclude(batch_row__line__range=(first, last))
    return rows


def waiting_pushes(pushes: QuerySet[Payment]) -> WaitingPushes:
    """Summed up as a person looks at them before deciding. One statement."""
    sums = pushes.order_by().aggregate(
        count=Count("pk"),
        dollars=Sum("amount"),
        fees=Sum("fee_amount"),
        largest=Max("amount"),
        first_time=Count("card_id", filter=Q(batch_row__is_first_push_to_card=True), distinct=True),
    )
    return WaitingPushes(
        sums["count"],
        sums["dollars"] or ZERO,
        sums["fees"] or ZERO,
        sums["largest"] or ZERO,
        sums["first_time"],
    )


def digests_of(pushes: QuerySet[Payment]) -> Iterator[tuple[UUID, bytes]]:
    """The pushes in the order of their lines, each with what a decision about it is bound to."""
    rows = pushes.order_by("batch_row__line").values_list("pk", digest_by_database())
    for push_id, digest in rows.iterator(chunk_size=5_000):
        yield push_id, bytes(digest)


def orders_of(batch_id: UUID) -> list[BatchOrder]:
    """What was ordered about its pushes, newest first, without the marks."""
    rows = BatchOrder.objects.filter(batch_id=batch_id).select_related("user").defer("marks")
    return list(rows.order_by("-pk")[:20])
