"""What the rollups say, next to what the payments say."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from uuid import UUID

from payouts.checks import examine
from payouts.models import PartnerRollup, Payment, PushRollup
from payouts.operations.follow_events import Followed, follow_events
from payouts.operations.link_audit import link_audit_trail
from payouts.rollups.invariants import ROLLUP_INVARIANTS


def link_and_follow() -> Followed:
    link_audit_trail()
    followed = follow_events()
    assert followed is not None
    return followed


def kept() -> Counter[str]:
    """How many payments the rollups have by status; both rollups must say the same."""
    by_time, by_partner = Counter[str](), Counter[str]()
    for row in PushRollup.objects.all():
        by_time[row.status] += row.payments
    for one in PartnerRollup.objects.all():
        by_partner[one.status] += one.payments
    assert by_time == by_partner
    return by_time


def true() -> Counter[str]:
    return Counter(Payment.objects.values_list("status", flat=True))


def broken() -> list[str]:
    findings = [examine(invariant) for invariant in ROLLUP_INVARIANTS]
    return [told for finding in findings for told in finding.violations]


def quarter_of(key: UUID) -> datetime:
    """The quarter of an hour in which a key was made, computed apart from the product."""
    at = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=key.int >> 80)
    return at.replace(minute=at.minute - at.minute % 15, second=0, microsecond=0)
