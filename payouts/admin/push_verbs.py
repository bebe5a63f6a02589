"""What people may do about a push: approve, reject, cancel. Each asks, then calls one operation.

A button is shown only where it would work. The operation judges again, whatever was shown.
"""

from typing import Any, Final

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from consumers.admin.base import VerbAdmin, detail_verb, me
from consumers.admin.verbs import OptionalReasonForm, Question, ReasonForm, ask, back_to
from payouts.actors import staff
from payouts.approvals import bar_to_deciding
from payouts.backoffice.push_facts import consequences, push_facts, row_of
from payouts.backoffice.signing import proof_or_question
from payouts.backoffice.words import BAR_WORDS
from payouts.deciding.approvers import approver_of, editors_of, matter_of
from payouts.models import Decision, Payment
from payouts.models.approvals import Verdict
from payouts.operations.cancel_payment import NotCancelable, cancel_payment
from payouts.operations.decide import (
    DecisionRefused,
    approve_payment,
    reject_payment,
    subject_digest,
)
from payouts.operations.decide_many import Seen
from payouts.staff import APPROVE_PAYMENT, CANCEL_PAYMENT
from payouts.states import CANCELABLE, Status

_DECIDED: Final = {
    Status.PENDING: "Approved. The push goes out now.",
    Status.PENDING_APPROVAL: "Your approval is recorded. The push still waits for somebody else.",
    Status.REJECTED: "Rejected. The funds are free again.",
}


class DecisionForm(ReasonForm):
    """A reason, and what was on the screen: a decision is about that and nothing else."""

    seen = forms.RegexField("[0-9a-f]{64}", widget=forms.HiddenInput)


class PushVerbs(VerbAdmin[Payment]):
    actions_detail = ("approve", "reject", "cancel")

    def has_decide_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(APPROVE_PAYMENT)

    def has_cancel_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(CANCEL_PAYMENT)

    def offered(self, request: HttpRequest, row: Payment) -> list[str]:
        return offered_verbs(me(request), row)

    @detail_verb(
        permissions=["decide"],
        description="Approve",
        url_path="approve",
        icon="check_circle",
        variant="primary",
    )
    def approve(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._decide(
            request,
            object_id,
            verdict=Verdict.APPROVE,
            title="Approve this push",
            tone="success",
        )

    @detail_verb(
        permissions=["decide"],
        description="Reject",
        url_path="reject",
        icon="cancel",
        variant="danger",
    )
    def reject(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._decide(
            request,
            object_id,
            verdict=Verdict.REJECT,
            title="Reject this push",
            tone="danger",
        )

    @detail_verb(
        permissions=["cancel"],
        description="Cancel",
        url_path="cancel",
        icon="block",
        variant="danger",
    )
    def cancel(self, request: HttpRequest, object_id: str) -> HttpResponse:
        payment = self.row_or_404(request, object_id)
        form = OptionalReasonForm(request.POST or None)
        if payment.maker_user_id != request.user.pk:
            messages.error(request, "Only whoever issued a push cancels it.")
            return back_to(payment)
        if not form.is_valid():
            if payment.status not in CANCELABLE:
                messages.error(request, _too_late(payment.status))
                return back_to(payment)
            question = Question(
                title="Cancel this push",
                consequences="It is not sent, and its funds are free again. This cannot be undone.",
                facts=push_facts(row_of(payment, me(request))),
                tone="danger",
            )
            return ask(request, question, site=self.admin_site, about=payment, form=form)
        try:
            cancel_payment(
                payment,
                actor=staff(me(request).pk, me(request).get_username()),
                request_id=request.request_id,  # type: ignore[attr-defined]
                reason=form.cleaned_data["reason"],
            )
        except NotCancelable as refusal:
            messages.error(request, _too_late(refusal.status.value))
        else:
            messages.success(request, "The push is canceled.")
        return back_to(payment)

    def _decide(
        self,
        request: HttpRequest,
        object_id: str,
        *,
        verdict: Verdict,
        title: str,
        tone: str,
    ) -> HttpResponse:
        payment = self.row_or_404(request, object_id)
        row = row_of(payment, me(request))
        form = DecisionForm(request.POST or None, initial={"seen": row.digest})
        if not form.is_valid():
            if row.hindrance:
                messages.error(request, row.hindrance)
                return back_to(payment)
            question = Question(
                title=title,
                consequences=consequences(row, verdict),
                facts=push_facts(row),
                tone=tone,
            )
            return ask(request, question, site=self.admin_site, about=payment, form=form)
        digest = bytes.fromhex(form.cleaned_data["seen"])
        reason = form.cleaned_data["reason"]
        proof = proof_or_question(
            request,
            seen=[Seen(payment.pk, digest)],
            verdict=verdict,
            reason=reason,
            facts=lambda: push_facts(row),
        )
        if isinstance(proof, HttpResponse):
            return proof
        decide = approve_payment if verdict is Verdict.APPROVE else reject_payment
        try:
            status = decide(payment.pk, by=me(request), digest=digest, proof=proof, reason=reason)
        except DecisionRefused as refusal:
            messages.error(request, BAR_WORDS[refusal.bar])
        else:
            messages.success(request, _DECIDED[status])
        return back_to(payment)


def offered_verbs(person: User, payment: Payment) -> list[str]:
    """What this person could do about the push now; it was read with its card."""
    verbs = []
    if person.has_perm(APPROVE_PAYMENT) and _may_decide(person, payment):
        verbs += ["approve", "reject"]
    if payment.maker_user_id == person.pk and payment.status in CANCELABLE:
        verbs.append("cancel")
    return verbs


def _too_late(status: str) -> str:
    return f"Too late: this push is {status.replace('_', ' ')}."


def _may_decide(person: User, payment: Payment) -> bool:
    if payment.status != Status.PENDING_APPROVAL.value:
        return False
    matter = matter_of(
        payment,
        digest=subject_digest(payment),
        decisions=Decision.objects.filter(payment_id=payment.pk),
        editors=editors_of([payment])[payment.pk],
        at=timezone.now(),
    )
    return bar_to_deciding(approver_of(person), matter) is None
