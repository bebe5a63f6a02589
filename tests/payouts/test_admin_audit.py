"""The page of the audit trail: who sees it, what it finds, and the files that it gives."""

import csv
import io
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from django.db.models import F
from django.test import Client
from django.utils import timezone
from openpyxl import load_workbook

from consumers.admin.zone import COOKIE
from consumers.audit import Act, Result, Subject, Verb, Visitor, record_act
from consumers.models import AuditEntry, without_accents
from payouts.admin import audit_export
from payouts.operations.link_audit import link_audit_trail
from payouts.operations.verify_audit import verify_what_is_new
from payouts.staff import ROLES
from tests.back_office import browser, page_address, superuser_browser, text_of
from tests.books import execute
from tests.builders import make_partner
from tests.owner import forced
from tests.pushes import make_staff

pytestmark = pytest.mark.django_db

LIST = "/admin/consumers/auditentry/"
OBJECT_ID = "0192f0c1-7e57-7abc-8def-0123456789ab"
SEERS = {"admin", "auditor"}


@pytest.fixture
def auditor() -> Client:
    return browser("auditor")


def note(label: str = "a note", *, by: str = "staff:grace", **act: Any) -> AuditEntry:
    """An entry about nothing in particular."""
    told = {"verb": Verb.EXPORT, "subject": Subject("note", act.pop("id", ""), label), **act}
    request_id = told.pop("request_id", "")
    record_act(Act(**told), by=Visitor(label=by, request_id=request_id))
    return AuditEntry.objects.latest("id")


def named(username: str, first: str, last: str) -> None:
    make_staff(username)
    User.objects.filter(username=username).update(first_name=first, last_name=last)


def listed(client: Client, **query: str) -> list[str]:
    """The labels that the list shows, newest first; about the trail itself there is no word."""
    answer = client.get(LIST, query)
    assert answer.status_code == 200
    return [row.subject_label for row in answer.context["cl"].result_list if row.verb == "export"]


@pytest.mark.parametrize("role", [role.name for role in ROLES])
def test_only_auditors_and_admins_see_it(role: str) -> None:
    entry = note()
    client = browser(role)
    expected = 200 if role in SEERS else 403
    assert client.get(LIST).status_code == expected
    assert client.get(page_address(entry)).status_code == expected
    assert client.get(f"{LIST}export/csv/").status_code == (200 if role in SEERS else 404)
    assert ('href="/admin/consumers/auditentry/"' in text_and_tags(client)) == (role in SEERS)


def text_and_tags(client: Client) -> str:
    return client.get("/admin/").content.decode()


def test_nobody_changes_it() -> None:
    entry = note()
    root = superuser_browser()
    assert root.get(f"{LIST}add/").status_code == 403
    assert root.post(page_address(entry), {"actor": "x"}).status_code == 403
    assert root.post(page_address(entry, "delete"), {"post": "yes"}).status_code == 403
    assert AuditEntry.objects.filter(pk=entry.pk, actor="staff:grace").exists()


def test_lists_who_did_what_to_what(auditor: Client) -> None:
    note("a note", result=Result.REFUSED)
    text = text_of(auditor.get(LIST))
    assert "grace export a note refused" in text


@pytest.mark.parametrize(
    "query", [OBJECT_ID, OBJECT_ID.upper(), OBJECT_ID.replace("-", ""), "Wanted", "wan", "ada",
              "staff:ada", "req_wanted"],
)  # fmt: skip
def test_finds_by_object_actor_and_request(query: str, auditor: Client) -> None:
    note("Other", by="staff:grace")
    note("Wanted one", by="staff:ada.lovelace", id=OBJECT_ID, request_id="req_wanted")
    note("Another")
    assert listed(auditor, q=query) == ["Wanted one"]


@pytest.mark.parametrize("query", ["Mia", "moss", "mia moss", "jose garcia", "JOSÉ"])
def test_finds_by_names_with_and_without_accents(query: str, auditor: Client) -> None:
    named("mm1", "Mía", "Moss")
    note("José García", by="staff:mm1")
    note("Other", by="staff:grace")
    assert listed(auditor, q=query) == ["José García"]


