"""Accounts and journals on the admin site: right figures, read-only, fixed cost."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from payouts.models import Account, AccountKind, Journal
from payouts.operations.record_outcome import record_outcome
from tests.back_office import browser, page_address, superuser_browser, text_of
from tests.pushes import APPROVED, make_funded_partner, make_payee, push, push_submitted

pytestmark = pytest.mark.django_db

ACCOUNTS = reverse("admin:payouts_account_changelist")
JOURNALS = reverse("admin:payouts_journal_changelist")


@pytest.fixture
def auditor() -> Client:
    return browser("auditor")


def test_balances_count_up_on_the_side_that_an_account_is_for(auditor: Client) -> None:
    partner = make_funded_partner(name="Northwind", dollars="2000.00")
    push(make_payee(partner=partner), amount="750.00")
    page = text_of(auditor.get(ACCOUNTS))
    for row in (
        "Held Northwind - credit 750.00",
        "Available Northwind - credit 1,250.00",
        "Bank - - debit 2,000.00",
        "Payable to network - sandbox credit 0.00",
    ):
        assert row in page, row


def test_an_account_shows_its_newest_postings(auditor: Client) -> None:
    payment = push(make_payee(partner=make_funded_partner(dollars="900.00")), amount="400.00")
    account = Account.objects.get(kind=AccountKind.AVAILABLE, partner=payment.partner_id)
    page = text_of(auditor.get(page_address(account)))
    assert "500.00 Available: " in page
    assert page.index("accepted 400.00") < page.index("funded 900.00")


def test_finds_accounts_of_a_partner(auditor: Client) -> None:
    partner = make_funded_partner(name="Northwind")
    make_funded_partner(name="Harbor")
    for query in ({"q": "north"}, {"partner": str(partner.pk)}):
        page = text_of(auditor.get(ACCOUNTS, query))
        assert "Available Northwind" in page
        assert "Available Harbor" not in page


def test_a_journal_shows_both_sides(auditor: Client) -> None:
    payment = push_submitted(make_payee(), amount="400.00")
    record_outcome(payment.pk, APPROVED)
    journal = Journal.objects.get(payment=payment, kind="completed")
    page = text_of(auditor.get(page_address(journal)))
    assert "Payable to network sandbox - 400.00" in page
    assert "Held" in page
    assert f"{payment.pk.hex[:8]}…" in page


def test_finds_journals_by_number_and_by_payment(auditor: Client) -> None:
    payment = push(make_payee(), amount="400.00")
    journal = Journal.objects.get(payment=payment)
    for text in (str(payment.pk), payment.pk.hex, str(journal.pk)):
        page = text_of(auditor.get(JOURNALS, {"q": text}))
        assert "400.00" in page
        assert "1 journal" in page
    for text in ("999999999999999999", "9" * 40, "x", "-1"):
        page = text_of(auditor.get(JOURNALS, {"q": text}))
        assert f"Nothing matches “{text}”" in page
        assert "What is searched: journal number or payment id." in page


def test_journals_page_by_number(auditor: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("payouts.admin.ledger.JournalAdmin.list_per_page", 1)
    push(make_payee(), amount="400.00")
    newest = auditor.get(JOURNALS)
    assert "400.00" in text_of(newest)
    older = auditor.get(JOURNALS, {"before": str(Journal.objects.order_by("-pk")[0].pk)})
    assert "funded" in text_of(older)
    assert auditor.get(JOURNALS, {"before": "x"}).status_code == 302


@pytest.mark.parametrize("address", [ACCOUNTS, JOURNALS])
def test_nobody_adds_a_row(address: str) -> None:
    assert superuser_browser().get(f"{address}add/").status_code == 403


@pytest.mark.parametrize("verb", ["change", "delete"])
def test_nobody_edits_a_row(verb: str) -> None:
    make_funded_partner()
    root = superuser_browser()
    account, journal = Account.objects.first(), Journal.objects.first()
    assert account is not None
    assert journal is not None
    for row in (account, journal):
        answer = root.post(page_address(row, verb), {"kind": "bank", "post": "yes"})
        assert answer.status_code == 403


@pytest.mark.parametrize("rows", [1, 4])
@pytest.mark.parametrize("address", [ACCOUNTS, JOURNALS])
def test_asks_a_fixed_number_of_statements(
    auditor: Client, rows: int, address: str, django_assert_num_queries: Any
) -> None:
    for _ in range(rows):
        push(make_payee(), amount="1.00")
    with django_assert_num_queries(9):
        auditor.get(address)


def test_a_long_account_shows_a_bounded_number_of_postings(
    auditor: Client, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    monkeypatch.setattr("payouts.admin.ledger.POSTINGS_SHOWN", 2)
    card = make_payee()
    for _ in range(3):
        push(card, amount="1.00")
    account = Account.objects.get(kind=AccountKind.HELD, partner=card.partner_id)
    with django_assert_num_queries(9):
        page = text_of(auditor.get(page_address(account)))
    assert "The newest 2 are shown." in page
    assert page.count("accepted") == 2


def test_an_account_without_postings_says_so(auditor: Client) -> None:
    account = Account.objects.get(kind=AccountKind.SUSPENSE)
    assert "Nothing was posted" in text_of(auditor.get(page_address(account)))
