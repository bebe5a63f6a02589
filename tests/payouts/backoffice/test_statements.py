"""Bank statements in the browser: bring one, see what came of it, agree as the second person."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from consumers.models import PaymentCard
from payouts.models import Journal, SettlementFile, StatementFile
from payouts.operations.record_outcome import record_outcome
from payouts.work.statement_work import work_on_statements
from tests.back_office import browser, browser_of, text_of
from tests.doubts import two_operators
from tests.pushes import APPROVED, fresh, push_submitted
from tests.settlements import line_about
from tests.statements import (
    YESTERDAY,
    bring_statement,
    day_of_settlement,
    movement_for,
    statement_of,
)

pytestmark = pytest.mark.django_db

FILES = "/admin/reconciliation/statements/"


@pytest.fixture
def settled(card: PaymentCard) -> SettlementFile:
    payment = push_submitted(card)
    record_outcome(payment.pk, APPROVED)
    return day_of_settlement(YESTERDAY, line_about(fresh(payment)))


def upload(client: Client, content: bytes) -> Any:
    sent = SimpleUploadedFile("statement.xml", content)
    return client.post(f"{FILES}new/", {"file": sent}, follow=True)


def test_says_what_to_do_where_there_is_none() -> None:
    said = text_of(browser("operations").get(FILES))
    assert "No bank statement was imported yet" in said
    assert "Import a statement" in said
    assert "Import a statement" not in text_of(browser("auditor", username="a").get(FILES))


def test_two_people_bring_a_statement_and_book_it(settled: SettlementFile) -> None:
    opal, otto = two_operators()
    first, second = browser_of(opal), browser_of(otto)
    fee = movement_for(settled, cents=-25_00, reference="", text="<b>FEE</b>")
    content = statement_of(movement_for(settled), fee)
    upload(first, content)
    work_on_statements()
    address = f"{FILES}{StatementFile.objects.get().pk}/"
    said = text_of(first.get(address))
    assert "would book 1 settlement" in said
    assert "You brought it, so somebody else has to agree" in said
    first.post(f"{address}decide/", {"verdict": "apply"})
    work_on_statements()
    assert not Journal.objects.filter(kind="settled").exists()
    second.post(f"{address}decide/", {"verdict": "apply"})
    work_on_statements()
    said = text_of(second.get(address))
    journal = Journal.objects.get(kind="settled")
    assert f"Journal {journal.pk}" in said
    assert "Decided by otto" in said
    assert "Case, open" in said
    assert "<b>FEE" not in second.get(address).content.decode()
    assert "1 open case" in text_of(second.get(FILES))
    assert "imported before" in text_of(upload(second, content))


def test_a_refusal_wants_a_reason(settled: SettlementFile) -> None:
    opal, otto = two_operators()
    file = bring_statement(statement_of(movement_for(settled)), by=opal)
    client, address = browser_of(otto), f"{FILES}{file.pk}/"
    said = client.post(f"{address}decide/", {"verdict": "reject", "reason": " "}, follow=True)
    assert "Say why none of it is to count" in text_of(said)
    client.post(f"{address}decide/", {"verdict": "reject", "reason": "A forgery"})
    assert "A forgery" in text_of(client.get(address))


def test_names_everything_that_is_wrong_in_a_file() -> None:
    client = browser("operations")
    upload(client, b"B,PAYOUTS-STATEMENT,1\nE,1\nX,2\n")
    work_on_statements()
    said = text_of(client.get(f"{FILES}{StatementFile.objects.get().pk}/"))
    assert "Line 2: No such record" in said
    assert "Line 3: No such record" in said
    assert "There is nothing in the file" in text_of(upload(client, b""))
    assert "Choose a file" in text_of(client.post(f"{FILES}new/"))


@pytest.mark.parametrize(
    ("role", "sees", "brings"),
    [("maker", 403, 403), ("auditor", 200, 403), ("operations", 200, 200), ("admin", 200, 200)],
)
def test_is_open_to_whom_it_is_for(role: str, sees: int, brings: int) -> None:
    client = browser(role)
    assert client.get(FILES).status_code == sees
    assert client.get(f"{FILES}new/").status_code == brings
    sent = {"file": SimpleUploadedFile("a", b"")}
    assert client.post(f"{FILES}new/", sent).status_code == brings


def test_the_live_part_has_the_page_loaded_anew_at_the_end() -> None:
    file = bring_statement(statement_of())
    client = browser("operations")
    answer = client.get(f"{FILES}{file.pk}/live/?state=acting")
    assert answer.headers["HX-Refresh"] == "true"
    assert client.get(f"{FILES}{file.pk}/live/?state=done").status_code == 200
    for wrong in ("?outcome=x", "?after=x"):
        assert client.get(f"{FILES}{file.pk}/{wrong}").status_code == 404


def test_the_pages_ask_a_fixed_number_of_statements(
    settled: SettlementFile,
    settings: Any,
    statements: Callable[[], AbstractContextManager[list[str]]],
) -> None:
    settings.BANK_ACCOUNTS = frozenset({"OTHER1", "OTHER4"})
    client = browser("operations")
    asked = []
    for number in (1, 4):
        strays = [movement_for(settled, cents=-number, reference="x")] * number
        day = YESTERDAY.replace(year=2020 + number)
        content = statement_of(*strays, opens_on=day, closes_on=day, opening_cents=number)
        file = bring_statement(content.replace(b"PAYOUTS0001", f"OTHER{number}".encode()))
        with statements() as list_log:
            client.get(FILES)
        with statements() as file_log:
            client.get(f"{FILES}{file.pk}/")
        assert (file.state, file.entries) == ("done", number)
        asked.append((len(list_log), len(file_log)))
    assert asked[0] == asked[1]
    assert max(asked[0]) <= 14
