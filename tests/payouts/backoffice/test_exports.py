"""Files of pushes on the pages: asked for on the list, watched, and taken by whoever may."""

import csv
import io
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.test import Client

from consumers.admin.zone import COOKIE
from consumers.models import AuditEntry
from payouts.admin.push_tools import words_of
from payouts.finding.push_columns import USUAL
from payouts.finding.push_query import PushQuery
from payouts.models import Export, ExportKind
from payouts.operations.export_pushes import ask_for_export, write_next_export
from tests.back_office import LIST, browser, browser_of, text_of
from tests.pushes import make_payee, make_staff, push

pytestmark = pytest.mark.django_db

FILES = "/admin/exports/"


@pytest.fixture
def maker() -> User:
    return make_staff("mia", "maker")


def written_file(by: User) -> Export:
    push(make_payee())
    query = PushQuery.read({"status": "pending"})
    export = ask_for_export(query, columns=USUAL, kind=ExportKind.CSV, by=by)
    assert write_next_export()
    return export


def test_what_the_list_shows_is_asked_for_and_watched(maker: User) -> None:
    push(make_payee())
    client = browser_of(maker)
    asked = client.post(f"{FILES}ask/", {"query": "status=pending", "kind": "csv"})
    assert (asked.status_code, asked.headers["Location"]) == (302, FILES)
    export = Export.objects.get()
    assert (export.query, export.columns, export.kind) == ("status=pending", list(USUAL), "csv")
    page = client.get(FILES)
    assert "Waits for its turn" in text_of(page)
    assert 'hx-get="/admin/exports/progress/"' in page.content.decode()
    write_next_export()
    done = client.get(f"{FILES}progress/")
    assert "1 row, " in text_of(done)
    assert "hx-get" not in done.content.decode()


def test_the_file_is_what_was_written(maker: User) -> None:
    export = written_file(maker)
    answer = browser_of(maker).get(f"{FILES}{export.pk}/file/")
    content = b"".join(answer)
    assert content.decode().startswith("\ufeffAsked for (UTC),Partner,")
    assert "attachment" in answer.headers["Content-Disposition"]
    assert answer.headers["Content-Length"] == str(len(content))
    taken = AuditEntry.objects.get(verb="download")
    assert (taken.user_id, taken.after["rows"]) == (maker.pk, 1)


def test_the_file_has_the_instants_of_the_page(maker: User) -> None:
    payment = push(make_payee())
    client = browser_of(maker)
    client.cookies[COOKIE] = "Asia/Tokyo"
    client.post(f"{FILES}ask/", {"query": "", "kind": "csv"})
    assert write_next_export()
    content = b"".join(client.get(f"{FILES}{Export.objects.get().pk}/file/"))
    (row,) = csv.DictReader(io.StringIO(content.decode("utf-8-sig")))
    shown = payment.created_at.astimezone(ZoneInfo("Asia/Tokyo"))
    assert row["Asked for (Asia/Tokyo)"] == f"{shown:%Y-%m-%d %H:%M:%S}"
    assert row["Asked for (UTC)"] == f"{payment.created_at:%Y-%m-%d %H:%M:%S}"


@pytest.mark.parametrize(
    ("role", "status"), [("auditor", 200), ("maker", 404), ("admin", 404), ("viewer", 403)]
)
def test_others_do_not_get_it_but_auditors_do(maker: User, role: str, status: int) -> None:
    export = written_file(maker)
    answer = browser(role).get(f"{FILES}{export.pk}/file/")
    assert answer.status_code == status
    assert AuditEntry.objects.filter(verb="download").exists() == (status == 200)


@pytest.mark.parametrize(
    "form", [{"query": "status=paid", "kind": "csv"}, {"query": "", "kind": "pdf"}, {}]
)
def test_what_means_nothing_makes_no_file(maker: User, form: dict[str, str]) -> None:
    assert browser_of(maker).post(f"{FILES}ask/", form).status_code == 404
    assert not Export.objects.exists()


def test_says_that_enough_is_in_the_making(maker: User) -> None:
    client = browser_of(maker)
    for _ in range(4):
        answer = client.post(f"{FILES}ask/", {"query": "", "kind": "csv"}, follow=True)
    assert "You have 3 files in the making" in text_of(answer)
    assert Export.objects.count() == 3


@pytest.mark.parametrize("address", [FILES, f"{FILES}progress/"])
def test_a_viewer_takes_no_files(address: str) -> None:
    assert browser("viewer").get(address).status_code == 403


def test_a_viewer_is_offered_no_export() -> None:
    push(make_payee())
    assert FILES not in browser("viewer").get(LIST).content.decode()
    assert FILES in browser("maker", username="mo").get(LIST).content.decode()


def test_somebody_without_files_is_told_what_to_do(maker: User) -> None:
    assert "No files yet" in text_of(browser_of(maker).get(FILES))


def test_strangers_are_asked_to_sign_in() -> None:
    assert Client().get(FILES).status_code == 302


def test_tells_in_words_what_is_in_a_file() -> None:
    assert words_of("status=pending_approval&amount_min=%24100&q=hopper") == [
        "“hopper”",
        "Status: pending approval",
        "At least $100",
    ]
    assert words_of("partner=01a203bf-b303-7072-b168-983dd96d3558") == ["One partner"]
    assert words_of("status=nonsense") == ["status=nonsense"]
