"""Registers the people who are paid, keeps what is known about them, and closes their accounts."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, TypedDict, Unpack
from uuid import UUID

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone

from consumers.audit import Act, Verb, changed_fields, record_act, subject_of
from consumers.ids import new_id
from consumers.models import Consumer
from consumers.operations.sealed_rows import SealedTexts
from consumers.partner_events import tell_of_consumer
from consumers.vault import key_ring_from_settings, seal_text, unseal_text

LAST_SHOWN = 4


class ConsumerExists(Exception):
    """The partner has a consumer with this pcid already; `consumer_id` is that one's id."""

    def __init__(self, consumer_id: UUID) -> None:
        super().__init__("There is a consumer with this pcid already.")
        self.consumer_id = consumer_id


class ConsumerInactive(Exception):
    """The consumer's account is canceled: it is kept, but nothing about it changes any more."""


class ClosedByPartner(Exception):
    """The partner closed the account; staff cannot open it again."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What is masked on every page. `repr` shows none of it."""

    date_of_birth: date | None = field(repr=False)
    tax_id_type: str
    tax_identifier: str = field(repr=False)


class ConsumerFields(TypedDict, total=False):
    """What may be known about a consumer besides the pcid. Whatever is left out stays as it is."""

    first_name: str
    last_name: str
    email: str
    phone_number: str
    date_of_birth: date | None
    tax_id_type: str
    tax_identifier: str
    address_line1: str
    address_line2: str
    address_city: str
    address_state: str
    address_zip: str


class ConsumerChanges(ConsumerFields, total=False):
    pcid: str


def register_consumer(
    partner_id: UUID,
    *,
    pcid: str,
    by_user: User | None = None,
    **fields: Unpack[ConsumerFields],
) -> Consumer:
    """Store a new consumer of the partner.

    Of two callers with one pcid at once, one registers it and the other gets ConsumerExists. The
    tax identifier is sealed before it is stored. A person who registers somebody is remembered,
    because that person may not approve a push to them.

    :raises ConsumerExists: the partner has this pcid already.
    """
    consumer_id = new_id()
    columns = _columns(fields, consumer_id=consumer_id, partner_id=partner_id)
    try:
        with transaction.atomic():
            consumer = Consumer.objects.create(
                id=consumer_id,
                partner_id=partner_id,
                pcid=pcid,
                edited_by_user=by_user,
                **columns,
            )
            after = {"pcid": pcid, **columns}
            record_act(Act(verb=Verb.ADD, subject=subject_of(consumer), after=after))
            tell_of_consumer(consumer, "created")
            return consumer
    except IntegrityError as error:
        raise _exists(partner_id, pcid, error) from None


def update_consumer(
    consumer: Consumer,
    *,
    by_user: User | None = None,
    **changes: Unpack[ConsumerChanges],
) -> Consumer:
    """Store `changes` and return the consumer as it is then.

    Columns that are not named are not written, so two callers at once lose nothing of each other
    unless they change the same column; then the later one stays. A person who changes something is
    remembered, because that person may not approve a push to this consumer.

    :raises ConsumerExists: the new pcid is another consumer's.
    :raises ConsumerInactive: the account is canceled.
    """
    columns = _columns(changes, consumer_id=consumer.pk, partner_id=consumer.partner_id)
    open_consumer = Consumer.objects.filter(pk=consumer.pk, is_active=True)
    try:
        with transaction.atomic():
            editor = {} if by_user is None else {"edited_by_user": by_user}
            changed = open_consumer.update(**columns, **editor, updated_at=timezone.now())
            if changed:
                _record_change(consumer, columns)
                tell_of_consumer(consumer, "updated")
    except IntegrityError as error:
        raise _exists(consumer.partner_id, changes.get("pcid", consumer.pcid), error) from None
    if not changed:
        raise ConsumerInactive("The consumer's account is canceled.")
    consumer.refresh_from_db()
    return consumer


