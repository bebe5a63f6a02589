"""Whoever opens an address that only takes a form, as after a sign-in, comes to the page above."""

from uuid import uuid4

import pytest
from django.test import Client

from tests.back_office import browser, text_of

pytestmark = pytest.mark.django_db

WINDOW = {"Sec-Fetch-Mode": "navigate"}


@pytest.mark.parametrize(
    ("role", "address", "above"),
    [
        ("maker", "/admin/issue/send/", "/admin/issue/"),
        ("approver", "/admin/approvals/decide/", "/admin/approvals/"),
        ("viewer", "/admin/pushes/views/save/", "/admin/"),
    ],
)
def test_a_person_is_led_to_the_page_above(role: str, address: str, above: str) -> None:
    client = browser(role)
    answer = client.get(address, headers=WINDOW, follow=True)
    assert answer.redirect_chain == [(above, 302)]
    assert "Nothing was sent just now." in text_of(answer)


def test_from_a_row_it_is_the_row() -> None:
    change = f"/admin/changes/{uuid4()}/"
    answer = browser("approver").get(f"{change}decide/", headers=WINDOW)
    assert answer.headers["Location"] == change


def test_a_session_that_ended_before_the_form_was_sent_leads_there_by_the_sign_in() -> None:
    answer = Client().post("/admin/issue/send/", {}, headers=WINDOW)
    assert answer.headers["Location"] == "/admin/login/?next=/admin/issue/send/"


def test_nobody_is_led_to_what_is_not_theirs() -> None:
    assert browser("viewer").get("/admin/issue/send/", headers=WINDOW).status_code == 403


def test_a_program_is_told_what_is_wrong() -> None:
    assert browser("maker").get("/admin/issue/send/").status_code == 405
