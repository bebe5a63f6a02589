"""Writes acts into the audit trail. An act whose entry cannot be written does not happen."""

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Model
from django.utils import timezone

from consumers.audit.acts import Act, Subject
from consumers.audit.masking import HIDDEN, masked, masked_text, one_line
from consumers.audit.visitors import Visitor, current_visitor
from consumers.models import AuditEntry, Partner

LONGEST_LABEL = 160


def record_act(act: Act, *, by: Visitor | None = None) -> None:
    """Write one entry about what `by`, else the current visitor, did. One INSERT.

    In a transaction it stays or goes with what it records. Twice writes two entries.
    """
    _entry(act, by or current_visitor(), timezone.now()).save(force_insert=True)


def record_acts(acts: Iterable[Act]) -> None:
    """Write an entry about each of the acts, in their order, with one INSERT for all."""
    visitor, at = current_visitor(), timezone.now()
    AuditEntry.objects.bulk_create(_entry(act, visitor, at) for act in acts)


def _entry(act: Act, visitor: Visitor, at: datetime) -> AuditEntry:
    subject = act.subject
    return AuditEntry(
        created_at=at,
        verb=act.verb,
        result=act.result,
        actor=masked_text(one_line(visitor.label), longest=LONGEST_LABEL),
        user_id=visitor.user_id,
        client_id=visitor.client_id,
        ip_address=visitor.ip_address,
        agent=masked_text(one_line(visitor.agent), longest=120),
        request_id=visitor.request_id,
        subject_type=subject.kind,
        subject_id=one_line(subject.id, longest=LONGEST_LABEL),
        subject_label=masked_text(one_line(subject.label), longest=LONGEST_LABEL),
        partner_id=subject.partner_id or visitor.partner_id,
        before=masked(act.before),
        after=masked(act.after),
        reason=masked_text(act.reason),
    )


@contextlib.contextmanager
def audited(act: Act, *, refusals: tuple[type[Exception], ...] = ()) -> Iterator[None]:
    """Do what is inside and record the act in one transaction; or record that it was refused.

    A refusal is recorded after everything inside was undone, and raised on. Any other exception
    leaves no entry: what is not a rule's answer is a fault, and stands in the log.
    """
    try:
        with transaction.atomic():
            yield
            record_act(act)
    except refusals as refusal:
        record_act(act.refused(type(refusal).__name__))
        raise


def subject_of(row: Model, *, label: str = "") -> Subject:
    """The subject that a row is; its label is what the row calls itself unless told otherwise."""
    partner_id = row.pk if isinstance(row, Partner) else getattr(row, "partner_id", None)
    return Subject(row._meta.label_lower, str(row.pk), label or str(row), partner_id)


def changed_fields(
    row: Model, columns: Mapping[str, Any], *, unchanging: Iterable[str] = ()
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What `columns` would change about the row as it was read: (before, after), changed ones only.

    Columns that the row was read without are not read now: they are sealed, and would be hidden.
    """
    unread = row.get_deferred_fields()
    changed = [
        name
        for name, value in columns.items()
        if name not in unchanging and (name in unread or getattr(row, name) != value)
    ]
    before = {name: HIDDEN if name in unread else getattr(row, name) for name in changed}
    return before, {name: columns[name] for name in changed}