def cancel_consumer_account(
    consumer: Consumer, *, reason: str = "", details: str = "", by_user: User | None = None
) -> Consumer:
    """Close the account for good: no more cards, changes or payments. Its rows stay.

    Canceling again changes nothing; the first reason stays. Payments accepted before go on. What a
    member of staff closed, staff can open again; what the partner closed stays closed.
    """
    with transaction.atomic():
        closed = Consumer.objects.filter(pk=consumer.pk, is_active=True).update(
            is_active=False,
            cancellation_reason=reason,
            cancellation_details=details,
            closed_by_user=by_user,
            updated_at=timezone.now(),
        )
        if closed:
            why = " ".join(filter(None, (reason, details)))
            record_act(Act(verb=Verb.CLOSE, subject=subject_of(consumer), reason=why))
            tell_of_consumer(consumer, "canceled")
    consumer.refresh_from_db()
    return consumer


def reopen_consumer_account(consumer: Consumer, *, reason: str, by_user: User) -> Consumer:
    """Open an account again that staff had closed. Opening one that is open changes nothing.

    Whoever opens it is remembered, because that person may not approve a push to the consumer.

    :raises ClosedByPartner: the partner closed it, which is for good.
    """
    with transaction.atomic():
        opened = Consumer.objects.filter(
            pk=consumer.pk, is_active=False, closed_by_user__isnull=False
        ).update(
            is_active=True,
            cancellation_reason="",
            cancellation_details="",
            closed_by_user=None,
            edited_by_user=by_user,
            updated_at=timezone.now(),
        )
        if opened:
            record_act(Act(verb=Verb.REOPEN, subject=subject_of(consumer), reason=reason))
            tell_of_consumer(consumer, "reopened")
    consumer.refresh_from_db()
    if not consumer.is_active:
        raise ClosedByPartner("The partner closed this account for good.")
    return consumer


def reveal_identity(consumer: Consumer, *, reason: str) -> Identity:
    """Read what is masked everywhere else. That it was read, and why, stands in the audit trail
    before anybody sees it.

    :raises TextUnreadable: the tax identifier's key is not in the ring, or its bytes were changed.
    """
    row = Consumer.objects.only("date_of_birth", "tax_id_type", "tax_identifier_sealed")
    known = row.get(pk=consumer.pk)
    record_act(Act(verb=Verb.REVEAL, subject=subject_of(consumer), reason=reason))
    sealed = known.tax_identifier_sealed
    tax_identifier = ""
    if sealed is not None:
        place = _tax_identifier_place(consumer.pk, consumer.partner_id)
        tax_identifier = unseal_text(bytes(sealed), bound_to=place, ring=key_ring_from_settings())
    return Identity(known.date_of_birth, known.tax_id_type, tax_identifier)


def _record_change(consumer: Consumer, columns: dict[str, Any]) -> None:
    before, after = changed_fields(consumer, columns)
    subject = subject_of(consumer)
    record_act(Act(verb=Verb.CHANGE, subject=subject, before=before, after=after))


def _columns(
    fields: ConsumerFields | ConsumerChanges, *, consumer_id: UUID, partner_id: UUID
) -> dict[str, Any]:
    """The columns that `fields` fill; the tax identifier fills two, neither with the whole."""
    columns: dict[str, Any] = dict(fields)
    tax_identifier = columns.pop("tax_identifier", None)
    if tax_identifier is None:
        return columns
    sealed = None
    if tax_identifier:
        place = _tax_identifier_place(consumer_id, partner_id)
        sealed = seal_text(tax_identifier, bound_to=place, ring=key_ring_from_settings())
    characters = "".join(filter(str.isalnum, tax_identifier))
    return {
        **columns,
        "tax_identifier_sealed": sealed,
        "tax_identifier_last4": characters[-LAST_SHOWN:],
    }


def _tax_identifier_place(consumer_id: UUID, partner_id: UUID) -> str:
    return f"consumer|{consumer_id}|{partner_id}|tax_identifier"


def _exists(partner_id: UUID, pcid: str, error: IntegrityError) -> Exception:
    """The refusal for a pcid that is taken, or the error itself if it was about something else."""
    taken = Consumer.objects.filter(partner_id=partner_id, pcid=pcid).values_list("pk", flat=True)
    consumer_id = taken.first()
    return error if consumer_id is None else ConsumerExists(consumer_id)


TAX_IDENTIFIERS: Final = SealedTexts(
    "tax identifiers",
    model=Consumer,
    column="tax_identifier_sealed",
    place=lambda row: _tax_identifier_place(row.pk, row.partner_id),
)
