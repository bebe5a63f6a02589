"""Uploading, looking at, issuing and withdrawing batches in the back office."""

import io
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile, TemporaryUploadedFile
from django.test import Client
from django.urls import reverse
from openpyxl import load_workbook

from consumers.models import AuditEntry, PaymentCard
from payouts.backoffice import batches as batches_page
from payouts.batch_files.opening import read_batch_file
from payouts.models import Batch, BatchFile, BatchOrder, BatchState, Payment
from payouts.operations.batches.check_batch import check_next_batch
from payouts.operations.batches.issue_batch import issue_next_lines
from payouts.operations.batches.order_batch import carry_out_next
from payouts.operations.batches.read_batch import read_next_batch
from payouts.operations.cancel_payment import cancel_payment
from tests.back_office import browser, browser_of, text_of
from tests.batches import checked, csv_file, issued, line, states, submitted, upload, xlsx_file
from tests.builders import VISA_NUMBER
from tests.payouts.backoffice.conftest import StatementLog
from tests.pushes import CLIENT, make_payee, make_staff

pytestmark = pytest.mark.django_db

Statements = Callable[[], AbstractContextManager[StatementLog]]
NEW = "/admin/batches/new/"


def address(batch: Batch, page: str = "batch", *more: str) -> str:
    return reverse(f"backoffice:{page}", args=[batch.pk, *more])


def posted(client: Client, card: PaymentCard, content: bytes, name: str = "november.csv") -> Any:
    form = {"partner": str(card.partner_id), "file": SimpleUploadedFile(name, content)}
    return client.post(NEW, form)


def seen_on(client: Client, batch: Batch) -> str:
    found = re.search(r'name="seen" value="([^"]+)"', client.get(address(batch)).content.decode())
    assert found is not None, "this page offers nothing to issue"
    return found[1]


def test_takes_a_file_and_shows_its_page(client: Client, card: PaymentCard, mia: User) -> None:
    answer = posted(client, card, csv_file(line(card)))
    batch = Batch.objects.get()
    assert answer.headers["Location"] == address(batch)
    assert (batch.name, batch.uploaded_by_id) == ("november", mia.pk)
    page = client.get(address(batch))
    assert "The file is being read" in text_of(page)
    assert f'hx-get="{address(batch, "batch_live")}?state=reading&amp;' in page.content.decode()


def test_keeps_the_file_off_the_disk(
    client: Client, card: PaymentCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    def written(*_: object, **__: object) -> None:
        raise AssertionError("it was written to disk")

    monkeypatch.setattr(TemporaryUploadedFile, "__init__", written)
    posted(client, card, b"x" * 3_000_000)
    assert Batch.objects.get().file_bytes == 3_000_000


def test_drops_what_is_too_large(
    client: Client, card: PaymentCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches_page, "LARGEST_FILE_BYTES", 1000)
    answer = posted(client, card, b"x" * 100_000)
    assert "Choose a file of at most 20 MB." in text_of(answer)
    assert not Batch.objects.exists()


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (b"", "a.csv", "The file is empty."),
        (b"%PDF-1.7", "a.pdf", "neither a CSV file nor an XLSX workbook"),
        (b"x", f"{VISA_NUMBER}.csv", "The name holds a card number"),
    ],
)
def test_says_at_once_what_is_certainly_no_file(
    client: Client, card: PaymentCard, content: bytes, name: str, words: str
) -> None:
    assert words in text_of(posted(client, card, content, name))
    assert not Batch.objects.exists()


def test_is_protected_against_other_sites(card: PaymentCard, mia: User) -> None:
    client = browser_of(mia, client=Client(enforce_csrf_checks=True))
    assert posted(client, card, csv_file(line(card))).status_code == 403
    assert not BatchFile.objects.exists()


def test_says_why_a_file_was_not_taken(client: Client, card: PaymentCard, mia: User) -> None:
    batch = upload(card.partner, mia, csv_file(["ada", VISA_NUMBER, "1", "", ""]))
    read_next_batch()
    words = text_of(client.get(address(batch)))
    assert "Line 2 holds a card number in the column “card”" in words
    assert VISA_NUMBER not in words


def test_shows_each_line_with_what_was_found(client: Client, card: PaymentCard, mia: User) -> None:
    batch = checked(card.partner, mia, line(card, "12.34"), ["nobody", "", "1,250", "", ""])
    words = text_of(client.get(address(batch)))
    assert "Issue 1 push of $12.34?" in words
    assert "The partner has no such consumer." in words
    assert "“1,250” cannot be read as one amount without doubt" in words
    problems = text_of(client.get(address(batch), {"view": "problems"}))
    assert "$12.34 fee" not in problems


