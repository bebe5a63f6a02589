"""A password that was handed over opens one page, for some days, until another one is chosen."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from consumers.models import AuditEntry
from payouts.models import FirstPassword
from payouts.operations import members
from payouts.operations.members import FIRST_PASSWORD_LASTS
from tests.back_office import text_of
from tests.staff_factors import (
    HOME,
    PASSWORD,
    SECURITY,
    SET_UP,
    SIGN_IN,
    code_of,
    give_app,
    give_code,
    give_password,
    is_in,
    make_member,
)

pytestmark = pytest.mark.django_db

CHOOSE = "/admin/security/password/"
OWN = "own words of 7 newcomers"


@pytest.fixture
def grace() -> User:
    return make_member()


@pytest.fixture
def given(grace: User) -> str:
    return members.give_password(grace)


def choose(client: Client, password: str = OWN, again: str = "") -> Any:
    return client.post(CHOOSE, {"new_password1": password, "new_password2": again or password})


def led_to(client: Client, address: str) -> str:
    return str(client.get(address).headers.get("Location", ""))


def test_it_leads_to_choosing_another_whatever_is_asked_for(given: str, client: Client) -> None:
    give_password(client, password=given)
    others = [HOME, SET_UP, SECURITY, reverse("mfa_activate_totp"), reverse("mfa_add_webauthn")]
    others += [reverse("admin:payouts_payment_changelist"), reverse("sign_in:end_all")]
    for address in others:
        assert led_to(client, address) == CHOOSE
        assert client.post(address).headers["Location"] == CHOOSE
    assert "good for this page only" in text_of(client.get(CHOOSE))


def test_after_choosing_a_second_factor_is_next_and_nothing_is_open_before(
    given: str, grace: User, client: Client
) -> None:
    give_password(client, password=given)
    assert choose(client).headers["Location"] == HOME
    assert led_to(client, HOME) == SET_UP
    assert not is_in(client)
    assert not FirstPassword.objects.exists()
    entry = AuditEntry.objects.latest("id")
    assert (entry.user_id, entry.after) == (grace.pk, {"chosen": "password"})
    assert not give_password(Client(), password=given).headers.get("Location")
    assert give_password(Client(), password=OWN).headers["Location"]


def test_whoever_has_a_second_factor_shows_it_before_choosing(
    given: str, grace: User, client: Client
) -> None:
    give_app(grace)
    give_password(client, password=given)
    assert led_to(client, CHOOSE).startswith(SIGN_IN)
    give_code(client, code_of(grace))
    assert led_to(client, HOME) == CHOOSE
    choose(client)
    assert is_in(client)


def test_it_cannot_be_chosen_again_and_the_rules_hold(given: str, client: Client) -> None:
    give_password(client, password=given)
    for password, again in ((given, given), ("short1", "short1"), (OWN, OWN + "x")):
        assert choose(client, password, again).status_code == 200
    assert FirstPassword.objects.count() == 1
    assert led_to(client, HOME) == CHOOSE


def test_it_expires(given: str, client: Client) -> None:
    first = FirstPassword.objects.get()
    lasts = first.expires_at - timezone.now()
    assert timedelta(0) < FIRST_PASSWORD_LASTS - lasts < timedelta(minutes=1)
    FirstPassword.objects.update(expires_at=timezone.now())
    answer = give_password(client, password=given)
    assert "its time is over" in text_of(answer)
    assert led_to(client, CHOOSE).startswith(SIGN_IN)
    assert AuditEntry.objects.latest("id").reason == "first password has expired"


def test_a_sign_in_that_is_not_finished_ends_after_a_quarter_of_an_hour(
    given: str, client: Client
) -> None:
    give_password(client, password=given)
    assert client.get(CHOOSE).status_code == 200
    session = client.session
    session["signed_in_at"] -= 15 * 60 + 1
    session.save()
    assert led_to(client, CHOOSE).startswith(SIGN_IN)


def test_one_s_own_password_is_no_first_one(grace: User, client: Client) -> None:
    give_app(grace)
    give_password(client, password=PASSWORD)
    give_code(client, code_of(grace))
    assert is_in(client)
    assert led_to(client, CHOOSE) == HOME
