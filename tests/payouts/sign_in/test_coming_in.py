"""A password and a second factor let a member of staff in; nothing less does."""

from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import decrypt
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.urls import reverse

from consumers.models import AuditEntry
from payouts.models import StaffSession
from tests.back_office import browser_of, text_of
from tests.staff_factors import (
    HOME,
    PASSWORD,
    SECOND_FACTOR,
    SET_UP,
    SIGN_IN,
    WRONG_CODE,
    code_of,
    give_app,
    give_code,
    give_password,
    is_in,
    make_member,
    recovery_codes_of,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def grace() -> User:
    return make_member()


@pytest.fixture
def client() -> Client:
    return Client(REMOTE_ADDR="192.0.2.7", HTTP_USER_AGENT="Firefox")


def acts() -> list[tuple[str, str, str]]:
    rows = AuditEntry.objects.order_by("id").values_list("verb", "result", "reason")
    return [row for row in rows if row[0] != "add"]


def test_the_admins_own_sign_in_leads_to_ours(client: Client) -> None:
    answer = client.get("/admin/login/", {"next": "/admin/approvals/"})
    assert answer.headers["Location"] == f"{SIGN_IN}?next=%2Fadmin%2Fapprovals%2F"


def test_a_page_asks_a_stranger_to_sign_in_and_leads_back(client: Client, grace: User) -> None:
    give_app(grace)
    away = client.get(reverse("admin:payouts_payment_changelist"), follow=True)
    assert "User name" in text_of(away)
    here = "/admin/payouts/payment/"
    client.post(SIGN_IN, {"login": "grace", "password": PASSWORD, "next": here})
    assert give_code(client, code_of(grace)).headers["Location"] == here


def test_another_site_is_nowhere_to_be_led_to(client: Client, grace: User) -> None:
    give_app(grace)
    wish = {"login": "grace", "password": PASSWORD, "next": "https://example.org/"}
    client.post(SIGN_IN, wish)
    assert give_code(client, code_of(grace)).headers["Location"] == HOME


def test_a_password_alone_does_not_let_in(client: Client, grace: User) -> None:
    give_app(grace)
    answer = give_password(client)
    assert answer.headers["Location"] == SECOND_FACTOR
    assert not is_in(client)
    assert not StaffSession.objects.filter(user=grace).exists()


def test_password_and_code_let_in(client: Client, grace: User) -> None:
    give_app(grace)
    give_password(client)
    give_code(client, code_of(grace))
    assert is_in(client)
    session = StaffSession.objects.get(user=grace)
    assert (session.ip_address, session.agent) == ("192.0.2.7", "Firefox")
    assert acts() == [("sign_in", "done", "")]


def test_a_code_may_be_typed_in_two_halves(client: Client, grace: User) -> None:
    give_app(grace)
    give_password(client)
    code = code_of(grace)
    give_code(client, f"{code[:3]} {code[3:]}")
    assert is_in(client)


def test_the_session_gets_a_new_key_with_the_sign_in(client: Client, grace: User) -> None:
    give_app(grace)
    give_password(client)
    before = client.session.session_key
    give_code(client, code_of(grace))
    assert client.session.session_key != before


def test_a_wrong_code_does_not_let_in(client: Client, grace: User) -> None:
    give_app(grace)
    give_password(client)
    answer = give_code(client, WRONG_CODE)
    assert "That is not right" in text_of(answer)
    assert not is_in(client)
    assert acts() == [("sign_in", "refused", "wrong second factor")]


@pytest.mark.parametrize("code", ["", "abcdef", "٣٣٣٣٣٣", "1" * 33, "0" * 32, "-" * 8])
def test_what_is_no_code_at_all_does_not_let_in(client: Client, grace: User, code: str) -> None:
    give_app(grace)
    give_password(client)
    assert give_code(client, code).status_code == 200
    assert not is_in(client)


def test_a_code_counts_once(client: Client, grace: User) -> None:
    give_app(grace)
    code = code_of(grace)
    give_password(client)
    give_code(client, code)
    other = Client()
    give_password(other)
    give_code(other, code)
    assert is_in(client)
    assert not is_in(other)


def test_a_recovery_code_lets_in_once(client: Client, grace: User) -> None:
    give_app(grace)
    code = recovery_codes_of(grace)[0]
    give_password(client)
    give_code(client, code)
    assert is_in(client)
    other = Client()
    give_password(other)
    give_code(other, code)
    assert not is_in(other)
    assert code not in recovery_codes_of(grace)


def test_a_code_without_a_password_is_not_even_asked_for(client: Client, grace: User) -> None:
    give_app(grace)
    assert give_code(client, code_of(grace)).headers["Location"] == SIGN_IN
    assert not is_in(client)


@pytest.mark.parametrize("switched_off", [{"is_active": False}, {"is_staff": False}])
def test_whoever_is_no_staff_is_told_what_a_stranger_is_told(
    client: Client, grace: User, switched_off: dict[str, Any]
) -> None:
    User.objects.filter(pk=grace.pk).update(**switched_off)
    mine, nobodys = give_password(client), give_password(Client(), "nobody")
    assert "User name or password is wrong." in text_of(mine)
    assert text_of(mine) == text_of(nobodys)
    assert not is_in(client)


def test_whoever_is_switched_off_is_out_with_the_next_request(grace: User) -> None:
    client = browser_of(grace)
    assert is_in(client)
    User.objects.filter(pk=grace.pk).update(is_active=False)
    assert not is_in(client)


def test_without_a_second_factor_everything_leads_to_setting_one_up(
    client: Client, grace: User
) -> None:
    answer = give_password(client)
    assert answer.headers["Location"] == HOME
    assert client.get(HOME).headers["Location"] == SET_UP
    assert "One more step" in text_of(client.get(SET_UP))


def test_a_second_factor_that_was_set_up_elsewhere_has_to_be_shown(
    client: Client, grace: User
) -> None:
    give_password(client)
    give_app(grace)
    for address in (SET_UP, reverse("mfa_add_webauthn"), reverse("mfa_activate_totp")):
        give_password(client)
        client.get(address)
        assert not is_in(client)
    assert Authenticator.objects.filter(user=grace, type="totp").count() == 1


def test_secrets_lie_sealed_in_the_database(grace: User) -> None:
    app = give_app(grace)
    with connection.cursor() as cursor:
        cursor.execute("SELECT data::text FROM mfa_authenticator")
        kept = str(cursor.fetchall())
    secret = decrypt(app.data["secret"])
    assert len(secret) == 32
    assert secret not in kept
    assert all(code not in kept for code in recovery_codes_of(grace))


def test_a_session_ends_after_a_day_of_work_however_busy(grace: User, settings: Any) -> None:
    client = browser_of(grace)
    assert is_in(client)
    settings.SESSION_LONGEST_SECONDS = -1
    assert client.get(HOME).headers["Location"].startswith(SIGN_IN)
    settings.SESSION_LONGEST_SECONDS = 3600
    assert not is_in(client)


def test_an_idle_session_ends(grace: User, settings: Any) -> None:
    client = browser_of(grace)
    assert is_in(client)
    session = StaffSession.objects.get(user=grace)
    assert settings.SESSION_COOKIE_AGE == 15 * 60
    session.expire_date -= timedelta(minutes=15, seconds=1)
    session.save()
    assert not is_in(client)
