"""What an admin can do about the way in of others: end sessions, reset second factors, unlock.

None of it lets anybody in: after a reset the person needs the password, and sets up a new factor.
That is why one admin may do it; each asks for a reason and for the admin's own fresh factor.
"""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator

from consumers.admin.base import VerbAdmin, detail_verb
from consumers.admin.verbs import Question, ReasonForm, ask, back_to
from payouts.backoffice.step_up import fresh_second_factor
from payouts.operations.end_sessions import end_all_sessions, open_sessions
from payouts.operations.second_factors import reset_second_factor, unlock

VERBS = ("end_sessions", "reset_factor", "unlock")


class WhyForm(ReasonForm):
    """Why somebody else's way in is touched."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].help_text = "Stays in the audit trail."


class StaffAccess(VerbAdmin[User]):
    """The verbs, for the admin class of people; `offered` there names them."""

    @detail_verb(
        permissions=["manage"],
        description="Sign out everywhere",
        url_path="end-sessions",
        icon="logout",
        variant="default",
    )
    @method_decorator(fresh_second_factor)
    def end_sessions(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._asked(
            request,
            object_id,
            verb="end_sessions",
            question=Question(
                title="Sign this person out everywhere",
                consequences="All their browsers are signed out with the next click. They can "
                "sign in again.",
            ),
            deed=lambda user, reason: end_all_sessions(user, reason=reason),
            done="Signed out everywhere.",
        )

    @detail_verb(
        permissions=["manage"],
        description="Reset second factor",
        url_path="reset-factor",
        icon="phonelink_erase",
        variant="default",
    )
    @method_decorator(fresh_second_factor)
    def reset_factor(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._asked(
            request,
            object_id,
            verb="reset_factor",
            question=Question(
                title="Reset the second factor",
                consequences="Their passkeys, app and recovery codes are void, and all their "
                "browsers signed out. With the password they then set up a new second factor. Be "
                "sure that it is they who ask.",
                tone="danger",
            ),
            deed=lambda user, reason: reset_second_factor(user, reason=reason),
            done="The second factor is reset. They set up a new one when they sign in.",
        )

    @detail_verb(
        permissions=["manage"],
        description="Unlock",
        url_path="unlock",
        icon="lock_open",
        variant="default",
    )
    @method_decorator(fresh_second_factor)
    def unlock(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._asked(
            request,
            object_id,
            verb="unlock",
            question=Question(
                title="Unlock this account",
                consequences="After wrong tries they need not wait. Be sure that it is they who "
                "ask.",
            ),
            deed=lambda user, reason: unlock(user, reason=reason),
            done="They can sign in again.",
        )

    def _asked(
        self,
        request: HttpRequest,
        object_id: str,
        *,
        verb: str,
        question: Question,
        deed: Callable[[User, str], object],
        done: str,
    ) -> HttpResponse:
        user = self.row_or_404(request, object_id)
        if verb not in self.offered(request, user):
            raise PermissionDenied
        question.facts[:] = [
            ("Member of staff", user.get_full_name() or user.get_username()),
            ("Signed in at", _places(len(open_sessions(user)))),
        ]
        form = WhyForm(request.POST or None)
        if not form.is_valid():
            return ask(request, question, site=self.admin_site, about=user, form=form)
        deed(user, form.cleaned_data["reason"])
        messages.success(request, done)
        return back_to(user)


def _places(number: int) -> str:
    return f"{number} place{'' if number == 1 else 's'}"