def test_issues_what_was_on_the_screen_once(client: Client, card: PaymentCard, mia: User) -> None:
    batch = checked(card.partner, mia, line(card))
    form = {"seen": seen_on(client, batch)}
    assert client.post(address(batch, "issue_batch"), form).status_code == 302
    client.post(address(batch, "issue_batch"), form)
    assert issue_next_lines()
    assert Payment.objects.count() == 1


def test_wants_warnings_and_the_same_file_to_be_looked_at(
    client: Client, card: PaymentCard, mia: User
) -> None:
    lines = [line(card, "1.00", "a"), line(card, "1.00", "b")]
    first = checked(card.partner, mia, *lines)
    batch = checked(card.partner, mia, *lines)
    page = client.get(address(batch))
    assert "This very file was uploaded before" in text_of(page)
    assert address(first) in page.content.decode()
    form = {"seen": seen_on(client, batch)}
    for missing in ({}, {"again": "on"}, {"warned": "on"}):
        client.post(address(batch, "issue_batch"), {**form, **missing})
        batch.refresh_from_db()
        assert batch.state == BatchState.READY
    client.post(address(batch, "issue_batch"), {**form, "again": "on", "warned": "on"})
    batch.refresh_from_db()
    assert batch.state == BatchState.ISSUING


def test_leaves_out_the_lines_whose_ticks_were_taken_away(
    client: Client, card: PaymentCard, mia: User
) -> None:
    batch = checked(card.partner, mia, line(card, "1.00"), line(card, "2.00"))
    client.post(address(batch, "choose_lines"), {"line": ["2", "3"], "keep": ["3"]})
    assert states(batch) == ["left_out", "good"]
    client.post(address(batch, "choose_lines"), {"line": ["2", "3"], "keep": ["2", "3"]})
    assert states(batch) == ["good", "good"]


@pytest.mark.parametrize("page", ["issue_batch", "withdraw_batch", "choose_lines", "check_batch"])
def test_only_its_uploader_changes_it(card: PaymentCard, page: str) -> None:
    mia = make_staff("mia", "maker")
    batch = checked(card.partner, mia, line(card))
    form = {"seen": seen_on(browser_of(mia), batch), "line": "2"}
    max_ = browser("maker", username="max")
    assert 'name="seen"' not in max_.get(address(batch)).content.decode()
    assert max_.post(address(batch, page), form).status_code == 302
    batch.refresh_from_db()
    assert (batch.state, states(batch)) == (BatchState.READY, ["good"])


def test_is_checked_again_and_withdrawn(client: Client, card: PaymentCard, mia: User) -> None:
    batch = checked(card.partner, mia, line(card))
    client.post(address(batch, "check_batch"))
    assert check_next_batch()
    client.post(address(batch, "withdraw_batch"))
    batch.refresh_from_db()
    assert batch.state == BatchState.WITHDRAWN
    entry = AuditEntry.objects.get(verb="withdraw")
    assert (entry.result, entry.subject_id) == ("done", str(batch.pk))


def test_cancels_what_was_not_sent(client: Client, card: PaymentCard, mia: User) -> None:
    batch = issued(card.partner, mia, line(card, "1.00"), line(card, "2.00"))
    client.post(address(batch, "cancel_batch"))
    carry_out_next()
    assert set(Payment.objects.values_list("status", flat=True)) == {"canceled"}
    client.post(address(batch, "cancel_batch"))
    assert BatchOrder.objects.count() == 1


def test_a_page_hears_how_far_it_is(client: Client, card: PaymentCard, mia: User) -> None:
    batch = submitted(card.partner, mia, *[line(card, f"{n}.00") for n in range(1, 6)])
    issue_next_lines(limit=2)
    answer = client.get(address(batch, "batch_live"), {"state": "issuing"})
    assert "2 of 5 lines" in text_of(answer)
    while issue_next_lines():
        pass
    answer = client.get(address(batch, "batch_live"), {"state": "issuing"})
    assert answer.headers["HX-Refresh"] == "true"


def test_lines_on_the_page_follow_what_becomes_of_them(
    client: Client, card: PaymentCard, mia: User
) -> None:
    batch = issued(card.partner, mia, line(card, "1.00"), line(card, "2.00"))
    html = client.get(address(batch), {"view": "good"}).content.decode()
    (asked,) = re.findall(r'hx-get="([^"]*batch[^"]*)"', html)
    # Nothing is new: what stands there is left alone, and with it whoever is at it by keyboard.
    assert 'id="lines"' not in client.get(unescape(asked)).content.decode()
    cancel_payment(Payment.objects.get(amount=1), actor=CLIENT)
    answer = client.get(unescape(asked))
    assert '<ul class="po-queue" id="lines" hx-swap-oob="true">' in answer.content.decode()
    assert "canceled" in text_of(answer)
    (asked,) = re.findall(r'hx-get="([^"]*batch[^"]*)"', answer.content.decode())
    assert 'id="lines"' not in client.get(unescape(asked)).content.decode()


