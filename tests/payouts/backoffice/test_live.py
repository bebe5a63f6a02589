"""The page of a push keeps itself up to date, until nothing more will happen."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from consumers.ids import new_id
from payouts.models import Payment, StaffSession
from payouts.operations.record_outcome import record_outcome
from tests.back_office import browser, browser_of, text_of
from tests.payouts.backoffice.pages import issue, push_address
from tests.pushes import (
    APPROVED,
    claim,
    make_payee,
    make_staff,
    push,
    push_for_approval,
    push_submitted,
    push_unknown,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def viewer() -> Client:
    return browser("viewer")


def live(payment: Payment | Any) -> str:
    return f"/admin/push/{getattr(payment, 'pk', payment)}/live/"


def next_question(response: Any) -> tuple[str, int] | None:
    """Where the page asks next, and after how many seconds; None if it does not."""
    html = response.content.decode()
    found = re.search(r'id="push"[^>]* hx-get="([^"]+)" hx-trigger="every (\d+)s', html)
    return None if found is None else (found[1], int(found[2]))


def test_a_page_asks_as_long_as_something_may_happen(viewer: Client) -> None:
    for payment, seconds in (
        (push_unknown(make_payee()), 5),
        (push(make_payee()), 1),
        (push_for_approval(make_payee()), 5),
    ):
        asked = next_question(viewer.get(push_address(payment)))
        payment.refresh_from_db()
        assert asked == (f"{live(payment)}?version={payment.version}", seconds)


def test_it_hears_nothing_while_nothing_happens(viewer: Client) -> None:
    payment = push(make_payee())
    answer = viewer.get(live(payment), {"version": "1"})
    assert (answer.status_code, answer.content) == (204, b"")


def test_it_hears_what_has_happened_and_asks_on(viewer: Client) -> None:
    payment = push(make_payee())
    claim(payment)
    answer = viewer.get(live(payment), {"version": "1"})
    assert "Sent to the card network" in text_of(answer)
    assert "<html" not in answer.content.decode()
    assert next_question(answer) == (f"{live(payment)}?version=2", 1)


def test_it_is_told_the_end_and_asks_no_more(viewer: Client) -> None:
    payment = push_submitted(make_payee())
    record_outcome(payment.pk, APPROVED)
    answer = viewer.get(live(payment), {"version": "2"})
    assert next_question(answer) is None
    html = answer.content.decode()
    assert 'hx-swap-oob="innerHTML:#push-says">Paid. The card network has approved it.<' in html
    page = viewer.get(push_address(payment))
    assert next_question(page) is None
    assert 'id="push-says" role="status"></p>' in page.content.decode()


def test_names_the_buttons_that_still_work() -> None:
    mia = browser_of(make_staff("mia", "maker"))
    payment = issue(mia, make_payee())
    assert 'data-verbs="cancel"' in mia.get(live(payment)).content.decode()
    claim(payment)
    assert 'data-verbs=""' in mia.get(live(payment)).content.decode()


def test_an_approver_hears_what_is_open_to_them() -> None:
    payment = push_for_approval(make_payee())
    client = browser("approver")
    assert 'data-verbs="approve reject"' in client.get(live(payment)).content.decode()


def test_journals_are_for_those_who_may_see_them(viewer: Client) -> None:
    payment = push(make_payee())
    assert "Journals" not in text_of(viewer.get(live(payment)))
    auditor = browser("auditor", username="auditor")
    assert "Journals" in text_of(auditor.get(live(payment)))


def test_answers_404_where_there_is_no_push(viewer: Client) -> None:
    assert viewer.get(live(new_id())).status_code == 404


def test_is_for_those_who_may_see_pushes() -> None:
    payment = push(make_payee())
    assert browser().get(live(payment)).status_code == 403


def test_an_idle_page_is_signed_out_all_the_same(viewer: Client) -> None:
    payment = push(make_payee())
    soon = timezone.now() + timedelta(minutes=1)
    StaffSession.objects.update(expire_date=soon)
    assert viewer.get(live(payment), {"version": "1"}).status_code == 204
    assert StaffSession.objects.get().expire_date == soon
    StaffSession.objects.update(expire_date=timezone.now())
    assert viewer.get(live(payment), {"version": "1"}).headers["HX-Refresh"] == "true"


def test_a_question_costs_little(viewer: Client, django_assert_num_queries: Any) -> None:
    payment = push(make_payee())
    # Session, person, two for permissions, the version.
    with django_assert_num_queries(5):
        viewer.get(live(payment), {"version": "1"})
