"""Keeps what a payment says about its money true while a case disputes it, and after it is closed.

The status of what is final never changes; beside it the payment says what its cases say. Nothing
here decides anything or moves money.
"""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from consumers.statements import fetch_row
from payouts.actors import Actor
from payouts.models import Case, EventKind
from payouts.operations.locked_payment import lock_payment
from payouts.operations.transition import Step, take_step

# The same function as in the trigger that compares them when the transaction commits.
_BY_CASES: Final = "SELECT payouts_moved_by_cases(%(id)s)"


def tell_dispute(
    case: Case, *, kind: EventKind, details: dict[str, Any], actor: Actor, at: datetime
) -> None:
    """Make the case's payment say what all its cases say now, with an event of this kind.

    In the transaction that opens or closes the case, after it has: the lock on the payment lasts
    until then, so no other case of the payment opens or closes in between.
    """
    assert case.payment_id is not None
    payment = lock_payment(case.payment_id)
    take_step(
        payment.id,
        Step(
            before=payment.status,
            to=payment.status,
            kind=kind,
            actor=actor,
            at=at,
            # It may be on its way still, and nobody's turn changes.
            due_at=payment.due_at,
            failure_code=payment.failure_code,
            network_code=payment.network_code,
            moved_otherwise=_moved_by_cases(payment.id),
            details=details,
        ),
    )


def _moved_by_cases(payment_id: UUID) -> str:
    row = fetch_row(_BY_CASES, {"id": payment_id})
    assert row is not None
    return str(row[0])
