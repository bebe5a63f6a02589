"""Builders for tests about changes of settings by two people."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User

from consumers.models import Partner
from payouts.models import ChangeRequest
from payouts.operations.changes import (
    Proposal,
    approve_change,
    propose_change,
    reject_change,
)
from tests.decisions import shown_by
from tests.pushes import make_staff

FEES: dict[str, Any] = {
    "valid_from": None,
    "fixed": Decimal("0.50"),
    "basis_points": 100,
    "minimum": Decimal(0),
    "maximum": None,
}
RULE: dict[str, Any] = {
    "name": "Large", "is_active": True, "decisions": 2, "group": None,
    "amount_at_least": Decimal(1000), "source": "", "first_push_to_card": None,
    "card_younger_than": None, "possible_duplicate": None,
}  # fmt: skip
GRACE: dict[str, Any] = {
    "username": "grace", "first_name": "Grace", "last_name": "Example", "email": "",
    "is_active": True, "groups": ["maker"],
}  # fmt: skip


def two_admins() -> tuple[User, User]:
    """Ada proposes, Bea decides."""
    return make_staff("ada", "admin"), make_staff("bea", "admin")


def propose(kind: str, after: dict[str, Any], *, by: User, **of: Any) -> ChangeRequest:
    """A change that waits."""
    return propose_change(Proposal(kind=kind, after=after, **of), by=by, reason="It is time")


def fund(partner: Partner, *, by: User, amount: str = "250.00", reference: str = "W-1") -> Any:
    after = {"amount": Decimal(amount), "reference": reference}
    return propose("fund_partner", after, by=by, partner_id=partner.pk)


def set_fees(partner: Partner, *, by: User, begins: datetime | None = None, **fees: Any) -> Any:
    after = {**FEES, "valid_from": begins, **fees}
    return propose("fee_schedule", after, by=by, partner_id=partner.pk)


def set_limit(partner: Partner, *, by: User, scope: str = "push", **bounds: Any) -> Any:
    after = {"max_amount": None, "max_count": None, **bounds}
    return propose("limit", after, by=by, partner_id=partner.pk, subject=scope)


def approve(change: ChangeRequest, by: User) -> ChangeRequest:
    """Say yes to what the change says."""
    digest = bytes(change.digest)
    return approve_change(
        change.pk, by=by, digest=digest, reason="Looked at it", proof=shown_by(by)
    )


def reject(change: ChangeRequest, by: User) -> ChangeRequest:
    """Say no to what the change says."""
    digest = bytes(change.digest)
    return reject_change(change.pk, by=by, digest=digest, reason="No", proof=shown_by(by))


def state_of(change: ChangeRequest) -> str:
    return ChangeRequest.objects.values_list("state", flat=True).get(pk=change.pk)
