"""One person's decision about some hundred payments at once, in a fixed number of statements.

What counts is judged as for a single one (`decide`), by the same functions, and each payment gets
its own decision, event and entry in the audit trail. All of it is recorded, or nothing.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from consumers.audit import Act, Verb, record_acts
from consumers.statements import fetch_rows
from payouts import dispatch
from payouts.actors import Actor, staff
from payouts.approvals import Approver, Bar, bar_to_deciding, progress
from payouts.deciding.approvers import (
    Editors,
    approver_of,
    editors_of,
    is_valid_yes,
    matter_of,
    people_named,
    required,
)
from payouts.deciding.signatures import Proof, Signed
from payouts.models import ApprovalRequirement, Decision, EventKind, Payment
from payouts.models.approvals import Verdict
from payouts.operations.bar_by_proof import bars_by_proof
from payouts.operations.decide import REFUSALS, subject_digest
from payouts.operations.decide_many import Result, Seen
from payouts.operations.locked_payment import give_back_together
from payouts.operations.payment_subject import payment_subject
from payouts.operations.transition import Step, take_steps
from payouts.states import Status


@dataclass(frozen=True, slots=True)
class Together:
    """A decision that one person makes about many payments: the same of each."""

    by: User
    verdict: Verdict
    reason: str
    proof: Proof


@dataclass(frozen=True, slots=True)
class _Locked:
    """The payments under our lock, with all that a judgement of them looks at."""

    payments: Mapping[UUID, Payment]
    digests: Mapping[UUID, bytes]
    decisions: Mapping[UUID, list[Decision]]
    editors: Mapping[UUID, Editors]


@transaction.atomic
def decide_together(seen: Sequence[Seen], *, said: Together) -> list[Result]:
    """Decide about payments, each of them once in `seen`; the results are in the same order.

    A signature is over all of them, in this very order, from the place that the proof says. What
    was changed, decided or ended meanwhile is refused by itself, with its reason and an entry. What
    this person has decided in just this way before counts as done, and nothing more is recorded.

    In the caller's transaction or one of its own. Whoever else decides about one of them, edits its
    payee or takes it back waits until the end of that.
    """
    at = timezone.now()
    locked = _lock([one.payment_id for one in seen])
    bars = _bars(seen, locked, said, at)
    counting = {one.payment_id: place for place, one in enumerate(seen) if bars[place] is None}
    _record(counting, locked, said, at)
    _record_acts(seen, bars, locked, said)
    statuses = _move(list(counting), locked, said, at)
    return [_result(one, bar, locked, statuses, said) for one, bar in zip(seen, bars, strict=True)]


# Whoever is editing is waited for, and whoever wants to edit waits, as for a single decision.
_HOLD_SUBJECTS: Final = """
SELECT FROM payouts_payment p
JOIN consumers_paymentcard c ON c.id = p.card_id
JOIN consumers_consumer o ON o.id = p.consumer_id
WHERE p.id = ANY(%(ids)s) ORDER BY c.id FOR SHARE OF c, o
"""
_UNREAD: Final = (
    "consumer__search_vector", "consumer__tax_identifier_sealed", "card__ciphertext",
    "card__wrapped_key",
)  # fmt: skip


def _lock(payment_ids: list[UUID]) -> _Locked:
    """Take all locks, in the order of the keys, and read what there is then: four statements."""
    fetch_rows(_HOLD_SUBJECTS, {"ids": payment_ids})
    rows = (
        Payment.objects.select_for_update(no_key=True, of=("self",))
        .select_related("consumer", "card")
        .defer(*_UNREAD)
        .filter(pk__in=payment_ids)
        .order_by("pk")
    )
    payments = {row.pk: row for row in rows}
    decisions: dict[UUID, list[Decision]] = defaultdict(list)
    for decision in Decision.objects.filter(payment_id__in=payment_ids).order_by("pk"):
        decisions[decision.payment_id].append(decision)
    return _Locked(
        payments=payments,
        digests={key: subject_digest(row) for key, row in payments.items()},
        decisions=decisions,
        editors=editors_of(payments.values()),
    )


def _bars(seen: Sequence[Seen], locked: _Locked, said: Together, at: datetime) -> list[Bar | None]:
    """What keeps each decision from counting, asked in the order of `decide`."""
    person = approver_of(said.by)
    marks = [one.mark for one in seen]
    by_proof = bars_by_proof(
        said.proof, by=said.by, verdict=said.verdict, reason=said.reason, marks=marks
    )
    return [
        _bar(one, proof_bar, person, locked, at)
        for one, proof_bar in zip(seen, by_proof, strict=True)
    ]


def _bar(
    one: Seen, proof_bar: Bar | None, person: Approver, locked: _Locked, at: datetime
) -> Bar | None:
    payment = locked.payments.get(one.payment_id)
    if payment is None:
        return Bar.NOT_WAITING
    digest = locked.digests[payment.pk]
    matter = matter_of(
        payment,
        digest=digest,
        decisions=locked.decisions.get(payment.pk, ()),
        editors=locked.editors[payment.pk],
        at=at,
    )
    is_same = one.digest == digest
    return bar_to_deciding(person, matter) or proof_bar or (None if is_same else Bar.CHANGED)


def _record(counting: Mapping[UUID, int], locked: _Locked, said: Together, at: datetime) -> None:
    """The decisions, each bound to what was decided about and to its mark in the signature.

    The database's guards judge each of them again.
    """
    signed = said.proof if isinstance(said.proof, Signed) else None
    Decision.objects.bulk_create(
        Decision(
            payment_id=payment_id,
            user=said.by,
            verdict=said.verdict,
            digest=locked.digests[payment_id],
            reason=said.reason,
            created_at=at,
            signature_id=None if signed is None else signed.signature_id,
            place=None if signed is None else signed.place + place,
        )
        for payment_id, place in counting.items()
    )


_VERBS: Final = {Verdict.APPROVE: Verb.APPROVE, Verdict.REJECT: Verb.REJECT}


def _record_acts(
    seen: Sequence[Seen], bars: Sequence[Bar | None], locked: _Locked, said: Together
) -> None:
    acts = []
    for one, bar in zip(seen, bars, strict=True):
        payment = locked.payments.get(one.payment_id)
        if payment is not None:
            subject = payment_subject(payment)
            act = Act(verb=_VERBS[said.verdict], subject=subject, reason=said.reason)
            acts.append(act if bar is None else act.refused(REFUSALS[bar].__name__))
    record_acts(acts)


def _move(
    counting: Sequence[UUID], locked: _Locked, said: Together, at: datetime
) -> dict[UUID, Status]:
    """Take the steps that the decisions lead to, and give back what is not sent."""
    if said.verdict is Verdict.REJECT:
        rejected = take_steps(counting, _step(Status.REJECTED, EventKind.REJECTED, said, at))
        give_back_together(rejected, actor=_actor(said), at=at)
        return dict.fromkeys(rejected, Status.REJECTED)
    full = _fully_approved(counting, locked, said)
    noted = take_steps(
        [key for key in counting if key not in full],
        _step(Status.PENDING_APPROVAL, EventKind.DECIDED, said, at),
    )
    # The one statement that changes statuses comes last: others wait for what it holds.
    sent = take_steps(list(full), _step(Status.PENDING, EventKind.APPROVED, said, at))
    if sent:
        dispatch.ring_sender()
    return {**dict.fromkeys(noted, Status.PENDING_APPROVAL), **dict.fromkeys(sent, Status.PENDING)}


def _fully_approved(counting: Sequence[UUID], locked: _Locked, said: Together) -> set[UUID]:
    """Those whose every requirement has its decisions, with this person's."""
    asked: dict[UUID, list[ApprovalRequirement]] = defaultdict(list)
    for row in ApprovalRequirement.objects.filter(payment_id__in=counting):
        asked[row.payment_id].append(row)
    valid = {key: _valid(key, locked) | {said.by.pk} for key in counting}
    people = {one.user_id: one for one in people_named(set().union(*valid.values()))}
    return {
        key
        for key in counting
        if _is_met(asked[key], approved_by=[people[user_id] for user_id in valid[key]])
    }


