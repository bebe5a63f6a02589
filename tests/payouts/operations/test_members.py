import secrets
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User

from consumers.models import AuditEntry
from payouts.models import FormerPassword
from payouts.operations.members import NoPasswordObeysTheRules, give_password
from tests.pushes import make_staff

pytestmark = pytest.mark.django_db

WITHOUT_DIGIT = "OnlyLettersAreInThisOne_"
WITH_DIGIT = "ThereIsADigitInThisOne_7"


@pytest.fixture
def grace() -> User:
    return make_staff("grace", "viewer")


def chance_makes(monkeypatch: pytest.MonkeyPatch, made: Iterator[str]) -> None:
    monkeypatch.setattr(secrets, "token_urlsafe", lambda _: next(made))


def test_a_given_password_obeys_our_own_rules(grace: User, monkeypatch: pytest.MonkeyPatch) -> None:
    chance_makes(monkeypatch, iter([WITHOUT_DIGIT, WITHOUT_DIGIT, WITH_DIGIT]))
    assert give_password(grace) == WITH_DIGIT
    grace.refresh_from_db()
    assert grace.check_password(WITH_DIGIT)
    assert FormerPassword.objects.filter(user=grace).count() == 1


def test_rules_that_nothing_obeys_leave_the_password_as_it_was(grace: User, settings: Any) -> None:
    settings.AUTH_PASSWORD_VALIDATORS = [
        {
            "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
            "OPTIONS": {"min_length": 500},
        }
    ]
    before = grace.password
    with pytest.raises(NoPasswordObeysTheRules):
        give_password(grace)
    grace.refresh_from_db()
    assert grace.password == before
    assert not AuditEntry.objects.filter(after__renewed="password").exists()
