"""Reconciliation in the browser: bring a file, see what was found, agree as the second person."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from consumers.models import PaymentCard
from payouts.models import Case, SettlementFile
from payouts.states import Status
from payouts.work.settlement_work import work_on_settlements
from tests.back_office import browser, browser_of, text_of
from tests.doubts import two_operators
from tests.pushes import push_submitted, push_unknown, status_of
from tests.settlements import bring, line_about, settlement_of

pytestmark = pytest.mark.django_db

FILES = "/admin/reconciliation/"


def upload(client: Client, content: bytes) -> Any:
    sent = SimpleUploadedFile("settlement.csv", content)
    return client.post(f"{FILES}new/", {"file": sent}, follow=True)


def test_says_what_to_do_where_there_is_none() -> None:
    said = text_of(browser("operations").get(FILES))
    assert "No settlement file was imported yet" in said
    assert "Import a file" in said
    assert "Import a file" not in text_of(browser("auditor", username="a").get(FILES))


def test_two_people_bring_a_file_and_carry_it_out(card: PaymentCard) -> None:
    payment = push_unknown(card)
    opal, otto = two_operators()
    first, second = browser_of(opal), browser_of(otto)
    content = settlement_of([line_about(payment), line_about(payment)])
    upload(first, content)
    work_on_settlements()
    file = SettlementFile.objects.get()
    address = f"{FILES}{file.pk}/"
    said = text_of(first.get(address))
    assert "would complete or return 1 push" in said
    assert "You brought it, so somebody else has to agree" in said
    first.post(f"{address}decide/", {"verdict": "apply"})
    assert status_of(payment) is Status.UNKNOWN
    assert "Agree and carry it out" in text_of(second.get(address))
    second.post(f"{address}decide/", {"verdict": "apply"})
    work_on_settlements()
    assert status_of(payment) is Status.COMPLETED
    said = text_of(second.get(address))
    assert "Decided by otto" in said
    assert "Settled twice" in said
    again = text_of(upload(second, content))
    assert "imported before" in again


def test_a_refusal_wants_a_reason(card: PaymentCard) -> None:
    opal, otto = two_operators()
    file = bring(settlement_of([line_about(push_unknown(card))]), by=opal)
    client, address = browser_of(otto), f"{FILES}{file.pk}/"
    said = client.post(f"{address}decide/", {"verdict": "reject", "reason": " "}, follow=True)
    assert "Say why none of it is to count" in text_of(said)
    client.post(f"{address}decide/", {"verdict": "reject", "reason": "A forgery"})
    assert "A forgery" in text_of(client.get(address))


def test_a_case_leads_to_the_file_that_it_comes_from(card: PaymentCard) -> None:
    stranger = line_about(push_submitted(card), terminal_id="X")
    file = bring(settlement_of([stranger], reference="S-42"))
    page = browser("operations").get(f"/admin/cases/{Case.objects.get().pk}/").content.decode()
    assert f'href="{FILES}{file.pk}/">S-42</a>' in page


def test_says_why_a_file_is_not_taken() -> None:
    client = browser("operations")
    assert "no settlement file of the network" in text_of(upload(client, b"name,amount\n"))
    assert "Choose a file" in text_of(client.post(f"{FILES}new/"))
    assert not SettlementFile.objects.exists()


@pytest.mark.parametrize(
    ("role", "sees", "brings"),
    [("maker", 403, 403), ("auditor", 200, 403), ("operations", 200, 200), ("admin", 200, 200)],
)
def test_is_open_to_whom_it_is_for(role: str, sees: int, brings: int) -> None:
    client = browser(role)
    assert client.get(FILES).status_code == sees
    assert client.get(f"{FILES}new/").status_code == brings
    assert (
        client.post(f"{FILES}new/", {"file": SimpleUploadedFile("a", b"x")}).status_code == brings
    )


def test_the_live_part_has_the_page_loaded_anew_at_the_end(card: PaymentCard) -> None:
    file = bring(settlement_of([]))
    client = browser("operations")
    answer = client.get(f"{FILES}{file.pk}/live/?state=acting")
    assert answer.headers["HX-Refresh"] == "true"
    assert client.get(f"{FILES}{file.pk}/live/?state=done").status_code == 200


@pytest.mark.parametrize("wrong", ["?outcome=x", "?after=x"])
def test_an_address_that_makes_no_sense_is_not_found(wrong: str) -> None:
    file = bring(settlement_of([]))
    assert browser("operations").get(f"{FILES}{file.pk}/{wrong}").status_code == 404


def test_the_pages_ask_a_fixed_number_of_statements(
    card: PaymentCard, statements: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    client = browser("operations")
    asked = []
    for number in (1, 4):
        payments = [push_submitted(card) for _ in range(number)]
        strangers = [line_about(one, terminal_id="X") for one in payments]
        file = _bring_apart(settlement_of(strangers, reference=f"S{number}"), number)
        with statements() as list_log:
            client.get(FILES)
        with statements() as file_log:
            client.get(f"{FILES}{file.pk}/")
        asked.append((len(list_log), len(file_log)))
    assert asked[0] == asked[1]
    assert max(asked[0]) <= 12


def _bring_apart(content: bytes, number: int) -> SettlementFile:
    """About another year than the others."""
    return bring(content.replace(b"2026-", f"201{number}-".encode()))
