"""The cases: list, page, owner, and how two people close one."""

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from payouts.doubts import CaseKind
from payouts.models import Case, ChangeRequest
from payouts.operations.cases import Disagreement, open_case
from payouts.operations.record_outcome import record_outcome
from payouts.operations.return_payment import return_payment
from payouts.states import Status
from tests.back_office import browser, browser_of, text_of
from tests.books import assert_books_are_right, balance, journals
from tests.doubts import notice_about, resolve, the_case
from tests.pushes import APPROVED, make_payee, push_submitted, push_unknown

pytestmark = pytest.mark.django_db

CASES = "/admin/cases/"
SEE = ("operations", "admin", "auditor")


def make_case(card: Any = None) -> Case:
    payment = push_unknown(card or make_payee())
    resolve(payment, Status.FAILED)
    record_outcome(payment.pk, APPROVED)
    return the_case()


@pytest.mark.parametrize(
    "role", ["viewer", "maker", "approver", "operations", "admin", "auditor"]
)  # fmt: skip
def test_who_sees_cases_and_who_works_on_them(role: str) -> None:
    case, client = make_case(), browser(role)
    for address in (CASES, f"{CASES}?view=mine", f"{CASES}?view=closed", f"{CASES}{case.pk}/"):
        assert client.get(address).status_code == (200 if role in SEE else 403)
    works = role in ("operations", "admin")
    assert client.post(f"{CASES}{case.pk}/take/").status_code == (302 if works else 403)
    wish = {"way": "nothing", "reason": "Looked"}
    assert client.post(f"{CASES}{case.pk}/close/", wish).status_code == (302 if works else 403)
    assert ChangeRequest.objects.filter(kind="close_case").exists() == works


def test_the_page_says_both_sides() -> None:
    said = text_of(browser("auditor").get(f"{CASES}{make_case().pk}/"))
    for words in ("What we say", "failed", "What they say", "paid", "12345S", "$100.00"):
        assert words in said


def test_a_return_of_another_amount_can_be_booked_and_leads_to_the_push() -> None:
    payment = push_submitted(make_payee())
    record_outcome(payment.pk, APPROVED)
    return_payment(notice_about(payment, amount=Decimal("100.01")))
    answer = browser("operations").get(f"{CASES}{the_case(CaseKind.RETURN_DIFFERS).pk}/")
    said = text_of(answer)
    for words in ("The push came back", "Nothing is to be booked", "say with evidence"):
        assert words in said
    assert f"/in-doubt/{payment.pk}/" in answer.content.decode()
    assert "The push itself stays as it is" not in said


def test_another_currency_says_what_to_do() -> None:
    euros = Disagreement(
        kind=CaseKind.CURRENCY_DIFFERS, subject="x", title="Euros", amount=Decimal(100)
    )
    case = open_case(euros, at=timezone.now())
    said = text_of(browser("operations").get(f"{CASES}{case.pk}/"))
    assert "Have the network settle this push anew in dollars" in said


def test_the_list_is_a_fixed_number_of_statements(statements: Any) -> None:
    make_case()
    client = browser("auditor")
    with statements() as log:
        said = text_of(client.get(CASES))
    assert "the network says paid, we say failed" in said
    assert len([one for one in log if "payouts_" in one]) <= 3


def test_an_empty_list_says_so() -> None:
    client = browser("auditor")
    assert "No case is open" in text_of(client.get(CASES))
    assert client.get(f"{CASES}?view=x").status_code == 404


def test_two_people_close_it_with_its_journal() -> None:
    case = make_case()
    opal, otto = User.objects.get(username="opal"), User.objects.get(username="otto")
    first = browser_of(opal)
    first.post(f"{CASES}{case.pk}/take/")
    wish = {"way": "house_bears", "reason": "Our own mistake"}
    said = text_of(first.post(f"{CASES}{case.pk}/close/", wish, follow=True))
    assert "Nothing is booked until somebody else has agreed" in said
    assert "Agree and book it" not in said
    change = ChangeRequest.objects.get(kind="close_case")
    yes = {"seen": bytes(change.digest).hex(), "verdict": "approve", "reason": "I agree"}
    address = f"/admin/resolutions/{change.pk}/decide/"
    assert "We bear the amount" in text_of(browser_of(otto).post(address, yes, follow=True))
    case.refresh_from_db()
    assert (case.state, case.owner, case.closed_by) == ("closed", opal, otto)
    assert balance("suspense") == Decimal("100.00")
    assert case.payment is not None
    assert journals(case.payment) == ["accepted", "released", "corrected"]
    assert_books_are_right()


def test_a_reason_and_a_way_are_asked_for() -> None:
    case = make_case()
    said = text_of(browser("admin").post(f"{CASES}{case.pk}/close/", {"way": "", "reason": ""}))
    assert "Say how it ends." in said
    assert "Say why." in said
    assert not ChangeRequest.objects.filter(kind="close_case").exists()
