"""Many decisions in one go are what they would be one by one, at a fixed cost."""

from datetime import UTC
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import Group, User

from consumers.models import AuditEntry, Partner
from consumers.operations.cards import edit_card
from payouts.approvals import Bar
from payouts.models import ApprovalRule, Decision, Event, Payment
from payouts.models.approvals import Verdict
from payouts.operations.cancel_payment import cancel_payment
from payouts.operations.decide_many import Result, Seen, decide_payments
from payouts.operations.decide_together import Together, decide_together
from payouts.states import Status
from tests.books import assert_books_are_right, available, held, journals, used
from tests.decisions import shown_by
from tests.payouts.audit.tampering import undone
from tests.pushes import (
    CLIENT,
    digest_of,
    fresh,
    make_funded_partner,
    make_payee,
    make_staff,
    push,
    push_for_approval,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def partner() -> Partner:
    return make_funded_partner()


def seen_of(*payments: Payment) -> list[Seen]:
    return [Seen(one.pk, digest_of(one)) for one in payments]


def _everything(partner: Partner) -> tuple[list[Payment], User]:
    """One push of every kind of answer, and a person who decides about all of them."""
    make_staff("zoe", "approver")
    bob = make_staff("bob", "approver")
    ApprovalRule.objects.create(name="large", amount_at_least="500", decisions=2)
    group = Group.objects.create(name="treasury")
    ApprovalRule.objects.create(name="huge", amount_at_least="900", group=group)
    cards = [make_payee(partner=partner) for _ in range(3)]
    edited = make_payee(partner=partner)
    pushes = [
        push_for_approval(cards[0]),
        push(cards[1], amount="600.00"),
        push(cards[1], amount="950.00"),
        push(edited),
        push(cards[2]),
        push(cards[2]),
    ]
    edit_card(edited, by_user=bob, nickname="Travel")
    cancel_payment(pushes[4], actor=CLIENT)
    decide_payments(
        seen_of(pushes[5]), by=bob, verdict=Verdict.APPROVE, reason="Looked", proof=shown_by(bob)
    )
    return pushes, User.objects.get(pk=bob.pk)


def _told(pushes: list[Payment], results: list[Result]) -> list[Any]:
    """What came of it, in the order of the pushes, without what is never twice the same."""
    place = {one.pk: number for number, one in enumerate(pushes)}
    events = Event.objects.values_list(
        "payment_id", "number", "kind", "from_status", "to_status", "actor", "details__reason"
    )
    decisions = Decision.objects.values_list("payment_id", "user__username", "verdict", "reason")
    happened: list[tuple[Any, ...]] = [*events, *decisions]
    entries = AuditEntry.objects.filter(verb__in=("approve", "reject"))
    acts = entries.values_list("subject_id", "verb", "result", "actor", "reason")
    return [
        [(place[one.payment_id], one.status, one.bar) for one in results],
        sorted((place[row[0]], *map(str, row[1:])) for row in happened),
        sorted((place[UUID(row[0])], *row[1:]) for row in acts),
        [fresh(one).due_at == fresh(one).approval_expires_at for one in pushes],
        [used(one.card_id, on=one.created_at.astimezone(UTC).date()) for one in pushes],
        journals(pushes[0]),
    ]


@pytest.mark.parametrize("verdict", Verdict)
def test_is_what_it_would_be_one_by_one(partner: Partner, verdict: Verdict) -> None:
    pushes, bob = _everything(partner)
    seen = seen_of(*pushes)
    # What was on the screen about this one is not what is there.
    seen[1] = Seen(seen[1].payment_id, bytes(32))
    told = []
    for decide in (_one_by_one, _together):
        with undone():
            results = decide(seen, bob, verdict)
            told.append([*_told(pushes, results), available(partner), held(partner)])
            assert_books_are_right()
    assert told[0] == told[1]
    bars = [bar for _, _, bar in told[0][0]]
    assert {Bar.CHANGED, Bar.CARD_EDITOR, Bar.NOT_WAITING, None} == set(bars)


def _one_by_one(seen: list[Seen], by: User, verdict: Verdict) -> list[Result]:
    return decide_payments(seen, by=by, verdict=verdict, reason="Looked", proof=shown_by(by))


def _together(seen: list[Seen], by: User, verdict: Verdict) -> list[Result]:
    return decide_together(seen, said=Together(by, verdict, "Looked", shown_by(by)))


@pytest.mark.parametrize("verdict", Verdict)
@pytest.mark.parametrize("count", [1, 6])
def test_costs_the_same_for_any_number(
    partner: Partner, verdict: Verdict, count: int, django_assert_num_queries: Any
) -> None:
    seen = seen_of(*(push_for_approval(make_payee(partner=partner)) for _ in range(count)))
    ann = make_staff("ann", "approver")
    # A savepoint around each insert, which is Django's. Held, locked, decisions, editors; two for
    # the permission and one for the passkey; the decisions and the entries. A yes asks for rules,
    # people and groups; a no gives usage and holds back.
    with django_assert_num_queries(16 if verdict is Verdict.APPROVE else 14):
        decide_together(seen, said=Together(ann, verdict, "", shown_by(ann)))


def test_a_whole_part_is_done_or_nothing(partner: Partner, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_arguments: Any, **_named: Any) -> None:
        raise ZeroDivisionError

    ann = make_staff("ann", "approver")
    seen = seen_of(*(push_for_approval(make_payee(partner=partner)) for _ in range(2)))
    monkeypatch.setattr("payouts.operations.decide_together.take_steps", broken)
    with pytest.raises(ZeroDivisionError):
        _together(seen, ann, Verdict.APPROVE)
    assert not Decision.objects.exists()
    assert not AuditEntry.objects.filter(verb="approve").exists()
    assert set(Payment.objects.values_list("status", flat=True)) == {Status.PENDING_APPROVAL}
