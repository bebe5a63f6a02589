"""Gets the proof that a decision rests on: a passkey's signature, or a fresh second factor.

Whoever has a passkey is shown what will be signed, after the reason is known, and signs exactly
that: the challenge is computed from what came back, never taken from the page.
"""

import json
import re
import secrets
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from allauth.mfa.webauthn.internal.auth import get_server
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.utils import timezone
from fido2.webauthn import UserVerificationRequirement

from payouts.backoffice.pages import me, shown
from payouts.backoffice.step_up import flat, question_unless_fresh
from payouts.deciding.signatures import PUSHES, FreshFactor, Proof, Statement, marks_of
from payouts.models.approvals import Verdict
from payouts.operations.accept_signature import SignatureRefused, accept_signature, passkeys_of
from payouts.operations.bar_by_proof import has_passkey
from payouts.operations.count_tries import LockedOut
from payouts.operations.decide_many import Seen
from payouts.sign_in.state import second_factor_at
from payouts.sign_in.words import locked_words

Facts = Callable[[], Sequence[tuple[str, Any]]]

PASSKEY: Final = "sign_passkey"
SIGNED_AT: Final = "sign_at"
NONCE: Final = "sign_nonce"
_OURS: Final = frozenset({PASSKEY, SIGNED_AT, NONCE, "csrfmiddlewaretoken"})
_MOMENT: Final = re.compile(r"[0-9]{9,11}")
_NONCE: Final = re.compile(r"[0-9a-f]{32}")
_NOT_ACCEPTED: Final = (
    "The signature was not accepted: it is not under this, or came too late. Sign again."
)


def proof_or_question(
    request: HttpRequest,
    *,
    seen: Sequence[Seen],
    verdict: Verdict,
    reason: str,
    facts: Facts,
    about: str = PUSHES,
    back: str = "",
) -> Proof | HttpResponse:
    """What this POST shows for a decision about all of `seen`, or the page that asks for it.

    Call it when everything else about the form is right, and return a page that it answers. What
    `facts()` says is shown beside the button that signs. The answer of that page brings the same
    POST back. `back` is the page that whoever does not sign goes to; empty is the queue.
    """
    person = me(request)
    if not has_passkey(person):
        question = question_unless_fresh(request)
        shown_at = second_factor_at(request)
        if question is not None or shown_at is None:
            return question or HttpResponse(status=403)
        return FreshFactor(person.pk, shown_at=shown_at, used_at=timezone.now())
    marks = marks_of((one.payment_id, one.digest) for one in seen)
    said = _Said(request, marks, verdict, reason, about, back or reverse("backoffice:approvals"))
    if PASSKEY not in request.POST:
        return said.ask(facts)
    return said.signed(facts)


class _Said:
    """What one request says, on the way to its signature."""

    def __init__(
        self,
        request: HttpRequest,
        marks: bytes,
        verdict: Verdict,
        reason: str,
        about: str,
        back: str,
    ) -> None:
        self._request = request
        self._marks = marks
        self._verdict = verdict
        self._reason = reason
        self._about = about
        self._back = back

    def signed(self, facts: Facts) -> Proof | HttpResponse:
        posted = self._request.POST
        moment, nonce = posted.get(SIGNED_AT, ""), posted.get(NONCE, "")
        if not _MOMENT.fullmatch(moment) or not _NONCE.fullmatch(nonce):
            return self.ask(facts, _NOT_ACCEPTED)
        statement = self._statement(datetime.fromtimestamp(int(moment), UTC), nonce)
        try:
            return accept_signature(
                statement,
                by=me(self._request),
                assertion=json.loads(posted[PASSKEY]),
                rp_id=self._request.get_host().partition(":")[0],
            )
        except (SignatureRefused, ValueError):
            return self.ask(facts, _NOT_ACCEPTED)
        except LockedOut as lock:
            return self.ask(facts, locked_words(lock.until))

    def ask(self, facts: Facts, problem: str = "") -> HttpResponse:
        at, nonce = timezone.now().replace(microsecond=0), secrets.token_hex(16)
        statement = self._statement(at, nonce)
        return shown(
            self._request,
            "backoffice/sign.html",
            title="Sign your decision",
            is_approval=self._verdict is Verdict.APPROVE,
            facts=[*facts(), ("Reason", self._reason)],
            statement=statement.text(),
            options=json.dumps(self._options(statement)),
            kept=flat(_without_ours(self._request.POST)),
            ours={SIGNED_AT: int(at.timestamp()), NONCE: nonce},
            address=self._request.get_full_path(),
            back=self._back,
            problem=problem,
        )

    def _statement(self, at: datetime, nonce: str) -> Statement:
        person = me(self._request)
        return Statement(
            user_id=person.pk,
            username=person.get_username(),
            verdict=self._verdict.value,
            reason=self._reason,
            marks=self._marks,
            at=at,
            nonce=nonce,
            about=self._about,
        )

    def _options(self, statement: Statement) -> dict[str, Any]:
        options, _state = get_server().authenticate_begin(
            [one.held for one in passkeys_of(me(self._request))],
            UserVerificationRequirement.REQUIRED,
            statement.challenge(),
        )
        return dict(options)


def _without_ours(values: QueryDict) -> QueryDict:
    kept = values.copy()
    for name in _OURS & kept.keys():
        del kept[name]
    return kept
