"""Who may decide and how far a requirement is: the rule, and how it is read from the rows."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.utils import timezone

from consumers.models import Consumer
from consumers.operations.cards import edit_card
from consumers.operations.consumers import update_consumer
from payouts.approvals import (
    Approver,
    Bar,
    Matter,
    Progress,
    Requirement,
    bar_to_deciding,
    progress,
    who_can_decide,
)
from payouts.deciding.approvers import (
    Editors,
    approver_of,
    editors_of,
    is_valid_yes,
    matter_of,
    permitted_approvers,
)
from payouts.models import Decision, Payment
from payouts.operations.decide import subject_digest
from tests.books import select
from tests.decisions import approve_payment
from tests.owner import owning
from tests.pushes import digest_of, make_payee, make_staff, push, push_for_approval

TREASURY = 7
ANYBODY = Requirement("large", 2, None)
OF_TREASURY = Requirement("treasury looks", 1, TREASURY)


def approver(user_id: int, *groups: int, is_permitted: bool = True) -> Approver:
    return Approver(user_id, f"person {user_id}", is_permitted, frozenset(groups))


def matter(**fields: Any) -> Matter:
    return Matter(
        **{"is_waiting": True, "maker_id": 1, "card_editor_ids": frozenset({2}), **fields}
    )


@pytest.mark.parametrize(
    ("person", "about", "bar"),
    [
        (approver(3), matter(), None),
        (approver(3, is_permitted=False), matter(), Bar.NOT_PERMITTED),
        (approver(3), matter(is_waiting=False), Bar.NOT_WAITING),
        (approver(1), matter(), Bar.MAKER),
        (approver(2), matter(), Bar.CARD_EDITOR),
        (approver(3), matter(decided_by=frozenset({3})), Bar.DECIDED),
        (approver(1), matter(card_editor_ids=frozenset({1})), Bar.MAKER),
        (approver(3), matter(consumer_editor_ids=frozenset({3, 4})), Bar.CONSUMER_EDITOR),
        (approver(3), matter(uploader_id=3), Bar.UPLOADER),
        (approver(3), matter(maker_id=None, card_editor_ids=frozenset()), None),
    ],
)
def test_names_what_keeps_somebody_from_deciding(
    person: Approver, about: Matter, bar: Bar | None
) -> None:
    assert bar_to_deciding(person, about) is bar
    assert who_can_decide(about, [person]) == ([] if bar else [person])


def test_counts_a_yes_towards_everything_that_it_fits() -> None:
    said_yes = [approver(3, TREASURY), approver(4)]
    both = progress([ANYBODY, OF_TREASURY], approved_by=said_yes, can_decide=[])
    assert both == [Progress(ANYBODY, 2, 0), Progress(OF_TREASURY, 1, 0)]
    assert all(one.is_met and not one.is_blocked for one in both)


def test_is_blocked_when_nobody_is_left_who_could_meet_it() -> None:
    (large, treasury) = progress(
        [ANYBODY, OF_TREASURY], approved_by=[approver(3)], can_decide=[approver(4)]
    )
    assert (large.is_met, large.is_blocked) == (False, False)
    assert (treasury.is_met, treasury.is_blocked) == (False, True)


@pytest.mark.django_db
def test_finds_everybody_who_may_approve_with_their_groups() -> None:
    treasury = Group.objects.create(name="treasury")
    carla, root = make_staff("carla", "approver"), User.objects.create_superuser("root")
    by_hand = make_staff("hanna")
    with owning():
        by_hand.user_permissions.add(Permission.objects.get(codename="approve_payment"))
    carla.groups.add(treasury)
    make_staff("mia", "maker")
    gone = make_staff("gone", "approver")
    User.objects.filter(pk=gone.pk).update(is_active=False)
    found = {one.user_id: one for one in permitted_approvers()}
    assert set(found) == {carla.pk, root.pk, by_hand.pk}
    assert treasury.pk in found[carla.pk].group_ids
    assert all(one.is_permitted for one in found.values())
    for person in (carla, root, by_hand, gone):
        assert approver_of(fresh(person)).is_permitted == (person.pk in found)


@pytest.mark.django_db
def test_asks_two_statements_for_any_number_of_approvers(django_assert_num_queries: Any) -> None:
    for number in range(5):
        make_staff(f"approver {number}", "approver")
    with django_assert_num_queries(2):
        assert len(permitted_approvers()) == 5


@pytest.mark.django_db
def test_a_payment_waits_until_its_time_is_over() -> None:
    payment = read(push_for_approval(make_payee()))
    assert payment.approval_expires_at is not None
    second = timedelta(seconds=1)
    for at, waits in (
        (timezone.now(), True),
        (payment.approval_expires_at - second, True),
        (payment.approval_expires_at, False),
    ):
        assert _matter(payment, at=at).is_waiting is waits


@pytest.mark.django_db
def test_a_payment_that_goes_out_at_once_does_not_wait() -> None:
    assert not _matter(read(push(make_payee())), at=timezone.now()).is_waiting


@pytest.mark.django_db
def test_a_yes_counts_for_what_it_was_about_and_not_from_the_card_s_editor() -> None:
    carla = make_staff("carla", "approver")
    payment = push_for_approval(make_payee(), decisions=2)
    digest = digest_of(payment)
    approve_payment(payment.pk, by=carla, digest=digest)
    decision = Decision.objects.get()
    nobody, her = frozenset[int](), frozenset({carla.pk})
    assert is_valid_yes(decision, Editors(nobody, nobody), digest)
    assert not is_valid_yes(decision, Editors(nobody, nobody), b"x" * 32)
    assert not is_valid_yes(decision, Editors(her, nobody), digest)
    assert not is_valid_yes(decision, Editors(nobody, her), digest)


@pytest.mark.django_db
def test_an_editor_is_whoever_was_last_or_has_edited_since_the_push_was_made(
    django_assert_num_queries: Any,
) -> None:
    before, last, since, newest = (make_staff(name, "admin") for name in ("ada", "bo", "cy", "di"))
    card = make_payee(edited_by_user=before)
    edit_card(card, by_user=last, nickname="Home")
    update_consumer(card.consumer, by_user=before, last_name="Sample")
    payment = push_for_approval(card)
    for person in (since, newest):
        update_consumer(card.consumer, by_user=person, last_name=person.username)
    update_consumer(card.consumer, last_name="Of the API")
    payments = [read(payment), read(push_for_approval(make_payee()))]
    with django_assert_num_queries(1):
        found = editors_of(payments)
    assert found[payment.pk] == Editors(
        of_card=frozenset({last.pk}), of_consumer=frozenset({since.pk, newest.pk})
    )
    assert found[payments[1].pk] == Editors(frozenset(), frozenset())


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["Ann", "  Ünal\n", "a'b\"c\\", "漢字 \u200b", ""])
def test_the_database_computes_the_digest_that_we_compute(name: str) -> None:
    payment = push_for_approval(make_payee(cardholder_name=name), amount="1.50")
    Consumer.objects.filter(pk=payment.consumer_id).update(first_name=name, last_name="x")
    card, consumer = (row := read(payment)).card, row.consumer
    ((computed,),) = select(
        "SELECT payouts_subject_digest(%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        row.pk, consumer.pk, consumer.first_name, consumer.last_name, card.pk, card.fingerprint,
        card.cardholder_name, row.amount, row.fee_amount,
    )  # fmt: skip
    assert bytes(computed) == subject_digest(row)


def _matter(payment: Payment, *, at: datetime) -> Matter:
    nobody = Editors(frozenset(), frozenset())
    return matter_of(payment, digest=b"", decisions=(), editors=nobody, at=at)


def read(payment: Payment) -> Payment:
    return Payment.objects.select_related("card", "consumer").get(pk=payment.pk)


def fresh(user: User) -> User:
    return User.objects.get(pk=user.pk)
