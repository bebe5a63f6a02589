"""Whether an approval rule asks for more people than there are, in words for whoever sets it."""

from collections.abc import Sequence

from django.contrib.auth.models import Group

from payouts.approvals import Approver
from payouts.backoffice.words import people_words
from payouts.deciding.approvers import permitted_approvers
from payouts.models import ChangeRequest


def too_few_words(decisions: int, group: str | None, people: Sequence[Approver]) -> str:
    """A warning if no push that the rule asks about could ever go out; else empty.

    `people` are those who may approve and whom the rule asks.
    """
    if len(people) >= decisions:
        return ""
    there = {0: "nobody", 1: "only one person"}.get(len(people), f"only {len(people)} people")
    return (
        f"It asks for {people_words(decisions, group)}, and there is {there}. Every push that it "
        "asks about would be blocked, and wait until it expires."
    )


def change_warning(change: ChangeRequest) -> str:
    """What somebody should know before deciding about a change that waits; empty: nothing."""
    after = change.after
    if change.kind == "limit" and not after:
        return "The limit goes away: nothing bounds this any more."
    if change.kind != "approval_rule" or not after["is_active"]:
        return ""
    name = after["group"]
    group_id = Group.objects.filter(name=name).values_list("pk", flat=True).first()
    people = [one for one in permitted_approvers() if name is None or group_id in one.group_ids]
    return too_few_words(after["decisions"], name, people)
