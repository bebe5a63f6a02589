"""Reads people, decisions and payments into what `payouts.approvals` judges. Writes nothing."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from datetime import datetime

from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, QuerySet

from payouts.approvals import Approver, Matter, Requirement
from payouts.models import ApprovalRequirement, Decision, Payment
from payouts.models.approvals import Verdict
from payouts.staff import APPROVE_PAYMENT
from payouts.states import Status


def approver_of(user: User) -> Approver:
    """A person who is here now; groups are not looked up, because no bar rests on them."""
    is_permitted = user.is_active and user.has_perm(APPROVE_PAYMENT)
    return Approver(user.pk, name_of(user), is_permitted)


def permitted_approvers() -> list[Approver]:
    """Everybody who may approve pushes at all, by name, with their groups. Two statements."""
    people = User.objects.with_perm(
        APPROVE_PAYMENT, backend="django.contrib.auth.backends.ModelBackend"
    )
    names = {user.pk: name_of(user) for user in people.order_by("first_name", "username")}
    return _approvers(names, is_permitted=True)


def people_named(user_ids: Collection[int]) -> list[Approver]:
    """These people with their groups, whatever they may do now. Two statements."""
    people = User.objects.filter(pk__in=user_ids)
    return _approvers({user.pk: name_of(user) for user in people}, is_permitted=False)


def matter_of(payment: Payment, *, decided_by: Iterable[int], at: datetime) -> Matter:
    """What there is to decide at the instant `at` about a payment, read with card and consumer."""
    # The sweep that ends what nobody decided may be late.
    is_in_time = payment.approval_expires_at is not None and at < payment.approval_expires_at
    return Matter(
        is_waiting=payment.status == Status.PENDING_APPROVAL.value and is_in_time,
        maker_id=payment.maker_user_id,
        card_editor_id=payment.card.edited_by_user_id,
        consumer_editor_id=payment.consumer.edited_by_user_id,
        decided_by=frozenset(decided_by),
    )


def open_to(user_id: int, payments: QuerySet[Payment], *, at: datetime) -> QuerySet[Payment]:
    """Those of the payments that this approver may decide about: `bar_to_deciding` as a condition.

    The queue of one person is read with it; whether a decision counts is never judged by it.
    """
    decided = Decision.objects.filter(payment=OuterRef("pk"), user_id=user_id)
    return (
        waiting(payments, at=at)
        .exclude(maker_user_id=user_id)
        .exclude(card__edited_by_user_id=user_id)
        .exclude(consumer__edited_by_user_id=user_id)
        .exclude(Exists(decided))
    )


def waiting(payments: QuerySet[Payment], *, at: datetime) -> QuerySet[Payment]:
    """Those that wait for decisions and still have time; by the index on what is due."""
    return payments.filter(status=Status.PENDING_APPROVAL.value, due_at__gt=at)


def is_valid_yes(decision: Decision, payment: Payment, digest: bytes) -> bool:
    """Whether an approval counts now: only for what it was about, and while its giver is no editor.

    `digest` is of the payment as it is now, which was read with its card and consumer.
    """
    return (
        decision.verdict == Verdict.APPROVE
        and bytes(decision.digest) == digest
        and decision.user_id != payment.card.edited_by_user_id
        and decision.user_id != payment.consumer.edited_by_user_id
    )


def required(row: ApprovalRequirement) -> Requirement:
    return Requirement(row.name, row.decisions, row.group_id)


def name_of(user: User) -> str:
    return user.get_full_name() or user.get_username()


def _approvers(names: dict[int, str], *, is_permitted: bool) -> list[Approver]:
    groups: dict[int, set[int]] = defaultdict(set)
    memberships = User.groups.through.objects.filter(user_id__in=list(names))
    for user_id, group_id in memberships.values_list("user_id", "group_id"):
        groups[user_id].add(group_id)
    return [
        Approver(user_id, name, is_permitted, frozenset(groups[user_id]))
        for user_id, name in names.items()
    ]