def test_templates_can_be_filled_in_and_read(client: Client) -> None:
    answer = client.get("/admin/batches/template/csv/")
    content = answer.content + b"ada,1111,12.50,r,x\r\n"
    assert [wish.findings for wish in read_batch_file(content).wishes] == [[]]
    book = load_workbook(io.BytesIO(client.get("/admin/batches/template/xlsx/").content))
    sheet = book["Pushes"]
    sheet["A2"], sheet["B2"], sheet["C2"] = "ada", "0042", 8.41
    target = io.BytesIO()
    book.save(target)
    (wish,) = read_batch_file(target.getvalue()).wishes
    assert (wish.last4, str(wish.amount), wish.findings) == ("0042", "8.41", [])
    assert client.get("/admin/batches/template/pdf/").status_code == 404


def results(client: Client, batch: Batch, kind: str = "csv") -> Any:
    return client.get(address(batch, "batch_results", kind))


def test_results_name_every_line_and_are_no_formulas(
    client: Client, card: PaymentCard, mia: User
) -> None:
    batch = issued(
        card.partner, mia, line(card, "1.00", "=1+1", "@cmd"), ["nobody", "", "=2", "", ""]
    )
    answer = results(client, batch)
    header, first, second, *_ = b"".join(answer.streaming_content).decode("utf-8-sig").split("\r\n")
    assert header.startswith("line,status,failure,warnings,push,amount")
    payment = Payment.objects.get()
    assert first.startswith(f"2,pending,,,{payment.pk},1.00,0.00")
    assert "'=1+1,'@cmd" in first
    assert second.startswith("3,not issued: has a problem,")
    assert "'=2" in second
    book = load_workbook(io.BytesIO(b"".join(results(client, batch, "xlsx").streaming_content)))
    cells = [[cell.data_type for cell in row] for row in book["Results"].rows]
    assert len(cells) == 3
    assert not any("f" in row for row in cells)
    assert AuditEntry.objects.filter(verb="export", subject_id=str(batch.pk)).count() == 2


def test_results_are_for_those_who_may_take_files(card: PaymentCard, mia: User) -> None:
    batch = issued(card.partner, mia, line(card, "1.00"))
    viewer = browser("viewer", username="vera")
    assert "Results" not in text_of(viewer.get(address(batch)))
    assert results(viewer, batch).status_code == 403
    assert not AuditEntry.objects.filter(verb="export").exists()


def test_reads_a_workbook_from_the_page(client: Client, card: PaymentCard) -> None:
    posted(client, card, xlsx_file([card.consumer.pcid, 1111, 8.41, "", ""]), "november.xlsx")
    assert read_next_batch()
    assert check_next_batch()
    assert "Issue 1 push of $8.41?" in text_of(client.get(address(Batch.objects.get())))


def test_leads_to_the_list_of_its_pushes(client: Client, card: PaymentCard, mia: User) -> None:
    batch = issued(card.partner, mia, line(card, "5.00"), line(card, "7.00"))
    pushes = reverse("admin:payouts_payment_changelist")
    html = client.get(address(batch)).content.decode()
    assert f'href="{pushes}?batch={batch.pk}"' in html
    assert f'href="{pushes}?status=pending&amp;batch={batch.pk}"' in html
    listed = text_of(client.get(pushes, {"batch": str(batch.pk)}))
    assert "Batch: November payroll" in listed
    assert "2 pushes" in listed


def test_lists_batches_newest_first(client: Client, card: PaymentCard, mia: User) -> None:
    assert "No batch was uploaded yet" in text_of(client.get("/admin/batches/"))
    old = checked(card.partner, mia, line(card, "5.00"))
    new = upload(card.partner, mia, csv_file(line(card)), name="December")
    html = client.get("/admin/batches/").content.decode()
    assert html.index(str(new.pk)) < html.index(str(old.pk))
    assert "$5.00" in html


def test_pages_cost_the_same_for_any_number_of_lines(
    client: Client, mia: User, statements: Statements
) -> None:
    counted = []
    for count in (2, 40):
        cards = [make_payee() for _ in range(1)] * count
        lines = [line(card, f"{n + 1}.00", f"{count}") for n, card in enumerate(cards)]
        batch = issued(cards[0].partner, mia, *lines)
        with statements() as log:
            assert client.get(address(batch)).status_code == 200
        with statements() as live:
            client.get(address(batch, "batch_live"), {"state": "issued"})
        counted.append((len(log), len(live)))
    assert counted[0] == counted[1]
    assert counted[0][0] <= 14
    assert counted[0][1] <= 10


@pytest.mark.parametrize("query", [{"view": "x"}, {"after": "x"}, {"after": "-1"}])
def test_answers_404_to_addresses_that_mean_nothing(
    client: Client, card: PaymentCard, mia: User, query: dict[str, str]
) -> None:
    batch = checked(card.partner, mia, line(card))
    assert client.get(address(batch), query).status_code == 404
