"""Which passwords staff may have."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from config import sign_in
from payouts.models import FormerPassword
from tests.pushes import make_staff
from tests.staff_factors import PASSWORD, make_member

pytestmark = pytest.mark.django_db


def wrongs(password: str, user: User | None = None) -> list[str]:
    try:
        validate_password(password, user)
    except ValidationError as error:
        return sorted(one.code or "" for one in error.error_list)
    return []


@pytest.mark.parametrize(
    ("password", "wrong"),
    [
        ("short1", "password_too_short"),
        ("letters and no digits", "password_letters_and_digits"),
        ("1357924680 1357924680", "password_letters_and_digits"),
        ("grace-hopper-1906", "password_too_similar"),
    ],
)
def test_is_refused(password: str, wrong: str) -> None:
    member = make_staff("grace-hopper-1906", "viewer")
    assert wrong in wrongs(password, member)


def test_long_ones_are_welcome() -> None:
    assert wrongs("x1 " * 40) == []
    assert wrongs(PASSWORD) == []


def test_none_of_the_last_four_is_taken_again() -> None:
    member = make_member()
    later = [f"another fine phrase {number}" for number in range(4)]
    assert wrongs(PASSWORD, member) == ["password_used_before"]
    for password in later:
        member.set_password(password)
        member.save()
    assert [wrongs(password, member) for password in later] == [["password_used_before"]] * 4
    assert wrongs(PASSWORD, member) == []


def test_only_the_last_four_are_kept_and_hashed() -> None:
    member = make_member()
    for number in range(6):
        member.set_password(f"another fine phrase {number}")
        member.save()
    kept = FormerPassword.objects.filter(user=member).values_list("encoded", flat=True)
    assert len(kept) == 4
    assert not any("phrase" in encoded for encoded in kept)


def test_are_hashed_with_argon2id(settings: Any) -> None:
    settings.PASSWORD_HASHERS = sign_in.PASSWORD_HASHERS
    member = make_member()
    assert member.password.startswith("argon2$argon2id$")
    assert member.check_password(PASSWORD)
