"""Builders for tests about payments: who pays, to which card, and payments at each stop.

Everything goes through the operations, so a built payment has its events, journals and usage.
"""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.contrib.auth.models import Group, User

from consumers.ids import new_id
from consumers.models import Partner, PaymentCard
from payouts.actors import COMMAND_LINE, Actor, api_client
from payouts.approvals import Source
from payouts.models import ApprovalRule, Event, FeeSchedule, Payment
from payouts.networks.base import Approved, Declined, NotSent, NotSentReason, Unknown, UnknownReason
from payouts.operations.decide import subject_digest
from payouts.operations.partners import fund_partner
from payouts.operations.record_outcome import record_outcome
from payouts.operations.request_payment import Accepted, PushRequest, Replayed, request_payment
from payouts.operations.send_payments import Instruction, claim_due_payments
from payouts.payment_record import PaymentRecord
from payouts.states import Status
from tests.builders import make_card, make_consumer, make_partner

CLIENT_ID = new_id()
CLIENT = api_client(CLIENT_ID, "Payroll server")

APPROVED = Approved("00", approval_code="12345S", transaction_id="300000000000001")
TIMEOUT = Unknown(UnknownReason.TIMEOUT)
REFUSED_CONNECTION = NotSent(NotSentReason.CONNECTION_FAILED)


def declined(code: str) -> Declined:
    return Declined(code)


def make_funded_partner(*, dollars: str = "10000.00", **fields: Any) -> Partner:
    """A partner with this much money."""
    partner = make_partner(**fields)
    fund_partner(partner, Decimal(dollars), actor=COMMAND_LINE)
    return partner


def make_payee(*, partner: Partner | None = None, **card: Any) -> PaymentCard:
    """A card of a new consumer, of a partner with money."""
    consumer = make_consumer(partner=partner or make_funded_partner())
    return make_card(consumer=consumer, **card)


def make_charged_payee() -> PaymentCard:
    """A card of a partner with 1,000 dollars that pays 1.25 a push."""
    partner = make_funded_partner(dollars="1000.00")
    FeeSchedule.objects.create(partner=partner, fixed=Decimal("1.25"))
    return make_payee(partner=partner)


def push_request(
    card: PaymentCard, *, amount: str = "100.00", actor: Actor = CLIENT, **asked: Any
) -> PushRequest:
    """A request to push `amount` dollars to the card; `asked` are fields of `PushRequest`."""
    named: dict[str, Any] = {
        "partner_id": card.partner_id,
        "consumer_ref": str(card.consumer_id),
        "card_id": card.pk,
        "source": Source.API,
        **asked,
    }
    return PushRequest(amount=Decimal(amount), actor=actor, **named)


def body_of(payment: PaymentRecord) -> bytes:
    """Stands in for the API's rendering of an answer."""
    return f"{payment.id} {payment.status}".encode()


def ask(request: PushRequest) -> Accepted | Replayed:
    return request_payment(request, body_of=body_of)


def accepted(request: PushRequest) -> Accepted:
    answer = ask(request)
    assert isinstance(answer, Accepted)
    return answer


def replayed(request: PushRequest) -> Replayed:
    answer = ask(request)
    assert isinstance(answer, Replayed)
    return answer


def push(card: PaymentCard, *, amount: str = "100.00", **asked: Any) -> Payment:
    """An accepted payment; with a key of its own unless told otherwise, so it is no duplicate."""
    asked.setdefault("key", new_id().hex)
    answer = accepted(push_request(card, amount=amount, **asked))
    return Payment.objects.get(pk=answer.payment.id)


def make_rule(*, name: str = "everything", decisions: int = 1, **conditions: Any) -> ApprovalRule:
    return ApprovalRule.objects.create(name=name, decisions=decisions, **conditions)


def push_for_approval(card: PaymentCard, *, decisions: int = 1, **asked: Any) -> Payment:
    """A payment that waits for `decisions` people."""
    ApprovalRule.objects.get_or_create(name="everything", decisions=decisions)
    return push(card, **asked)


def make_staff(username: str, *roles: str) -> User:
    """A member of staff with these roles (names of groups)."""
    user = User.objects.create_user(username, is_staff=True)
    user.groups.set(Group.objects.filter(name__in=roles))
    return user


def digest_of(payment: Payment) -> bytes:
    """What somebody who looks at the payment now would decide about."""
    return subject_digest(Payment.objects.select_related("consumer", "card").get(pk=payment.pk))


def claim(payment: Payment) -> Instruction:
    """Let a sender take the payment; it must be the only one that is due."""
    (instruction,) = claim_due_payments(limit=10)
    assert instruction.payment_id == payment.pk
    return instruction


def push_submitted(card: PaymentCard, **asked: Any) -> Payment:
    """A payment whose sender has committed the attempt and said nothing yet."""
    payment = push(card, **asked)
    claim(payment)
    return fresh(payment)


def push_unknown(card: PaymentCard, **asked: Any) -> Payment:
    """A payment whose answer was lost."""
    payment = push_submitted(card, **asked)
    record_outcome(payment.pk, TIMEOUT)
    return fresh(payment)


def push_completed(card: PaymentCard, **asked: Any) -> Payment:
    """A payment that the network has approved."""
    payment = push_submitted(card, **asked)
    record_outcome(payment.pk, APPROVED)
    return fresh(payment)


def push_declined(card: PaymentCard, **asked: Any) -> Payment:
    """A payment that the network has declined."""
    payment = push_submitted(card, **asked)
    record_outcome(payment.pk, declined("05"))
    return fresh(payment)


def fresh(payment: Payment) -> Payment:
    return Payment.objects.get(pk=payment.pk)


def status_of(payment: Payment | UUID) -> Status:
    payment_id = payment if isinstance(payment, UUID) else payment.pk
    return Status(Payment.objects.values_list("status", flat=True).get(pk=payment_id))


def history(payment: Payment) -> list[str]:
    """The kinds of the payment's events, oldest first."""
    events = Event.objects.filter(payment=payment).order_by("number")
    return list(events.values_list("kind", flat=True))
