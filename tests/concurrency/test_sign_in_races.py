"""The same code, wrong tries and removals of second factors at the same instant."""

from collections import Counter
from functools import partial
from itertools import count

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from consumers.models import AuditEntry
from payouts.models import SignInTries, StaffSession
from payouts.operations.check_factor import WrongFactor, check_code, checked
from payouts.operations.count_tries import LockedOut
from payouts.operations.second_factors import OnlyFactor, changing_factors
from tests.back_office import browser_of, text_of
from tests.passkeys import Passkey
from tests.racing import race, raised, returned
from tests.staff_factors import (
    WRONG_CODE,
    code_of,
    give_app,
    give_code,
    give_password,
    is_in,
    make_member,
    recovery_codes_of,
)

pytestmark = pytest.mark.django_db(transaction=True)

MOST = 10


@pytest.fixture
def grace() -> User:
    member = make_member()
    give_app(member)
    return member


def factors(user: User) -> list[str]:
    kinds = Authenticator.objects.filter(user=user).values_list("type", flat=True)
    return sorted(kind for kind in kinds if kind != Authenticator.Type.RECOVERY_CODES)


def test_one_code_given_at_once_counts_once(grace: User) -> None:
    code = code_of(grace)
    ends = race([partial(check_code, grace, code=code)] * 5)
    assert raised(ends, WrongFactor) == 4


def test_one_code_lets_one_browser_in(grace: User) -> None:
    browsers = [Client() for _ in range(3)]
    for browser in browsers:
        give_password(browser)
    code = code_of(grace)
    returned(race([partial(give_code, browser, code) for browser in browsers]))
    assert sorted(is_in(browser) for browser in browsers) == [False, False, True]
    assert StaffSession.objects.filter(user=grace).count() == 1


def test_one_recovery_code_given_at_once_counts_once(grace: User) -> None:
    code, *others = recovery_codes_of(grace)
    ends = race([partial(check_code, grace, code=code)] * 5)
    assert raised(ends, WrongFactor) == 4
    assert recovery_codes_of(grace) == others


def test_two_recovery_codes_at_once_are_both_spent(grace: User) -> None:
    first, second, *others = recovery_codes_of(grace)
    returned(race([partial(check_code, grace, code=code) for code in (first, second)]))
    assert recovery_codes_of(grace) == others


def test_ten_of_thirty_wrong_factors_at_once_are_looked_at(grace: User) -> None:
    looks = count()

    def look() -> None:
        next(looks)

    ends = race([partial(checked, grace, look=look)] * 30)
    assert next(looks) == MOST
    assert Counter(type(end) for end in ends).keys() <= {WrongFactor, LockedOut}
    assert SignInTries.objects.get().locked_until is not None


def test_ten_of_thirty_wrong_codes_at_once_lock_the_right_one_out(grace: User) -> None:
    race([partial(check_code, grace, code=WRONG_CODE)] * 30)
    with pytest.raises(LockedOut):
        check_code(grace, code=code_of(grace))
    wrong = AuditEntry.objects.filter(verb="sign_in", reason="wrong second factor")
    assert wrong.count() == MOST


def test_ten_of_thirty_wrong_passwords_at_once_are_looked_at(
    grace: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = count()
    looked = User.check_password

    def look(user: User, password: str) -> bool:
        next(looks)
        return looked(user, password)

    monkeypatch.setattr(User, "check_password", look)
    tries = [partial(give_password, Client(), "grace", "wrong") for _ in range(30)]
    answers = returned(race(tries))
    assert next(looks) == MOST
    assert {answer.status_code for answer in answers} == {200}
    assert "10 wrong tries" in text_of(give_password(Client()))


def remove(user: User, kind: str) -> None:
    with changing_factors(user):
        Authenticator.objects.filter(user=user, type=kind).delete()


def test_two_removals_of_the_last_two_factors_leave_one(grace: User) -> None:
    for _ in range(5):
        Passkey().add_to(grace)
        ends = race([partial(remove, grace, kind) for kind in ("totp", "webauthn")])
        assert raised(ends, OnlyFactor) == 1
        assert len(factors(grace)) == 1
        Authenticator.objects.filter(user=grace).delete()
        give_app(grace)


def test_two_clicks_on_the_last_factor_leave_it(grace: User) -> None:
    ends = race([partial(remove, grace, "totp")] * 3)
    assert raised(ends, OnlyFactor) == 3
    assert factors(grace) == ["totp"]
    assert not AuditEntry.objects.filter(verb="remove_factor").exists()


def test_two_browsers_that_remove_the_last_two_factors_leave_one(grace: User) -> None:
    passkey = Passkey().add_to(grace)
    addresses = [
        reverse("mfa_deactivate_totp"),
        reverse("mfa_remove_webauthn", kwargs={"pk": passkey.pk}),
    ]
    browsers = [browser_of(grace) for _ in addresses]
    clicks = zip(browsers, addresses, strict=True)
    answers = returned(race([partial(browser.post, address) for browser, address in clicks]))
    assert [answer.status_code for answer in answers] == [302, 302]
    assert len(factors(grace)) == 1
    assert AuditEntry.objects.filter(verb="remove_factor", subject_id=grace.pk).count() == 1
