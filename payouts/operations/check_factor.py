"""Looks at a second factor that somebody shows: a code of an app, a recovery code, a passkey.

Every page that asks for one comes through here, so that ten wrong ones are ten wherever they were
typed, and no code counts twice (ASVS 6.5.1), also when it is sent twice at once.
"""

import time
from collections.abc import Callable
from typing import Final

from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import (
    format_hotp_value,
    hotp_value,
    yield_hotp_counters_from_time,
)
from allauth.mfa.utils import decrypt
from django.contrib.auth.models import User
from django.utils.crypto import constant_time_compare

from consumers.audit import Act, Result, Verb, record_act, subject_of
from consumers.statements import fetch_row
from payouts.models import UsedCode
from payouts.operations.count_tries import count_try, factor_key, forget_tries, lock_if_last

LONGEST_CODE: Final = 32
PERIOD_SECONDS: Final = 30


class WrongFactor(Exception):
    """What was shown is no second factor of this person, or was used before."""


def check_code(user: User, *, code: str) -> Authenticator:
    """Return whose code it is: the person's app's, or a recovery code, which is spent with it.

    :raises WrongFactor: the try counts, and stands in the audit trail.
    :raises LockedOut: too many were wrong; this one was not looked at, or was the last.
    """
    plain = "".join(code.split()).replace("-", "")

    def look() -> Authenticator | None:
        if not plain.isdigit() or len(plain) > LONGEST_CODE:
            return None
        authenticators = Authenticator.objects.filter(user=user).order_by("-type")
        typed = (one for one in authenticators if one.type != Authenticator.Type.WEBAUTHN)
        return next((one for one in typed if _is_right(one, plain)), None)

    return checked(user, look=look)


def checked(user: User, *, look: Callable[[], Authenticator | None]) -> Authenticator:
    """Count a try, then `look` whether it was right; None is a wrong one. Raises like `check_code`.

    For factors that are shown in another way than as digits.
    """
    key, subject = factor_key(user.pk), subject_of(user)
    count_try(key, subject=subject)
    found = look()
    if found is None:
        wrong = Act(verb=Verb.SIGN_IN, subject=subject, result=Result.REFUSED)
        record_act(wrong.refused("wrong second factor"))
        lock_if_last(key, subject=subject)
        raise WrongFactor(user.pk)
    forget_tries(key)
    return found


def usable_code(authenticator: Authenticator) -> str:
    """The digits that the person's app shows now; the next ones, if those were used already."""
    now = int(time.time()) // PERIOD_SECONDS
    used = UsedCode.objects.filter(user_id=authenticator.user_id, step__gte=now).exists()
    return _code_of_step(authenticator, now + used)


def use_step(user_id: int, *, step: int) -> bool:
    """Use up the code of a time step; False if it, or a later one, was used before.

    Of two at once one is first. RFC 6238 asks for this in 5.2.
    """
    return fetch_row(_USE, {"user_id": user_id, "step": step}) is not None


def _is_right(authenticator: Authenticator, code: str) -> bool:
    if authenticator.type == Authenticator.Type.RECOVERY_CODES:
        return bool(authenticator.wrap().validate_code(code))
    for step in yield_hotp_counters_from_time():
        if constant_time_compare(_code_of_step(authenticator, step), code):
            return use_step(authenticator.user_id, step=step)
    return False


def _code_of_step(authenticator: Authenticator, step: int) -> str:
    value = hotp_value(decrypt(authenticator.data["secret"]), step)
    return str(format_hotp_value(value))


_USE: Final = """
INSERT INTO payouts_usedcode AS t (user_id, step) VALUES (%(user_id)s, %(step)s)
ON CONFLICT (user_id) DO UPDATE SET step = EXCLUDED.step WHERE t.step < EXCLUDED.step
RETURNING step
"""
