"""Asks for a fresh second factor before a deed counts, and then goes on with the very same deed.

Whatever a person was sending is put into the page that asks, as hidden fields of its form, and
comes back with the answer: nothing is kept on the server, nothing can be mixed up between two tabs,
and the view behind gets what it would have got. Not for forms with files, or with anything that no
page may show again (a card number, a secret).
"""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any, Final, TypeVar

from allauth.mfa.base.internal.flows import post_authentication
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal.auth import begin_authentication
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict

from payouts.backoffice.pages import me, shown
from payouts.sign_in.demo import shown_code
from payouts.sign_in.forms import code_shown, passkey_shown
from payouts.sign_in.state import is_second_factor_fresh

CODE: Final = "step_up_code"
PASSKEY: Final = "step_up_passkey"
METHOD: Final = "step_up_method"
_OURS: Final = frozenset({CODE, PASSKEY, METHOD, "csrfmiddlewaretoken"})

View = TypeVar("View", bound=Callable[..., HttpResponse])


def fresh_second_factor(view: View) -> View:
    """Let a POST reach the view only within `STEP_UP_SECONDS` of a second factor.

    Else the person is asked for one, and the same POST goes on with the right answer. Looking (GET)
    is not asked about. Stands inside of what lets people in: `@staff_page(…)` above it; methods of
    an admin class take it by `method_decorator`.
    """
    return _guarded(view, asks_on=frozenset({"POST"}))


def fresh_second_factor_to_look(view: View) -> View:
    """As `fresh_second_factor`, for a page that may not even be seen without."""
    return _guarded(view, asks_on=frozenset({"GET", "POST"}))


def question_unless_fresh(request: HttpRequest) -> HttpResponse | None:
    """The page that asks for a second factor, or None when a fresh one was shown.

    For views that know only on their way whether they have to ask. An answer that came with the
    request is looked at here, and the request is then as it was before anybody asked.
    """
    if request.method == "POST" and METHOD in request.POST:
        asked_for = request.POST[METHOD]
        problem = _problem_with_answer(request)
        if problem:
            return _ask(request, asked_for, problem)
        if asked_for != "POST":
            return HttpResponseRedirect(request.get_full_path())
        request.POST = _without_ours(request.POST)  # type: ignore[assignment]
        return None
    return None if is_second_factor_fresh(request) else _ask(request, request.method or "")


def _guarded(view: View, *, asks_on: frozenset[str]) -> View:
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        question = question_unless_fresh(request) if request.method in asks_on else None
        return question or view(request, *args, **kwargs)

    return guarded  # type: ignore[return-value]


def _problem_with_answer(request: HttpRequest) -> str:
    """Say what is wrong with what was shown, or note in the session that it is right."""
    try:
        authenticator = _shown_factor(request)
    except ValidationError as wrong:
        return " ".join(wrong.messages)
    post_authentication(request, authenticator, reauthenticated=True)
    return ""


def _shown_factor(request: HttpRequest) -> Authenticator:
    if not request.POST.get(PASSKEY):
        return code_shown(me(request), request.POST.get(CODE, ""))
    try:
        credential = json.loads(request.POST[PASSKEY])
    except ValueError as error:
        raise ValidationError("The browser's answer cannot be read. Try again.") from error
    return passkey_shown(me(request), credential)


def _ask(request: HttpRequest, asked_for: str, problem: str = "") -> HttpResponse:
    factors = {one.type for one in Authenticator.objects.filter(user=me(request))}
    has_passkey = Authenticator.Type.WEBAUTHN in factors
    # Only once, then the browser comes back with the answer.
    options = json.dumps(begin_authentication(me(request))) if has_passkey else ""
    return shown(
        request,
        "backoffice/step_up.html",
        title="Confirm that it is you",
        kept=flat(_without_ours(request.POST)),
        asked_for=asked_for,
        problem=problem,
        options=options,
        takes_codes=bool(factors - {Authenticator.Type.WEBAUTHN}),
        address=request.get_full_path(),
        demo_code=shown_code(me(request)),
    )


def flat(values: QueryDict) -> list[tuple[str, str]]:
    """Every name with every value, for hidden fields."""
    return [(name, str(value)) for name, several in values.lists() for value in several]


def _without_ours(values: QueryDict) -> QueryDict:
    kept = QueryDict(mutable=True)
    for name, several in values.lists():
        if name not in _OURS:
            kept.setlist(name, several)
    return kept
