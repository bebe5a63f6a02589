"""Members of staff: taken on, given roles, switched off, given a new password.

Who may do it, and that two people agreed to it, is judged by whoever calls; switching off is what
one person may do at once.
"""

import secrets
from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta
from typing import Any, Final, TypedDict

from django.contrib.auth.models import Group, User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from consumers.audit import Act, Verb, audited, record_act, subject_of
from payouts.models import FirstPassword

PASSWORD_BYTES: Final = 18
# A password that somebody hands over opens the page that sets another one, and for so long.
FIRST_PASSWORD_LASTS: Final = timedelta(days=3)
# One in sixty has no digit. That so many in a row break a rule is no chance any more.
_MOST_PASSWORDS_TRIED: Final = 50


class MemberFields(TypedDict):
    """Who somebody is, whether they may sign in, and the names of their groups."""

    username: str
    first_name: str
    last_name: str
    email: str
    is_active: bool
    groups: list[str]


class NotAboutYourself(Exception):
    """Nobody switches themselves off: somebody else has to."""


class NotAboutASuperuser(Exception):
    """Only a superuser switches a superuser off."""


class NoPasswordObeysTheRules(Exception):
    """The rules for passwords ask for what none of those made here has."""


def member_fields(user: User) -> MemberFields:
    """What can be changed about a member, as it is now. One statement."""
    return {
        "username": user.username,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "email": user.email,
        "is_active": user.is_active,
        "groups": sorted(user.groups.values_list("name", flat=True)),
    }


def set_member(user: User | None, fields: MemberFields) -> User:
    """Take somebody on, or change them. A new member has no password until one is given.

    Whoever is switched off or loses a role is refused from the next request on.

    :raises Group.DoesNotExist: a group has gone.
    """
    with transaction.atomic():
        groups = _groups(fields["groups"])
        before: dict[str, Any] = {} if user is None else {**member_fields(user)}
        if user is None:
            user = User(is_staff=True)
            user.set_unusable_password()
        columns = ("username", "first_name", "last_name", "email", "is_active")
        for column in columns:
            setattr(user, column, fields[column])  # type: ignore[literal-required]
        user.is_staff = True
        user.save()
        user.groups.set(groups)
        changed = {name: value for name, value in fields.items() if before.get(name) != value}
        verb = Verb.CHANGE if before else Verb.ADD
        was = {name: before[name] for name in changed if name in before}
        record_act(Act(verb=verb, subject=subject_of(user), before=was, after=changed))
    return user


def switch_off_member(user: User, *, by: User, reason: str) -> None:
    """Keep somebody out from the next request on. One person may: stopping is always allowed.

    Doing it again changes nothing. Switching on again takes two people.

    :raises NotAboutYourself, NotAboutASuperuser:
    """
    act = Act(verb=Verb.DISABLE, subject=subject_of(user), reason=reason)
    if not User.objects.filter(pk=user.pk, is_active=True).exists():
        return
    with audited(act, refusals=(NotAboutYourself, NotAboutASuperuser)):
        locked = User.objects.select_for_update(no_key=True).get(pk=user.pk)
        if locked.pk == by.pk:
            raise NotAboutYourself
        if locked.is_superuser and not by.is_superuser:
            raise NotAboutASuperuser
        User.objects.filter(pk=user.pk).update(is_active=False)


def give_password(user: User) -> str:
    """Make a new password and return it; it is shown now or never. Ends the person's sessions.

    It obeys the rules for passwords, whatever they are. Whoever signs in with it may choose another
    one, within `FIRST_PASSWORD_LASTS`, and do nothing else before.

    :raises NoPasswordObeysTheRules: the person keeps the password before.
    """
    password = _new_password(user)
    with transaction.atomic():
        user.set_password(password)
        user.save(update_fields=["password"])
        expires_at = timezone.now() + FIRST_PASSWORD_LASTS
        FirstPassword.objects.update_or_create(user=user, defaults={"expires_at": expires_at})
        record_act(Act(verb=Verb.CHANGE, subject=subject_of(user), after={"renewed": "password"}))
    return password


def choose_password(user: User, password: str) -> None:
    """Store the password that the person has chosen; it was judged by the rules before.

    What was handed over is good for nothing from then on. Of two at once the later one stays. All
    sessions end but the one that the caller signs in anew.
    """
    with transaction.atomic():
        user.set_password(password)
        user.save(update_fields=["password"])
        FirstPassword.objects.filter(user=user).delete()
        record_act(Act(verb=Verb.CHANGE, subject=subject_of(user), after={"chosen": "password"}))


def first_password_of(user: User) -> FirstPassword | None:
    """What is known of the password, if it is one that was handed over. One statement."""
    return FirstPassword.objects.filter(user=user).first()


def _new_password(user: User) -> str:
    for _ in range(_MOST_PASSWORDS_TRIED):
        password = secrets.token_urlsafe(PASSWORD_BYTES)
        with suppress(ValidationError):
            validate_password(password, user)
            return password
    raise NoPasswordObeysTheRules


def _groups(names: Iterable[str]) -> list[Group]:
    return [Group.objects.get(name=name) for name in names]
