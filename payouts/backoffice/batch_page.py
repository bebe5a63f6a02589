"""The page of one batch: how far it is, its lines with their findings, what may be done now."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET, require_POST

from consumers.admin.base import label
from consumers.audit import Act, Verb, record_act, subject_of
from payouts.admin.words import STATUS_TONES
from payouts.backoffice.batch_address import batch_or_404, line_or_404, to_batch
from payouts.backoffice.batch_lines import VIEWS, lines_asked_for
from payouts.backoffice.batch_words import (
    STATE_MEANS,
    order_refusals,
    order_words,
    refusal_of,
    state_label,
)
from payouts.backoffice.pages import load_anew, me, shown, staff_fragment, staff_page
from payouts.batch_queries import (
    LINES_SHOWN,
    BatchCounts,
    Sums,
    cancelable_ids,
    counts_of,
    earlier_uploads,
    is_still_moving,
    open_pushes,
    orders_of,
    pushes_by_status,
)
from payouts.models import Batch, BatchOrder, BatchState, RowState
from payouts.operations.batches.check_batch import check_batch_again
from payouts.operations.batches.issue_batch import BatchMoved, GoodLines, NotYourBatch, submit_batch
from payouts.operations.batches.order_batch import order_cancels
from payouts.operations.batches.withdraw_batch import (
    choose_lines,
    leave_out_warned_lines,
    withdraw_batch,
)
from payouts.staff import APPROVE_PAYMENT, CANCEL_PAYMENT, ISSUE_PAYMENT
from payouts.states import CANCELABLE, Status

SEE: Final = "payouts.view_payment"
_WORKING: Final = frozenset({BatchState.READING, BatchState.CHECKING, BatchState.ISSUING})
_WITHDRAWABLE: Final = frozenset({*_WORKING, BatchState.READY})
# What moves by itself is looked at often, what waits for people less so.
_WORK_LOOK_SECONDS: Final = 2
_MOVING_LOOK_SECONDS: Final = 5

_MOVED: Final = "The batch has changed since you looked. This is how it is now."
_NOT_YOURS: Final = "Only whoever uploaded a batch does that."


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a batch is, and when to look again (None: nothing moves any more)."""

    batch: Batch
    state: SafeString
    means: str
    counts: BatchCounts
    issuing: Sums
    issued: Sums
    by_status: list[tuple[str, SafeString, Sums]]
    orders: list[tuple[BatchOrder, str, list[tuple[str, int]]]]
    unsent: int
    next_look_seconds: int | None

    @property
    def total_amount(self) -> Decimal:
        """Dollars of what is, or would be, issued."""
        return self.issuing.amount + self.issued.amount

    @property
    def problems(self) -> int:
        return self.counts.of(RowState.BAD, RowState.REFUSED).rows

    @property
    def left_out(self) -> int:
        return self.counts.of(RowState.LEFT_OUT).rows

    @property
    def wanted(self) -> int:
        """Lines that are, or will be, issued or refused."""
        return self.counts.of(RowState.GOOD, RowState.ISSUED, RowState.REFUSED).rows

    @property
    def seen_to(self) -> int:
        return self.counts.of(RowState.ISSUED, RowState.REFUSED).rows


@staff_page(SEE)
@require_GET
def batch(request: HttpRequest, batch_id: UUID) -> HttpResponse:
    """One batch."""
    found = batch_or_404(batch_id)
    progress = progress_of(found)
    page = lines_asked_for(request, batch_id)
    record_act(Act(verb=Verb.VIEW, subject=subject_of(found)))
    return shown(
        request,
        "backoffice/batch.html",
        title=f"Batch {found.name}",
        **_context(request, found, progress),
        earlier_uploads=earlier_uploads(found) if found.state == BatchState.READY else [],
        refusal=refusal_of(found),
        **page.context(),
        views=_tabs(progress.counts),
    )


@staff_fragment(SEE)
@require_GET
def live(request: HttpRequest, batch_id: UUID) -> HttpResponse:
    """How far it is now, with the lines that were looked at if anything about them is new; the
    whole page anew once the batch has become something else."""
    found = batch_or_404(batch_id)
    if request.GET.get("state") != found.state:
        return load_anew()
    page = lines_asked_for(request, batch_id)
    context = {
        **_context(request, found, progress_of(found)),
        **page.context(),
        "is_update": True,
        "have_lines_changed": bool(page.lines) and request.GET.get("lines") != page.mark,
    }
    return render(request, "backoffice/batch_progress.html", context)


@staff_page(ISSUE_PAYMENT)
@require_POST
def issue(request: HttpRequest, batch_id: UUID) -> HttpResponse:
    """Issue what was on the screen, after every question on it was answered."""
    found = batch_or_404(batch_id)
    needed = ["again"] if earlier_uploads(found) else []
    needed += ["warned"] if counts_of([found.pk])[found.pk].of(RowState.GOOD).warned else []
    if any(name not in request.POST for name in needed):
        messages.error(request, "Tick what you have looked at first. Nothing is issued yet.")
        return to_batch(found)
    seen = _seen_or_404(request.POST.get("seen", ""))
    return _done(
        request,
        found,
        lambda: submit_batch(found, by=me(request), seen=seen),
        "It is being issued. You can leave this page.",
    )


