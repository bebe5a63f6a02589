"""Everything that takes two people to change. Whatever else should is registered here.

A kind that is registered can be proposed, decided, withdrawn, and expires; the pages list it and
show its fields by name until `payouts.backoffice.change_words` has better words for them.
"""

from collections.abc import Mapping
from typing import Final

from payouts.operations.change_kinds.base import Kind, NotAChange, Target
from payouts.operations.change_kinds.doubts import CloseCaseKind, ResolutionKind, ReturnKind
from payouts.operations.change_kinds.partners import (
    APIClientKind,
    ClientSecretKind,
    FundingKind,
    PartnerKind,
)
from payouts.operations.change_kinds.staff import MemberKind, PasswordKind
from payouts.operations.change_kinds.terms import ApprovalRuleKind, FeeScheduleKind, LimitKind
from payouts.operations.change_kinds.webhooks import WebhookKind

__all__ = ["KINDS", "Kind", "NotAChange", "Target"]

KINDS: Final[Mapping[str, Kind]] = {
    kind.name: kind
    for kind in (
        PartnerKind(),
        FundingKind(),
        FeeScheduleKind(),
        LimitKind(),
        ApprovalRuleKind(),
        APIClientKind(),
        ClientSecretKind(),
        MemberKind(),
        PasswordKind(),
        ResolutionKind(),
        ReturnKind(),
        CloseCaseKind(),
        WebhookKind(),
    )
}
