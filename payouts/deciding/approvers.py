"""Reads people, decisions and payments into what `payouts.approvals` judges. Writes nothing."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import BinaryField, Exists, F, Func, OuterRef, Q, QuerySet

from consumers.models import Edit
from payouts.approvals import (
    Approver,
    Matter,
    Progress,
    Requirement,
    progress,
    who_can_decide,
)
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


@dataclass(frozen=True, slots=True)
class Editors:
    """Who changed the card and the consumer of a payment, last or since it was made."""

    of_card: frozenset[int]
    of_consumer: frozenset[int]


def editors_of(payments: Collection[Payment]) -> dict[UUID, Editors]:
    """The editors for each payment, read with card and consumer. One statement for any number."""
    if not payments:
        return {}
    subjects = {key for one in payments for key in (one.card_id, one.consumer_id)}
    oldest = min(one.created_at for one in payments)
    edits: dict[UUID, list[Edit]] = defaultdict(list)
    for edit in Edit.objects.filter(subject_id__in=subjects, edited_at__gte=oldest):
        edits[edit.subject_id].append(edit)
    return {
        one.pk: Editors(
            _since(one, edits[one.card_id], one.card.edited_by_user_id),
            _since(one, edits[one.consumer_id], one.consumer.edited_by_user_id),
        )
        for one in payments
    }


def _since(payment: Payment, edits: Iterable[Edit], last_id: int | None) -> frozenset[int]:
    since = frozenset(one.user_id for one in edits if one.edited_at >= payment.created_at)
    return since if last_id is None else since | {last_id}


def matter_of(
    payment: Payment,
    *,
    digest: bytes,
    decisions: Iterable[Decision],
    editors: Editors,
    at: datetime,
) -> Matter:
    """What there is to decide at the instant `at` about a payment that has this digest now."""
    # The sweep that ends what nobody decided may be late.
    is_in_time = payment.approval_expires_at is not None and at < payment.approval_expires_at
    return Matter(
        is_waiting=payment.status == Status.PENDING_APPROVAL.value and is_in_time,
        maker_id=payment.maker_user_id,
        card_editor_ids=editors.of_card,
        consumer_editor_ids=editors.of_consumer,
        decided_by=frozenset(one.user_id for one in decisions if bytes(one.digest) == digest),
    )


def digest_by_database(of: type[F] = F) -> Func:
    """What a decision about each payment of a query would be bound to, computed where it lies.

    `of` is OuterRef for a query inside of that one.
    """
    columns = (
        "pk", "consumer_id", "consumer__first_name", "consumer__last_name", "card_id",
        "card__fingerprint", "card__cardholder_name", "amount", "fee_amount",
    )  # fmt: skip
    function = "payouts_subject_digest"
    return Func(*map(of, columns), function=function, output_field=BinaryField())


def open_to(user_id: int, payments: QuerySet[Payment], *, at: datetime) -> QuerySet[Payment]:
    """Those of the payments that this approver may decide about: `bar_to_deciding` as a condition.

    The queue of one person is read with it; whether a decision counts is never judged by it.
    """
    about_this = digest_by_database(OuterRef)
    decided = Decision.objects.filter(payment=OuterRef("pk"), user_id=user_id, digest=about_this)
    edited = Edit.objects.filter(
        Q(subject_id=OuterRef("card_id")) | Q(subject_id=OuterRef("consumer_id")),
        user_id=user_id,
        edited_at__gte=OuterRef("created_at"),
    )
    return (
        waiting(payments, at=at)
        .exclude(maker_user_id=user_id)
        .exclude(card__edited_by_user_id=user_id)
        .exclude(consumer__edited_by_user_id=user_id)
        .exclude(Exists(edited))
        .exclude(Exists(decided))
    )


def waiting(payments: QuerySet[Payment], *, at: datetime) -> QuerySet[Payment]:
    """Those that wait for decisions and still have time; by the index on what is due."""
    return payments.filter(status=Status.PENDING_APPROVAL.value, due_at__gt=at)


def is_valid_yes(decision: Decision, editors: Editors, digest: bytes) -> bool:
    """Whether an approval counts now: only for what it was about, and while its giver is no editor.

    `digest` is of the payment as it is now.
    """
    return (
        decision.verdict == Verdict.APPROVE
        and bytes(decision.digest) == digest
        and decision.user_id not in editors.of_card
        and decision.user_id not in editors.of_consumer
    )


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a payment that waits is: each requirement counted, and the approvals that lapsed.

    `lapsed_ids` are of decisions that do not count any more, because card or consumer were edited.
    """

    counted: list[Progress]
    lapsed_ids: frozenset[int]


def standing_of(
    payment: Payment,
    *,
    digest: bytes,
    asked: Sequence[ApprovalRequirement],
    decisions: Sequence[Decision],
    at: datetime,
) -> Standing:
    """The standing of a payment that was read with card and consumer. Five statements."""
    editors = editors_of([payment])[payment.pk]
    matter = matter_of(payment, digest=digest, decisions=decisions, editors=editors, at=at)
    valid = [one for one in decisions if is_valid_yes(one, editors, digest)]
    counted = progress(
        map(required, asked),
        approved_by=people_named([one.user_id for one in valid]),
        can_decide=who_can_decide(matter, permitted_approvers()),
    )
    yeses = {one.pk for one in decisions if one.verdict == Verdict.APPROVE}
    return Standing(counted, frozenset(yeses - {one.pk for one in valid}))


def required(row: ApprovalRequirement) -> Requirement:
    """What a stored requirement asks for."""
    return Requirement(row.name, row.decisions, row.group_id)


def name_of(user: User) -> str:
    """What pages call a person."""
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
