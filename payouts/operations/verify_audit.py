"""Verifies the chain, and leaves an entry about it in the trail itself."""

import logging

from consumers.audit import Act, Result, Subject, Verb, record_act
from consumers.models import AuditEntry
from payouts.audit.verify import Verdict, verify_audit_trail

logger = logging.getLogger(__name__)


def record_verdict(verdict: Verdict) -> None:
    """Keep what a verification found: an entry, and in the log where an alert looks."""
    head = str(verdict.head or "")
    act = Act(
        verb=Verb.VERIFY,
        subject=Subject("payouts.auditblock", str(verdict.head.number) if verdict.head else ""),
        result=Result.DONE if verdict.holds else Result.FAILED,
        after={
            "head": head,
            "first_block": verdict.first,
            "blocks": verdict.blocks,
            "rows": verdict.rows,
            "tampered": verdict.tampered,
        },
        reason="; ".join(str(finding) for finding in verdict.findings[:5]),
    )
    record_act(act)
    if not verdict.holds:
        logger.error(
            "The audit trail was tampered with, %s times: %s", verdict.tampered, act.reason
        )


def verify_what_is_new() -> Verdict:
    """Verify from the block after the last one that was found good, and record the verdict.

    Cheap enough for every hour. What is older is for the whole verification: `manage.py
    verify_audit`.
    """
    verified = (
        AuditEntry.objects.filter(verb=Verb.VERIFY, result=Result.DONE).order_by("-id").first()
    )
    last = 0 if verified is None else int(verified.subject_id or 0)
    verdict = verify_audit_trail(first=last + 1)
    record_verdict(verdict)
    return verdict