def _valid(payment_id: UUID, locked: _Locked) -> set[int]:
    editors, digest = locked.editors[payment_id], locked.digests[payment_id]
    decisions = locked.decisions.get(payment_id, ())
    return {one.user_id for one in decisions if is_valid_yes(one, editors, digest)}


def _is_met(asked: Iterable[ApprovalRequirement], *, approved_by: list[Approver]) -> bool:
    counted = progress(map(required, asked), approved_by=approved_by, can_decide=())
    return all(one.is_met for one in counted)


def _step(to: Status, kind: EventKind, said: Together, at: datetime) -> Step:
    reason = {"reason": said.reason} if said.reason else {}
    noted = {"verdict": said.verdict.value, "reason": said.reason}
    return Step(
        before=Status.PENDING_APPROVAL,
        to=to,
        kind=kind,
        actor=_actor(said),
        at=at,
        due_at=at if to is Status.PENDING else None,
        details=noted if kind is EventKind.DECIDED else reason,
    )


def _actor(said: Together) -> Actor:
    return staff(said.by.pk, said.by.get_username())


def _result(
    one: Seen,
    bar: Bar | None,
    locked: _Locked,
    statuses: Mapping[UUID, Status],
    said: Together,
) -> Result:
    if bar is None:
        return Result(one.payment_id, statuses[one.payment_id], None)
    payment = locked.payments.get(one.payment_id)
    has_decided = payment is not None and any(
        (earlier.user_id, earlier.verdict, bytes(earlier.digest))
        == (said.by.pk, said.verdict.value, one.digest)
        for earlier in locked.decisions.get(one.payment_id, ())
    )
    if payment is not None and has_decided:
        return Result(one.payment_id, Status(payment.status), None)
    return Result(one.payment_id, None, bar)
