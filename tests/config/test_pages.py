"""What staff read when they are refused."""

import pytest
from django.test import Client

from tests.back_office import browser, browser_of, text_of
from tests.pushes import make_staff

pytestmark = pytest.mark.django_db


def test_says_what_happened_and_what_to_do() -> None:
    page = browser("viewer").get("/admin/issue/")
    assert page.status_code == 403
    text = text_of(page)
    assert "This is not yours to see or do" in text
    assert "ask an admin for the role" in text
    assert "All pushes" in text  # the way out is the product's own sidebar


def test_offers_no_control_to_whoever_has_no_role() -> None:
    text = text_of(browser().get("/admin/issue/"))
    assert "This is not yours to see or do" in text
    assert "All pushes" not in text


def test_says_that_a_form_is_too_old() -> None:
    client = Client(enforce_csrf_checks=True)
    browser_of(make_staff("mia", "maker"), client=client)
    page = client.post("/admin/issue/confirm/", {"amount": "5"})
    assert page.status_code == 403
    assert "This form was open for too long" in text_of(page)
    assert "CSRF" not in text_of(page)


def test_says_so_to_whoever_is_not_signed_in() -> None:
    page = Client(enforce_csrf_checks=True).post("/admin/login/", {"username": "x"})
    assert page.status_code == 403
    assert "This form was open for too long" in text_of(page)


def test_asks_whoever_is_not_signed_in_to_sign_in() -> None:
    assert Client().get("/admin/issue/").status_code == 302


def test_is_not_kept_by_browsers() -> None:
    page = browser_of(make_staff("vera", "viewer")).get("/admin/issue/")
    assert "no-store" in page.headers.get("Cache-Control", "")


def test_says_what_to_do_at_an_address_that_leads_nowhere() -> None:
    page = browser("viewer").get("/admin/nothing/like/this/")
    assert page.status_code == 404
    text = text_of(page)
    assert "There is nothing at this address" in text
    assert "All pushes" in text


def test_stands_alone_and_names_the_request_when_something_went_wrong(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("payouts.admin.home._page", lambda request: 1 / 0)
    client = browser("viewer")
    client.raise_request_exception = False
    page = client.get("/admin/")
    assert page.status_code == 500
    assert page.headers["Request-Id"] in page.content.decode()
    assert "All pushes" not in page.content.decode()
