"""Does to linked rows what only somebody can do whom no trigger stops."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction

from consumers.models import Consumer
from payouts.operations.link_audit import link_audit_trail
from tests.books import execute, select
from tests.decisions import approve_payment
from tests.pushes import digest_of, make_payee, make_staff, push_for_approval

SOURCES = {
    "entry": "consumers_auditentry",
    "event": "payouts_event",
    "journal": "payouts_journal",
    "posting": "payouts_posting",
    "requirement": "payouts_approvalrequirement",
    "decision": "payouts_decision",
    "edit": "consumers_edit",
}
# One column of each that somebody could want to be different.
EDITS = {
    "entry": "actor = 'staff:somebody.else'",
    "event": 'details = details || \'{"reason": "other"}\'',
    "journal": "description = 'other'",
    "posting": "amount = amount + 1",
    "requirement": "decisions = decisions + 1",
    "decision": "reason = 'other'",
    "edit": "user_id = user_id + 1",
}


@contextmanager
def undone() -> Iterator[None]:
    """Whatever is done inside has not been done afterwards, so that one history serves many."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def make_histories(*approvers: str) -> None:
    """Some rows of every source, linked."""
    approvers = approvers or ("carla", "dora")
    card = make_payee(edited_by_user=make_staff(f"maker before {approvers[0]}", "maker"))
    Consumer.objects.filter(pk=card.consumer_id).update(edited_by_user=card.edited_by_user)
    for approver in approvers:
        payment = push_for_approval(card)
        by = make_staff(approver, "approver")
        approve_payment(payment.pk, by=by, digest=digest_of(payment))
    link_audit_trail()
    # What was deferred is checked now, and not when a row that it was about is gone.
    execute("SET CONSTRAINTS ALL IMMEDIATE")
    execute("SET CONSTRAINTS ALL DEFERRED")


def ids_of(source: str) -> list[int]:
    return [row[0] for row in select(f"SELECT id FROM {SOURCES[source]} ORDER BY id")]
