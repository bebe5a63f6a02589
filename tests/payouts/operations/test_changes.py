"""Changes by two people: what a decision needs, what it does, what it leaves alone."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from consumers.models import AuditEntry, Partner
from payouts.changes import DECIDED_WITHIN
from payouts.models import ChangeRequest, FeeSchedule, Journal, Limit
from payouts.money import CENT, LARGEST_PUSH, ZERO
from payouts.operations.change_kinds import NotAChange
from payouts.operations.changes import (
    ChangeByProposer,
    ChangeByWhomItConcerns,
    ChangeDecisionRefused,
    ChangeImpossible,
    ChangeNotPermitted,
    ChangeNotWaiting,
    ChangeOutdated,
    ChangeSeenOtherwise,
    ProposalNotPermitted,
    ProposerGone,
    approve_change,
    expire_changes,
    reject_change,
    withdraw_change,
)
from payouts.operations.members import switch_off_member
from payouts.operations.partners import switch_off_partner
from payouts.staff import ROLES
from tests.books import assert_books_are_right, available
from tests.builders import make_partner
from tests.changes import (
    GRACE,
    RULE,
    approve,
    fund,
    propose,
    reject,
    set_fees,
    set_limit,
    state_of,
    two_admins,
)
from tests.decisions import shown_by
from tests.owner import triggers_asleep
from tests.pushes import make_staff

pytestmark = pytest.mark.django_db

TRAIL = [("propose", "done"), ("fund", "done"), ("approve", "done")]


@pytest.fixture
def partner() -> Partner:
    return make_partner(name="Northwind")


@pytest.fixture
def people() -> tuple[User, User]:
    return two_admins()


def trail() -> list[tuple[str, str]]:
    rows = AuditEntry.objects.exclude(subject_type="consumers.partner", verb="add")
    return list(rows.order_by("pk").values_list("verb", "result"))


def test_a_proposal_changes_nothing(partner: Partner, people: tuple[User, User]) -> None:
    change = fund(partner, by=people[0])
    assert state_of(change) == "proposed"
    assert available(partner) == 0
    assert not Journal.objects.exists()


def test_a_second_person_s_yes_does_it(partner: Partner, people: tuple[User, User]) -> None:
    ada, bea = people
    change = approve(fund(partner, by=ada), bea)
    assert available(partner) == Decimal("250.00")
    journal = Journal.objects.get()
    assert (change.state, change.result) == ("applied", str(journal.pk))
    assert journal.description == "W-1, proposed by ada"
    assert journal.actor == "staff:bea"
    assert trail() == TRAIL
    assert_books_are_right()


def test_an_approver_is_a_second_person_too(partner: Partner) -> None:
    carla = make_staff("carla", "approver")
    approve(fund(partner, by=make_staff("ada", "admin")), carla)
    assert available(partner) == Decimal("250.00")


def test_the_proposer_does_not_decide(partner: Partner, people: tuple[User, User]) -> None:
    change = fund(partner, by=people[0])
    for decide in (approve, reject):
        with pytest.raises(ChangeByProposer):
            decide(change, people[0])
    assert (state_of(change), available(partner)) == ("proposed", ZERO)
    assert trail()[1:] == [("approve", "refused"), ("reject", "refused")]


def test_a_superuser_is_no_exception(partner: Partner) -> None:
    root = User.objects.create_superuser("root")
    change = fund(partner, by=root)
    with pytest.raises(ChangeByProposer):
        approve(change, root)
    assert available(partner) == 0


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_whoever_decides_is_permitted_to(role: Any, partner: Partner) -> None:
    ada = make_staff("ada", "admin")
    change, otto = fund(partner, by=ada), make_staff("otto", role.name)
    if role.name in ("admin", "approver"):
        assert reject(change, otto).state == "rejected"
        return
    for decide in (approve, reject):
        with pytest.raises(ChangeNotPermitted):
            decide(change, otto)
    assert state_of(change) == "proposed"


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_whoever_proposes_is_permitted_to(role: Any, partner: Partner) -> None:
    otto = make_staff("otto", role.name)
    if role.name == "admin":
        assert fund(partner, by=otto).state == "proposed"
        return
    for wish in (fund, set_fees):
        with pytest.raises(ProposalNotPermitted):
            wish(partner, by=otto)
    assert not ChangeRequest.objects.exists()
    assert trail() == [("propose", "refused")] * 2


def test_nobody_decides_about_themselves(people: tuple[User, User]) -> None:
    ada, bea = people
    after = {**GRACE, "username": "bea", "groups": ["admin", "approver"]}
    change = propose("staff_member", after, by=ada, subject=str(bea.pk))
    for decide in (approve, reject):
        with pytest.raises(ChangeByWhomItConcerns):
            decide(change, bea)
    assert list(bea.groups.values_list("name", flat=True)) == ["admin"]


def test_an_approver_does_not_decide_about_staff() -> None:
    change = propose("staff_member", GRACE, by=two_admins()[0])
    with pytest.raises(ChangeNotPermitted):
        approve(change, make_staff("carla", "approver"))
    assert not User.objects.filter(username="grace").exists()


def test_a_decision_is_about_what_was_seen(partner: Partner, people: tuple[User, User]) -> None:
    change = fund(partner, by=people[0])
    other = fund(partner, by=people[0], amount="9.00", reference="W-2")
    for decide in (approve_change, reject_change):
        proof = shown_by(people[1])
        with pytest.raises(ChangeSeenOtherwise):
            decide(change.pk, by=people[1], digest=bytes(other.digest), reason="", proof=proof)
    assert available(partner) == 0


def test_it_is_decided_once(partner: Partner, people: tuple[User, User]) -> None:
    change, carla = approve(fund(partner, by=people[0]), people[1]), make_staff("carla", "approver")
    for decide in (approve, reject):
        with pytest.raises(ChangeNotWaiting):
            decide(change, carla)
    assert available(partner) == Decimal("250.00")


def test_a_no_ends_it(partner: Partner, people: tuple[User, User]) -> None:
    change = reject(fund(partner, by=people[0]), people[1])
    with pytest.raises(ChangeNotWaiting):
        approve(change, make_staff("carla", "approver"))
    assert (state_of(change), available(partner)) == ("rejected", ZERO)


def test_the_proposer_takes_it_back(partner: Partner, people: tuple[User, User]) -> None:
    change = fund(partner, by=people[0])
    with pytest.raises(ChangeNotPermitted):
        withdraw_change(change.pk, by=people[1])
    assert withdraw_change(change.pk, by=people[0]).state == "withdrawn"
    with pytest.raises(ChangeNotWaiting):
        withdraw_change(change.pk, by=people[0])
    with pytest.raises(ChangeNotWaiting):
        approve(change, people[1])
    assert available(partner) == 0


def test_what_moved_meanwhile_is_refused(partner: Partner, people: tuple[User, User]) -> None:
    ada, bea = people
    higher = set_limit(partner, by=ada, max_amount=Decimal(900))
    lower = set_limit(partner, by=ada, max_amount=Decimal(100))
    approve(lower, bea)
    with pytest.raises(ChangeOutdated):
        approve(higher, bea)
    assert Limit.objects.get().max_amount == Decimal(100)
    assert state_of(higher) == "proposed"


def test_does_not_undo_a_stop(partner: Partner, people: tuple[User, User]) -> None:
    ada, bea = people
    terms = {
        "name": "Northwind", "is_active": True, "requires_idempotency_key": True,
        "approval_hours": 24,
    }  # fmt: skip
    change = propose("partner", terms, by=ada, partner_id=partner.pk)
    switch_off_partner(partner, reason="Looks wrong")
    with pytest.raises(ChangeOutdated):
        approve(change, bea)
    partner.refresh_from_db()
    assert (partner.is_active, partner.approval_hours) == (False, 72)


def test_what_became_impossible_is_refused(people: tuple[User, User]) -> None:
    ada, bea = people
    terms = {
        "name": "Northwind", "is_active": True, "requires_idempotency_key": False,
        "approval_hours": 24,
    }  # fmt: skip
    change = propose("partner", terms, by=ada)
    make_partner(name="Northwind")
    with pytest.raises(ChangeImpossible):
        approve(change, bea)
    assert Partner.objects.get().approval_hours == 72
    assert state_of(change) == "proposed"


def test_a_proposal_of_somebody_who_was_switched_off_is_not_done(
    partner: Partner, people: tuple[User, User]
) -> None:
    ada, bea = people
    change = fund(partner, by=ada)
    switch_off_member(ada, by=bea, reason="Lost the laptop")
    with pytest.raises(ProposerGone):
        approve(change, bea)
    assert available(partner) == 0
    assert reject(change, bea).state == "rejected"


def test_the_same_proposal_again_is_the_one_that_waits(
    partner: Partner, people: tuple[User, User]
) -> None:
    first = set_fees(partner, by=people[0])
    assert set_fees(partner, by=people[0]) == first
    assert ChangeRequest.objects.count() == 1


@pytest.mark.parametrize("reference", ["W-1", "w-1", "  W-1 "])
def test_one_arrival_is_booked_once(
    reference: str, partner: Partner, people: tuple[User, User]
) -> None:
    ada, bea = people
    change = fund(partner, by=ada)
    for _ in ("waits", "applied"):
        with pytest.raises(NotAChange):
            fund(partner, by=ada, amount="5.00", reference=reference)
        if state_of(change) == "proposed":
            approve(change, bea)
    assert available(partner) == Decimal("250.00")
    fund(make_partner(), by=ada, reference=reference)


def test_a_rejected_reference_is_free_again(partner: Partner, people: tuple[User, User]) -> None:
    reject(fund(partner, by=people[0]), people[1])
    approve(fund(partner, by=people[0]), people[1])
    assert available(partner) == Decimal("250.00")


@pytest.mark.parametrize("amount", ["0", "-5", "0.001", "1e30", "NaN"])
def test_refuses_what_cannot_be_booked(
    amount: str, partner: Partner, people: tuple[User, User]
) -> None:
    with pytest.raises(NotAChange) as refusal:
        fund(partner, by=people[0], amount=amount)
    assert list(refusal.value.problems) == ["amount"]
    assert not ChangeRequest.objects.exists()


def test_refuses_a_change_that_changes_nothing(partner: Partner, people: tuple[User, User]) -> None:
    approve(set_fees(partner, by=people[0]), people[1])
    with pytest.raises(NotAChange):
        set_fees(partner, by=people[0])


def test_refuses_bounds_that_no_push_can_reach(partner: Partner, people: tuple[User, User]) -> None:
    """Somebody who sets them believes that they do something."""
    beyond = LARGEST_PUSH + CENT
    with pytest.raises(NotAChange, match="never do anything") as limit:
        set_limit(partner, by=people[0], max_amount=beyond)
    with pytest.raises(NotAChange, match="never do anything") as rule:
        propose("approval_rule", {**RULE, "amount_at_least": beyond}, by=people[0])
    problems = [*limit.value.problems, *rule.value.problems]
    assert problems == ["max_amount", "amount_at_least"]
    assert not ChangeRequest.objects.exists()

    set_limit(partner, by=people[0], max_amount=LARGEST_PUSH)
    set_limit(partner, by=people[0], scope="partner_day", max_amount=beyond)
    assert ChangeRequest.objects.count() == 2


def test_is_over_after_a_week(partner: Partner, people: tuple[User, User]) -> None:
    change, waits = fund(partner, by=people[0]), set_fees(partner, by=people[0])
    with triggers_asleep():
        over = timezone.now() - timedelta(seconds=1)
        ChangeRequest.objects.filter(pk=change.pk).update(expires_at=over)
    with pytest.raises(ChangeNotWaiting):
        approve(change, people[1])
    assert expire_changes(limit=10) == 1
    assert expire_changes(limit=10) == 0
    assert (state_of(change), state_of(waits)) == ("expired", "proposed")
    assert available(partner) == 0
    assert ("expire", "done") in trail()


def test_has_a_week(partner: Partner, people: tuple[User, User]) -> None:
    change = fund(partner, by=people[0])
    assert change.expires_at - change.proposed_at == DECIDED_WITHIN == timedelta(days=7)


def test_a_schedule_begins_with_the_approval_or_later(
    partner: Partner, people: tuple[User, User]
) -> None:
    ada, bea = people
    later = timezone.now() + timedelta(days=2)
    approve(set_fees(partner, by=ada, begins=later), bea)
    before = timezone.now()
    approve(set_fees(partner, by=ada, fixed=Decimal("0.10")), bea)
    first, second = FeeSchedule.objects.order_by("valid_from")
    assert before <= first.valid_from <= timezone.now()
    assert (first.fixed, second.fixed) == (Decimal("0.10"), Decimal("0.50"))
    assert second.valid_from == later


def test_a_schedule_of_the_past_is_refused(partner: Partner, people: tuple[User, User]) -> None:
    with pytest.raises(NotAChange) as refusal:
        set_fees(partner, by=people[0], begins=timezone.now() - timedelta(minutes=1))
    assert list(refusal.value.problems) == ["valid_from"]


def test_a_refusal_leaves_nothing_behind(partner: Partner, people: tuple[User, User]) -> None:
    change = fund(partner, by=people[0])
    before = ChangeRequest.objects.values().get()
    for person in (people[0], make_staff("vera", "viewer")):
        with pytest.raises(ChangeDecisionRefused):
            approve(change, person)
    assert ChangeRequest.objects.values().get() == before