@staff_page(ISSUE_PAYMENT)
@require_POST
def choose(request: HttpRequest, batch_id: UUID) -> HttpResponse:
    """Keep the ticked lines of a page and leave the others out, or leave out all with warnings."""
    found = batch_or_404(batch_id)
    if "warned" in request.POST:
        return _done(
            request,
            found,
            lambda: leave_out_warned_lines(found, by=me(request)),
            "Every line with a warning is left out.",
        )
    on_page = {line_or_404(text) for text in request.POST.getlist("line")[:LINES_SHOWN]}
    kept = on_page & {line_or_404(text) for text in request.POST.getlist("keep")[:LINES_SHOWN]}
    return _done(
        request,
        found,
        lambda: choose_lines(
            found, by=me(request), wanted=sorted(kept), left_out=sorted(on_page - kept)
        ),
        "Your choice is kept.",
    )


@staff_page(ISSUE_PAYMENT)
@require_POST
def check_again(request: HttpRequest, batch_id: UUID) -> HttpResponse:
    """Have every line checked anew, because cards, limits or money have changed."""
    found = batch_or_404(batch_id)
    if not check_batch_again(found.pk, by=me(request)):
        messages.error(request, _MOVED)
    return to_batch(found)


@staff_page(ISSUE_PAYMENT)
@require_POST
def withdraw(request: HttpRequest, batch_id: UUID) -> HttpResponse:
    """Take the batch back."""
    found = batch_or_404(batch_id)
    return _done(
        request,
        found,
        lambda: withdraw_batch(found, by=me(request)),
        "The batch is withdrawn. No more of it is issued.",
    )


@staff_page(CANCEL_PAYMENT)
@require_POST
def cancel(request: HttpRequest, batch_id: UUID) -> HttpResponse:
    """Cancel every push of the batch that was not sent yet."""
    found = batch_or_404(batch_id)
    ids = cancelable_ids(found.pk)
    if not ids:
        messages.error(request, "Nothing of it waits any more, so nothing is canceled.")
        return to_batch(found)
    return _done(
        request,
        found,
        lambda: order_cancels(found, payment_ids=ids, by=me(request), reason="batch canceled"),
        "What was not sent is being canceled.",
    )


def progress_of(found: Batch) -> Progress:
    """Read how far a batch is: three statements at most."""
    counts = counts_of([found.pk])[found.pk]
    issued = counts.of(RowState.ISSUED)
    statuses = pushes_by_status(found.pk) if issued.rows else {}
    orders = orders_of(found.pk) if issued.rows else []
    return Progress(
        batch=found,
        state=state_label(found),
        means=STATE_MEANS[BatchState(found.state)],
        counts=counts,
        issuing=counts.of(RowState.GOOD),
        issued=issued,
        by_status=[
            (status.value, label(status.value, STATUS_TONES), statuses[status])
            for status in Status
            if status in statuses
        ],
        orders=[(order, order_words(order), order_refusals(order)) for order in orders],
        unsent=sum(statuses[status].rows for status in CANCELABLE if status in statuses),
        next_look_seconds=_next_look(found, statuses, orders),
    )


def _next_look(found: Batch, statuses: dict[Status, Sums], orders: list[BatchOrder]) -> int | None:
    if found.state in _WORKING or any(order.ended_at is None for order in orders):
        return _WORK_LOOK_SECONDS
    return _MOVING_LOOK_SECONDS if is_still_moving(statuses) else None


def _context(request: HttpRequest, found: Batch, progress: Progress) -> dict[str, Any]:
    person = me(request)
    is_mine = found.uploaded_by_id == person.pk
    is_maker = is_mine and person.has_perm(ISSUE_PAYMENT)
    is_ready = is_maker and found.state == BatchState.READY
    good = progress.issuing
    return {
        "batch": found,
        "progress": progress,
        "is_ready_for_me": is_ready,
        "seen": f"{good.rows}|{good.amount}|{good.fee_amount}",
        "may_withdraw": is_maker and found.state in _WITHDRAWABLE,
        "may_cancel": is_mine and person.has_perm(CANCEL_PAYMENT) and progress.unsent > 0,
        "waiting_for_me": _waiting_for(person, found, progress),
    }


def _waiting_for(person: User, found: Batch, progress: Progress) -> int:
    is_waiting = any(name == Status.PENDING_APPROVAL.value for name, _, _ in progress.by_status)
    if not is_waiting or not person.has_perm(APPROVE_PAYMENT):
        return 0
    return open_pushes(found.pk, person, at=timezone.now()).count()


def _tabs(counts: BatchCounts) -> list[tuple[str, str, int]]:
    numbers = {
        "all": counts.lines,
        "problems": counts.of(RowState.BAD, RowState.REFUSED).rows,
        "warnings": counts.of(*RowState).warned,
        "good": counts.of(RowState.GOOD, RowState.ISSUED).rows,
        "left_out": counts.of(RowState.LEFT_OUT).rows,
    }
    return [(name, words, numbers[name]) for name, (words, _) in VIEWS.items()]


def _done(
    request: HttpRequest, found: Batch, deed: Callable[[], object], words: str
) -> HttpResponse:
    try:
        deed()
    except BatchMoved:
        messages.error(request, _MOVED)
    except NotYourBatch:
        messages.error(request, _NOT_YOURS)
    else:
        messages.success(request, words)
    return to_batch(found)


def _seen_or_404(text: str) -> GoodLines:
    try:
        rows, amount, fees = text.split("|")
        return GoodLines(int(rows), Decimal(amount), Decimal(fees))
    except (ValueError, InvalidOperation):
        raise Http404 from None
