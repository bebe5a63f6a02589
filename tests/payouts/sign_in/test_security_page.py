"""Second factors and sessions of one's own: set up, shown, removed, ended."""

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from consumers.models import AuditEntry
from payouts.models import StaffSession
from payouts.operations.end_sessions import open_sessions
from tests.back_office import browser_of, show_second_factor, text_of
from tests.passkeys import Passkey
from tests.staff_factors import (
    SECURITY,
    SIGN_IN,
    code_of,
    give_app,
    give_password,
    is_in,
    make_member,
    recovery_codes_of,
)

pytestmark = pytest.mark.django_db

APP = "/admin/security/app/"
CODES = "/admin/security/recovery-codes/"
END_ALL = "/admin/security/sessions/end-all/"


@pytest.fixture
def grace() -> User:
    return make_member()


def code_for(secret: str) -> str:
    import time

    return str(format_hotp_value(hotp_value(secret, int(time.time()) // 30)))


def grow_stale(client: Client, user: User) -> None:
    """Let the second factor of this session be shown ten minutes ago."""
    session = client.session
    session["account_authentication_methods"][-1]["at"] -= 600
    session.save()


def verbs() -> list[str]:
    return list(AuditEntry.objects.order_by("id").values_list("verb", flat=True))


def test_the_first_app_is_set_up_after_the_password_and_lets_in(grace: User) -> None:
    client = Client()
    give_password(client)
    secret = client.get(APP).context["form"].secret
    before = client.session.session_key
    answer = client.post(APP, {"code": code_for(secret)})
    assert answer.headers["Location"] == CODES
    assert client.session.session_key != before
    shown = text_of(client.get(CODES))
    assert all(code in shown for code in recovery_codes_of(grace))
    assert is_in(client)
    assert sorted(verbs()[-2:]) == ["add_factor", "add_factor"]


def test_recovery_codes_are_shown_once(grace: User) -> None:
    give_app(grace)
    client = browser_of(grace)
    client.get(CODES)
    again = text_of(client.get(CODES))
    assert not any(code in again for code in recovery_codes_of(grace))
    assert "10 recovery codes left" in again


def test_a_wrong_first_code_sets_nothing_up(grace: User) -> None:
    client = Client()
    give_password(client)
    client.get(APP)
    answer = client.post(APP, {"code": "000000"})
    assert "That is not the code" in text_of(answer)
    assert not Authenticator.objects.exists()
    assert not is_in(client)


@pytest.mark.parametrize(
    "name",
    ["mfa_deactivate_totp", "mfa_add_webauthn", "mfa_view_recovery_codes",
     "mfa_generate_recovery_codes"],
)  # fmt: skip
def test_changing_factors_asks_for_a_fresh_one(grace: User, name: str) -> None:
    give_app(grace)
    client = browser_of(grace)
    grow_stale(client, grace)
    for answer in (client.get(reverse(name)), client.post(reverse(name), {"code": "1"})):
        assert "Show your second factor" in text_of(answer)
    assert Authenticator.objects.count() == 2
    answered = {"step_up_method": "GET", "step_up_code": code_of(grace)}
    answer = client.post(reverse(name), answered)
    assert answer.headers["Location"] == reverse(name)
    assert "Show your second factor" not in text_of(client.get(reverse(name)))


def test_the_only_factor_stays(grace: User) -> None:
    give_app(grace)
    client = browser_of(grace)
    answer = client.post(reverse("mfa_deactivate_totp"))
    assert "this is the only one" in text_of(answer)
    assert Authenticator.objects.filter(user=grace, type="totp").exists()


def test_a_passkey_is_removed_after_a_question(grace: User) -> None:
    give_app(grace)
    passkey = Passkey().add_to(grace, name="Old phone")
    client = browser_of(grace)
    address = reverse("mfa_remove_webauthn", args=[passkey.pk])
    assert "Remove “Old phone”?" in text_of(client.get(address))
    assert client.post(address).headers["Location"] == SECURITY
    assert not Authenticator.objects.filter(pk=passkey.pk).exists()


def test_signing_out_takes_a_button(grace: User) -> None:
    client = browser_of(grace)
    assert client.get("/admin/sign-out/").status_code == 405
    assert is_in(client)
    client.post("/admin/sign-out/")
    assert not is_in(client)


def test_new_codes_make_the_old_ones_void(grace: User) -> None:
    give_app(grace)
    old = recovery_codes_of(grace)
    client = browser_of(grace)
    assert client.post(reverse("mfa_generate_recovery_codes")).headers["Location"] == CODES
    assert not set(old) & set(recovery_codes_of(grace))
    # The page itself says that they are shown once; a banner beside it would say it again.
    page = text_of(client.get(CODES))
    assert "shown this one time only" in page
    assert "generated" not in page


def test_the_page_lists_factors_and_sessions(grace: User) -> None:
    give_app(grace)
    browser_of(grace, client=Client(HTTP_USER_AGENT="Firefox")).get(SECURITY)
    page = text_of(browser_of(grace).get(SECURITY))
    assert "10 left" in page
    assert "Firefox" in page
    assert "this browser" in page


def test_one_session_is_ended_and_the_others_go_on(grace: User) -> None:
    here, there = browser_of(grace), browser_of(grace)
    assert is_in(here)
    assert is_in(there)
    shown = open_sessions(grace)
    mine = here.get(SECURITY).context["this_session"]
    (other,) = [one.id for one in shown if one.id != mine]
    here.post(reverse("sign_in:end_one", args=[other]))
    assert is_in(here)
    assert not is_in(there)
    assert verbs()[-1] == "end_session"


def test_nobody_ends_the_session_of_somebody_else(grace: User) -> None:
    heidi = make_member("heidi")
    browser_of(heidi)
    (hers,) = open_sessions(heidi)
    answer = browser_of(grace).post(reverse("sign_in:end_one", args=[hers.id]))
    assert answer.status_code == 404
    assert open_sessions(heidi) == [hers]


def test_signing_out_everywhere_ends_this_one_too(grace: User) -> None:
    here, there = browser_of(grace), browser_of(grace)
    assert here.post(END_ALL).headers["Location"] == SIGN_IN
    assert not is_in(here)
    assert not is_in(there)
    assert not StaffSession.objects.filter(user=grace).exists()


def test_looking_ends_no_session(grace: User) -> None:
    client = browser_of(grace)
    assert client.get(END_ALL).status_code == 405
    assert is_in(client)


def test_the_session_key_stands_on_no_page(grace: User) -> None:
    client = browser_of(grace)
    key = client.session.session_key
    assert key is not None
    assert key not in client.get(SECURITY).content.decode()


def test_the_page_asks_a_fixed_number_of_statements(
    grace: User, django_assert_num_queries: object
) -> None:
    give_app(grace)
    client = browser_of(grace)
    for _ in range(4):
        browser_of(grace)
    # Session, person, factors, permissions (two), sessions; then the session (three).
    with django_assert_num_queries(9):  # type: ignore[operator]
        client.get(SECURITY)


def test_a_passkey_that_is_none_is_refused(grace: User) -> None:
    give_app(grace)
    client = browser_of(grace)
    client.get(reverse("mfa_add_webauthn"))
    halves = (
        '{"id": "x", "rawId": "x", "response": {"clientDataJSON": "x", "attestationObject": "x"}}'
    )
    for credential in ("", "nonsense", "{}", '{"id": "x"}', "[]", "1", "null", halves):
        answer = client.post(reverse("mfa_add_webauthn"), {"name": "x", "credential": credential})
        assert answer.status_code == 200
    assert not Authenticator.objects.filter(type="webauthn").exists()


def test_show_second_factor_is_of_that_person_only(grace: User) -> None:
    client = Client()
    client.force_login(grace)
    show_second_factor(client, make_member("heidi"))
    assert not is_in(client)
