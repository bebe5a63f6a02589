"""A batch of a thousand lines of which seventeen are bad, from the upload to the results file."""

import csv
import io
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from consumers.models import Consumer, PaymentCard
from payouts.approvals import Source
from payouts.models import ApprovalRule, Batch, BatchState, Payment
from payouts.states import Status
from payouts.work import batch_work
from tests.back_office import browser, text_of
from tests.batches import csv_file
from tests.books import assert_books_are_right, available
from tests.builders import VISA_NUMBER, make_card, make_consumer
from tests.payouts.backoffice.test_batch_decisions import confirm_page, decide
from tests.payouts.backoffice.test_batches import seen_on
from tests.pushes import make_funded_partner

pytestmark = pytest.mark.django_db(transaction=True)

GOOD, BAD = 983, 17
PEOPLE = 20


def _file(people: list[Consumer]) -> bytes:
    good = [
        [people[n % PEOPLE].pcid, "", f"{n + 1}.{n % 100:02d}", f"R-{n}", "November"]
        for n in range(GOOD)
    ]
    someone = people[0].pcid
    bad = [
        *[[f"nobody-{n}", "", "10.00", "", ""] for n in range(5)],
        *[[someone, "9999", f"{n}.00", "", ""] for n in range(1, 4)],
        *[[someone, "", amount, "", ""] for amount in ("", "ten", "1,250", "0", "50000.01")],
        [someone, "visa", "1.00", "", ""],
        ["", "", "1.00", "", ""],
        good[0],
        good[1],
    ]
    lines = [*good]
    for n, line in enumerate(bad):
        lines.insert((n + 1) * 58, line)
    return csv_file(*lines)


def test_a_thousand_lines_with_seventeen_bad_ones() -> None:
    ApprovalRule.objects.create(name="batches", source=Source.BATCH)
    partner = make_funded_partner(dollars="1000000.00")
    people = [make_consumer(partner=partner, pcid=f"person-{n}") for n in range(PEOPLE)]
    for person in people:
        make_card(consumer=person)
    mia, ann = browser("maker", username="mia"), browser("approver", username="ann")

    form = {"partner": str(partner.pk), "file": SimpleUploadedFile("nov.csv", _file(people))}
    mia.post("/admin/batches/new/", form)
    batch = Batch.objects.get()
    batch_work.work_on_batches()
    page = mia.get(_address(batch))
    assert "Lines 1,000 Good 983 With problems 17" in text_of(page)
    assert not Payment.objects.exists()
    problems = mia.get(_address(batch), {"view": "problems"})
    assert problems.content.decode().count('<li class="po-row po-row-line">') == BAD

    mia.post(_address(batch, "issue_batch"), {"seen": seen_on(mia, batch)})
    batch_work.work_on_batches()
    batch.refresh_from_db()
    assert batch.state == BatchState.ISSUED
    assert Payment.objects.filter(status=Status.PENDING_APPROVAL).count() == GOOD
    expected = sum((Decimal(f"{n + 1}.{n % 100:02d}") for n in range(GOOD)), Decimal(0))
    assert available(partner) == Decimal(1_000_000) - expected

    decide(ann, batch, confirm_page(ann, batch, left_out="2-11"))
    batch_work.work_on_batches()
    assert Payment.objects.filter(status=Status.PENDING).count() == GOOD - 10
    assert Payment.objects.filter(status=Status.PENDING_APPROVAL).count() == 10

    rows = _results(mia, batch)
    assert len(rows) == 1000
    assert sum(row["status"] == "pending approval" for row in rows) == 10
    assert [row["line"] for row in rows] == [str(n) for n in range(2, 1002)]
    bad = [row for row in rows if row["status"] == "not issued: has a problem"]
    assert len(bad) == BAD
    assert all(row["failure"] and not row["push"] for row in bad)
    pushes = {row["push"] for row in rows if row["push"]}
    assert pushes == {str(key) for key in Payment.objects.values_list("pk", flat=True)}
    assert PaymentCard.objects.count() == PEOPLE
    assert VISA_NUMBER not in str(rows)
    assert_books_are_right()


def _address(batch: Batch, page: str = "batch", *more: str) -> str:
    return reverse(f"backoffice:{page}", args=[batch.pk, *more])


def _results(client: Any, batch: Batch) -> list[dict[str, str]]:
    answer = client.get(_address(batch, "batch_results", "csv"))
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))