def test_searches_labels_by_an_index() -> None:
    execute("SET LOCAL enable_seqscan = off")
    plan = AuditEntry.objects.alias(plain=without_accents(F("subject_label"))).filter(
        plain__istartswith="jose"
    )
    # In no order: on a table without rows walking the keys in theirs costs the same.
    assert "audit_by_plain_label" in plan.order_by().explain()


def test_names_people_and_keeps_what_was_recorded(auditor: Client) -> None:
    named("mia", "Mia", "Moss")
    entry = note("a note", by="staff:mia")
    assert "Mia Moss (mia) export a note" in text_of(auditor.get(LIST))
    assert "Mia Moss (mia) recorded as staff:mia" in text_of(auditor.get(page_address(entry)))
    assert listed(auditor, actor="mia moss") == listed(auditor, actor="mia") == ["a note"]
    answer = auditor.get(f"{LIST}export/csv/", {"actor": "mia"})
    (row,) = csv.DictReader(io.StringIO(exported(answer).decode("utf-8-sig")))
    assert (row["who"], row["actor"]) == ("Mia Moss (mia)", "staff:mia")


@pytest.mark.parametrize("query", ["%", "_", "nobody", "note", "\0", "'", "x" * 5_000])
def test_finds_nothing_else(query: str, auditor: Client) -> None:
    note("a note")
    assert listed(auditor, q=query) == ([] if query != "\0" else ["a note"])


def test_filters(auditor: Client) -> None:
    partner = make_partner()
    note("1", by="client:Payroll")
    note("2", result=Result.FAILED)
    record_act(Act(verb=Verb.EXPORT, subject=Subject("note", "", "3", partner.pk)))
    assert listed(auditor, actor="Payroll") == ["1"]
    assert listed(auditor, actor="client:Payroll") == ["1"]
    assert listed(auditor, actor="Pay") == []
    assert listed(auditor, result="failed") == ["2"]
    assert listed(auditor, partner=str(partner.pk)) == ["3"]
    assert listed(auditor, verb="export", result="done") == ["3", "1"]
    assert listed(auditor, verb="add") == []


@pytest.mark.parametrize(
    "query", ["verb=x", "result=x", "day_from=x", "partner=x", "before=x", "z=1"]
)
def test_a_filter_that_makes_no_sense_is_taken_away(query: str, auditor: Client) -> None:
    assert auditor.get(f"{LIST}?{query}").status_code == 302


def test_filters_by_days(auditor: Client) -> None:
    today = timezone.now().date()
    old = note("old")
    note("new")
    at = timezone.now() - timedelta(days=9)
    forced("UPDATE consumers_auditentry SET created_at = %s WHERE id = %s", at, old.pk)
    yesterday = str(today - timedelta(days=1))
    assert listed(auditor, day_from=yesterday) == ["new"]
    assert listed(auditor, day_to=yesterday) == ["old"]
    assert listed(auditor, day_from=str(at.date()), day_to=str(today)) == ["new", "old"]
    assert listed(auditor, day_to="2020-01-01") == []
    assert listed(auditor, day_from=str(today + timedelta(days=2))) == []


def test_pages_by_key(auditor: Client) -> None:
    for number in range(60):
        note(str(number))
    newest = auditor.get(LIST).context["cl"]
    older = auditor.get(LIST + newest.older_page).context["cl"]
    assert newest.result_list[-1].pk > older.result_list[0].pk
    assert "0" in [row.subject_label for row in older.result_list]


def test_shows_an_entry_whole(auditor: Client) -> None:
    entry = note(before={"max_amount": "5000.00"}, after={"max_amount": "7000.00"}, reason="asked")
    text = text_of(auditor.get(page_address(entry)))
    assert "max amount 5000.00 7000.00" in text
    assert "asked" in text
    assert "Not linked yet" in text
    link_audit_trail()
    assert "Block 1, linked" in text_of(auditor.get(page_address(entry)))


def test_leads_to_what_it_is_about(auditor: Client) -> None:
    partner = make_partner(name="Northwind")
    entry = AuditEntry.objects.get(verb="add", subject_id=str(partner.pk))
    html = auditor.get(page_address(entry)).content.decode()
    assert f'href="{page_address(partner)}"' in html


