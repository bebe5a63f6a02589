"""A person's second factors: whether there is one, and taking all of them away for a new start."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from fido2.cbor import encode

from consumers.audit import Act, Verb, audited, record_act, subject_of
from payouts.models import UsedCode
from payouts.operations.count_tries import factor_key, forget_tries, password_key
from payouts.operations.end_sessions import delete_sessions_of

# Bound to what it is for, so that no other sealed text opens in its place.
SEALED_FOR: Final = "mfa_authenticator|second factor"


class OnlyFactor(Exception):
    """Without this one the person would have no second factor left."""


@contextmanager
def changing_factors(user: User) -> Iterator[None]:
    """Let what is inside add and remove second factors of this person: all of it or nothing.

    Each that came or went leaves an entry in the audit trail, in the same transaction. Of two
    changes at once one waits, so that two cannot each remove the other's last.

    :raises OnlyFactor: no second factor would be left; nothing has changed.
    """
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=user.pk)
        before = {one.pk: one for one in Authenticator.objects.filter(user=user)}
        yield
        after = {one.pk: one for one in Authenticator.objects.filter(user=user)}
        if before and not has_second_factor(user):
            raise OnlyFactor(user.pk)
        for key in sorted(before.keys() ^ after.keys()):
            verb = Verb.ADD_FACTOR if key in after else Verb.REMOVE_FACTOR
            told = _told_about(after.get(key) or before[key])
            record_act(Act(verb=verb, subject=subject_of(user), after=told))


def has_second_factor(user: User) -> bool:
    """Whether the person can show one; recovery codes alone are none."""
    return _real_factors(user.pk).exists()


def has_other_factor(authenticator: Authenticator) -> bool:
    """Whether the person would still have a second factor without this one."""
    return _real_factors(authenticator.user_id).exclude(pk=authenticator.pk).exists()


def reset_second_factor(user: User, *, reason: str) -> None:
    """Take all second factors away and end all sessions; the next sign-in sets up a new one.

    For somebody who has lost them. Locks end too. Twice does no harm.
    """
    act = Act(verb=Verb.RESET_FACTOR, subject=subject_of(user), reason=reason)
    with audited(act):
        Authenticator.objects.filter(user=user).delete()
        UsedCode.objects.filter(user=user).delete()
        forget_tries(factor_key(user.pk))
        delete_sessions_of(user.pk)


def unlock(user: User, *, reason: str) -> None:
    """End the locks after wrong tries, because an admin knows who it is (PCI DSS 8.3.4)."""
    with audited(Act(verb=Verb.UNLOCK, subject=subject_of(user), reason=reason)):
        forget_tries(factor_key(user.pk))
        forget_tries(password_key(user.get_username()))


def _told_about(authenticator: Authenticator) -> dict[str, Any]:
    """The kind; of a passkey also its name and public key, by which its signatures are verified."""
    kind = {"kind": authenticator.type}
    if authenticator.type != Authenticator.Type.WEBAUTHN:
        return kind
    held = authenticator.wrap().authenticator_data.credential_data
    return {
        **kind,
        "name": authenticator.wrap().name,
        "credential": held.credential_id.hex(),
        "public_key": encode(dict(held.public_key)).hex(),
    }


def _real_factors(user_id: int) -> QuerySet[Authenticator]:
    mine: QuerySet[Authenticator] = Authenticator.objects.filter(user_id=user_id)
    return mine.exclude(type=Authenticator.Type.RECOVERY_CODES)
