"""What a person wants done with many pushes of a batch: given once, carried out in the background.

The order names every push and, for a decision, the SHA-256 of what was on the screen about it. One
digest over all of that is what a person confirms and may sign. Each push is then decided or
canceled by the rules of a single one, and decisions some hundred at a time.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import BinaryField
from django.db.models.functions import Substr
from django.utils import timezone

from consumers.audit import Act, Verb, Visitor, acting_as, audited, current_visitor, subject_of
from payouts import dispatch
from payouts.actors import staff
from payouts.deciding.signatures import FreshFactor, Proof, Signed
from payouts.models import Batch, BatchOrder, OrderKind, Payment
from payouts.models.approvals import Verdict
from payouts.operations.batches.issue_batch import NotYourBatch
from payouts.operations.cancel_payment import NotCancelable, cancel_payment
from payouts.operations.decide_many import Seen, decide_payments
from payouts.operations.decide_together import Together, decide_together
from payouts.states import Status

PUSHES_AT_ONCE: Final = 200
LEASE: Final = timedelta(seconds=60)
_ID_BYTES: Final = 16
_MARK_BYTES: Final = 48
_NOTHING_SEEN: Final = bytes(32)

_VERBS: Final = {
    OrderKind.APPROVE: Verb.APPROVE,
    OrderKind.REJECT: Verb.REJECT,
    OrderKind.CANCEL: Verb.CANCEL,
}
_VERDICTS: Final = {OrderKind.APPROVE: Verdict.APPROVE, OrderKind.REJECT: Verdict.REJECT}


def marks_of(seen: Sequence[Seen]) -> bytes:
    """The pushes and what was seen of each, as bytes: what `digest_of_marks` is about."""
    return b"".join(one.payment_id.bytes + one.digest for one in seen)


def digest_of_marks(marks: bytes) -> bytes:
    """The one digest of an order: SHA-256 of its marks."""
    return hashlib.sha256(marks).digest()


def order_decisions(
    batch: Batch, *, seen: Sequence[Seen], by: User, verdict: Verdict, reason: str, proof: Proof
) -> BatchOrder:
    """Have pushes of the batch decided. Who may decide is judged for each when it is its turn.

    Given twice it is carried out twice, and the second time finds everything decided. A signature
    is over all of `seen` in this order; another second factor has to be fresh when this is called,
    not when the last push has its turn.
    """
    return _ordered(batch, OrderKind(verdict.value), seen, by, reason, proof)


def order_cancels(
    batch: Batch, *, payment_ids: Sequence[UUID], by: User, reason: str
) -> BatchOrder:
    """Have pushes of the batch canceled; those that were sent by then stay as they are.

    :raises NotYourBatch: only whoever has uploaded a batch cancels its pushes.
    """
    if batch.uploaded_by_id != by.pk:
        raise NotYourBatch(batch.pk)
    seen = [Seen(payment_id, _NOTHING_SEEN) for payment_id in payment_ids]
    return _ordered(batch, OrderKind.CANCEL, seen, by, reason)


def _ordered(
    batch: Batch,
    kind: OrderKind,
    seen: Sequence[Seen],
    by: User,
    reason: str,
    proof: Proof | None = None,
) -> BatchOrder:
    marks = marks_of(seen)
    visitor = current_visitor()
    order = BatchOrder(
        batch=batch,
        kind=kind,
        user=by,
        reason=reason,
        pushes=len(seen),
        marks=marks,
        digest=digest_of_marks(marks),
        ip_address=visitor.ip_address,
        agent=visitor.agent,
        request_id=visitor.request_id,
        created_at=timezone.now(),
        signature_id=proof.signature_id if isinstance(proof, Signed) else None,
        factor_shown_at=proof.shown_at if isinstance(proof, FreshFactor) else None,
    )
    facts = {"pushes": len(seen), "sha256_of_pushes": order.digest.hex()}
    act = Act(verb=_VERBS[kind], subject=subject_of(batch), after=facts, reason=reason)
    with audited(act):
        order.save(force_insert=True)
        dispatch.ring_batches()
    return order


Each = Callable[[Callable[[Seen], str], Sequence[Seen]], Iterable[str]]


def carry_out_next(*, each: Each = map, limit: int = PUSHES_AT_ONCE) -> bool:
    """Carry out the next part of the oldest order; False if there is none.

    A part of decisions is one transaction with the order's progress: killed at any moment, all of
    it was done and counted, or nothing, and the next worker goes on at once. Pushes are canceled
    one by one, by `each`, which applies a function to them, perhaps in threads; killed there, the
    part is done once more after the lease, and finds canceled what was canceled.
    """
    with transaction.atomic():
        order = _next_order()
        if order is None:
            return False
        if order.kind == OrderKind.CANCEL:
            order.leased_until = timezone.now() + LEASE
            order.save(update_fields=["leased_until"])
        else:
            _go_on(order, _decided(order, _part(order, limit)))
            return True
    part = _part(order, limit)
    reasons = list(each(lambda one: _canceled(one.payment_id, order), part))
    _go_on(order, reasons)
    return True


def _next_order() -> BatchOrder | None:
    """The oldest order that is not ended and nobody is at, under our lock, without its marks."""
    at = timezone.now()
    open_orders = BatchOrder.objects.filter(ended_at=None).exclude(leased_until__gte=at)
    held = open_orders.select_for_update(skip_locked=True, no_key=True, of=("self",))
    return held.select_related("user").defer("marks").order_by("pk").first()


def _part(order: BatchOrder, limit: int) -> list[Seen]:
    """The next pushes of the order; the marks of all of them may be millions of bytes."""
    start, length = order.seen_to * _MARK_BYTES + 1, limit * _MARK_BYTES
    part = Substr("marks", start, length, output_field=BinaryField())
    return _seen(bytes(BatchOrder.objects.values_list(part, flat=True).get(pk=order.pk)))


def _go_on(order: BatchOrder, reasons: Sequence[str]) -> None:
    """Write down how far the order is; each reason is why one push could not be seen to, if so."""
    order.seen_to += len(reasons)
    order.done += sum(not why for why in reasons)
    for why in filter(None, reasons):
        order.refused[why] = order.refused.get(why, 0) + 1
    order.leased_until = None
    if order.seen_to == order.pushes:
        order.ended_at = timezone.now()
    order.save(update_fields=["seen_to", "done", "refused", "leased_until", "ended_at"])


def _seen(marks: bytes) -> list[Seen]:
    return [
        Seen(
            UUID(bytes=marks[start : start + _ID_BYTES]),
            marks[start + _ID_BYTES : start + _MARK_BYTES],
        )
        for start in range(0, len(marks), _MARK_BYTES)
    ]


def _visitor(order: BatchOrder) -> Visitor:
    return Visitor(
        label=f"staff:{order.user.get_username()}",
        user_id=order.user_id,
        ip_address=order.ip_address,
        agent=order.agent,
        request_id=order.request_id,
    )


def _decided(order: BatchOrder, part: Sequence[Seen]) -> list[str]:
    """Decide about the part; why each decision does not count, empty if it does."""
    verdict, proof = _VERDICTS[OrderKind(order.kind)], _proof_of(order, order.seen_to)
    with acting_as(_visitor(order)):
        if len({one.payment_id for one in part}) == len(part):
            said = Together(order.user, verdict, order.reason, proof)
            results = decide_together(part, said=said)
        else:
            # Nobody names a push twice but by hand; then each finds what became of the one before.
            results = decide_payments(
                part, by=order.user, verdict=verdict, reason=order.reason, proof=proof
            )
    return ["" if one.bar is None else one.bar.value for one in results]


def _proof_of(order: BatchOrder, place: int) -> Proof:
    """What the person has shown when the order was given; the order is written once."""
    if order.signature_id is not None:
        return Signed(order.signature_id, place)
    shown_at = order.factor_shown_at or datetime.min.replace(tzinfo=UTC)
    return FreshFactor(order.user_id, shown_at=shown_at, used_at=order.created_at)


def _canceled(payment_id: UUID, order: BatchOrder) -> str:
    """Why the push could not be canceled; empty if it is."""
    rows = Payment.objects.select_related("consumer").defer("consumer__search_vector")
    try:
        # In here, because every thread has to be told who acts.
        with acting_as(_visitor(order)):
            cancel_payment(
                rows.get(pk=payment_id),
                actor=staff(order.user_id, order.user.get_username()),
                request_id=order.request_id,
                reason=order.reason,
            )
    except NotCancelable as refusal:
        return "" if refusal.status is Status.CANCELED else refusal.status.value
    return ""
