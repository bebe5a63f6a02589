"""Records who of the staff comes in, goes, and is not let in.

These are the only signals that the product listens to. Signing in is done by Django's own views,
the admin's and a library's; they all say so by these three signals and by nothing else, so
listening is what their adapter has to do. Nothing of the product is steered by it.
"""

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest

from consumers.audit.acts import Act, Result, Subject, Verb
from consumers.audit.trail import record_act, subject_of
from consumers.audit.visitors import current_visitor, visitor_of


@receiver(user_logged_in)
def record_sign_in(request: HttpRequest, user: Any, **_signal: Any) -> None:
    visitor = visitor_of(request, user=user)
    record_act(Act(verb=Verb.SIGN_IN, subject=subject_of(user)), by=visitor)


@receiver(user_logged_out)
def record_sign_out(request: HttpRequest, user: Any, **_signal: Any) -> None:
    if user is not None:
        visitor = visitor_of(request, user=user)
        record_act(Act(verb=Verb.SIGN_OUT, subject=subject_of(user)), by=visitor)


@receiver(user_login_failed)
def record_refused_sign_in(
    credentials: dict[str, Any], request: HttpRequest | None = None, **_signal: Any
) -> None:
    """Name the account that was tried, if there is one. What else was typed may be a password."""
    tried = _account_of(credentials)
    act = Act(
        verb=Verb.SIGN_IN,
        subject=Subject("auth.user") if tried is None else subject_of(tried),
        result=Result.REFUSED,
        reason="no such member of staff" if tried is None else "wrong credentials",
    )
    record_act(act, by=current_visitor() if request is None else visitor_of(request))


def _account_of(credentials: dict[str, Any]) -> Any:
    users = get_user_model()
    for field in (users.USERNAME_FIELD, users.EMAIL_FIELD):
        typed = str(credentials.get(field) or "")
        if typed and "\0" not in typed:
            return users._default_manager.filter(**{field: typed}).first()
    return None