def test_shows_how_the_chain_stands(auditor: Client) -> None:
    text = text_of(auditor.get(LIST))
    assert "Nothing is linked yet" in text
    assert "Last verified Never" in text
    head = link_audit_trail().head
    verify_what_is_new()
    text = text_of(auditor.get(LIST))
    assert str(head) in text
    assert " holds" in text


def test_says_when_the_linker_is_late_and_the_chain_is_broken(auditor: Client) -> None:
    note()
    link_audit_trail()
    forced("UPDATE consumers_auditentry SET actor = 'x'")
    verify_what_is_new()
    hour_ago = timezone.now() - timedelta(hours=1)
    forced("UPDATE consumers_auditentry SET created_at = %s WHERE verb = 'verify'", hour_ago)
    text = text_of(auditor.get(LIST))
    assert "tampered with" in text
    assert "late" in text


def test_looking_leaves_an_entry(auditor: Client) -> None:
    entry = note()
    auditor.get(LIST, {"q": "grace"})
    seen = AuditEntry.objects.latest("id")
    assert (seen.actor, seen.verb, seen.after) == ("staff:somebody", "view", {"q": "grace"})
    auditor.get(page_address(entry))
    assert AuditEntry.objects.latest("id").subject_id == str(entry.pk)


def exported(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


def test_exports_exactly_what_is_shown_as_csv(auditor: Client) -> None:
    note("=1+1", by="staff:grace")
    note("other", by="staff:ada")
    answer = auditor.get(f"{LIST}export/csv/", {"actor": "grace"})
    assert answer.headers["Content-Type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(exported(answer).decode("utf-8-sig"))))
    assert [(row["actor"], row["object"]) for row in rows] == [("staff:grace", "'=1+1")]
    seen = AuditEntry.objects.latest("id")
    assert (seen.verb, seen.after) == ("export", {"as": "csv", "actor": "grace"})


def test_exports_a_workbook(auditor: Client) -> None:
    entry = note("=1+1")
    answer = auditor.get(f"{LIST}export/xlsx/", {"q": "grace"})
    sheet = load_workbook(io.BytesIO(exported(answer))).active
    assert sheet is not None
    (header, row) = sheet.iter_rows(values_only=True)
    assert header[:3] == ("entry", "at (UTC)", "who")
    assert (row[0], row[3], row[8]) == (entry.pk, "staff:grace", "'=1+1")


def test_a_file_has_the_instants_of_the_page(auditor: Client) -> None:
    entry = note()
    auditor.cookies[COOKIE] = "America/New_York"
    answer = auditor.get(f"{LIST}export/csv/", {"q": "grace"})
    (row,) = csv.DictReader(io.StringIO(exported(answer).decode("utf-8-sig")))
    shown = entry.created_at.astimezone(ZoneInfo("America/New_York"))
    assert row["at (America/New York)"] == f"{shown:%Y-%m-%d %H:%M:%S}"
    assert row["at (UTC)"] == f"{entry.created_at:%Y-%m-%d %H:%M:%S}"


def test_does_not_cut_an_export_off(auditor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_export, "EXPORTED_AT_MOST", 2)
    for _ in range(3):
        note()
    answer = auditor.get(f"{LIST}export/csv/", {"verb": "export"})
    assert (answer.status_code, answer.headers["Location"]) == (302, f"{LIST}?verb=export")
    assert AuditEntry.objects.filter(verb="export").count() == 3


@pytest.mark.parametrize(("kind", "status"), [("pdf", 404), ("csv", 200)])
def test_knows_two_kinds_of_files(kind: str, status: int, auditor: Client) -> None:
    assert auditor.get(f"{LIST}export/{kind}/").status_code == status


def test_the_page_costs_the_same_however_many_there_are(
    auditor: Client, django_assert_num_queries: Any
) -> None:
    note()
    auditor.get(LIST)
    for _ in range(30):
        note()
    address = page_address(AuditEntry.objects.earliest("id"))
    auditor.get(address)
    with django_assert_num_queries(STATEMENTS_OF_LIST):
        auditor.get(LIST)
    with django_assert_num_queries(STATEMENTS_OF_PAGE):
        auditor.get(address)


STATEMENTS_OF_LIST = 14
STATEMENTS_OF_PAGE = 11
