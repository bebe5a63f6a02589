"""Builders for tests of batches: files, and batches at each stop, made as workers make them."""

import csv
import io
from collections.abc import Sequence
from typing import Any

from django.contrib.auth.models import User
from openpyxl import Workbook

from consumers.models import Partner, PaymentCard
from payouts.models import Batch, BatchRow
from payouts.operations.batches.check_batch import check_next_batch
from payouts.operations.batches.issue_batch import good_lines, issue_next_lines, submit_batch
from payouts.operations.batches.read_batch import read_next_batch
from payouts.operations.batches.upload_batch import Upload, upload_batch

HEADER = ("consumer", "card", "amount", "reference", "description")


def csv_file(*lines: Sequence[Any], header: Sequence[str] = HEADER, separator: str = ",") -> bytes:
    """A file with these lines below the names of the columns."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator)
    writer.writerow(header)
    writer.writerows(lines)
    return text.getvalue().encode()


def xlsx_file(
    *lines: Sequence[Any], header: Sequence[str] = HEADER, sheet: str = "Pushes"
) -> bytes:
    book = Workbook()
    page = book.active
    assert page is not None
    page.title = sheet
    page.append(list(header))
    for line in lines:
        page.append(list(line))
    return saved(book)


def saved(book: Workbook) -> bytes:
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def line(
    card: PaymentCard, amount: str = "10.00", reference: str = "", text: str = ""
) -> list[str]:
    """A line that pushes `amount` to this card, named by its last four."""
    return [card.consumer.pcid, card.last4, amount, reference, text]


def upload(partner: Partner, by: User, content: bytes, *, name: str = "November payroll") -> Batch:
    return upload_batch(
        Upload(name=name, file_name="november.csv", content=content), partner=partner, by=by
    )


def checked(partner: Partner, by: User, *lines: Sequence[Any]) -> Batch:
    """A batch whose lines were read and judged."""
    batch = upload(partner, by, csv_file(*lines))
    assert read_next_batch()
    assert check_next_batch()
    batch.refresh_from_db()
    return batch


def submitted(partner: Partner, by: User, *lines: Sequence[Any]) -> Batch:
    """A batch that a worker may issue."""
    batch = checked(partner, by, *lines)
    submit_batch(batch, by=by, seen=good_lines(batch.pk))
    batch.refresh_from_db()
    return batch


def issued(partner: Partner, by: User, *lines: Sequence[Any]) -> Batch:
    """A batch whose good lines are all issued."""
    batch = submitted(partner, by, *lines)
    while issue_next_lines():
        pass
    batch.refresh_from_db()
    return batch


def rows_of(batch: Batch) -> list[BatchRow]:
    return list(BatchRow.objects.filter(batch=batch).order_by("line"))


def states(batch: Batch) -> list[str]:
    return [row.state for row in rows_of(batch)]


def codes(row: BatchRow) -> list[str]:
    """The codes of what was found about a line."""
    return [finding[0] for finding in row.findings]
