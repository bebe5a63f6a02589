"""How a payment is called in the audit trail: by its amount and payee, as people speak of it."""

from uuid import UUID

from consumers.audit import Subject, subject_of
from payouts.models import Payment


def payment_subject(payment: Payment) -> Subject:
    """The subject that a payment is; reads its consumer if the payment came without."""
    return subject_of(payment, label=f"${payment.amount:,.2f} to {payment.consumer}")


def subject_of_payment(payment_id: UUID) -> Subject:
    """The same by id: one statement.

    :raises Payment.DoesNotExist: there is no such payment.
    """
    payment = Payment.objects.select_related("consumer").defer("consumer__search_vector")
    return payment_subject(payment.get(pk=payment_id))
