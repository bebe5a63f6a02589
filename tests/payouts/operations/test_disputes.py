"""What a payment says about its money while a case disputes it, and after people have looked."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from consumers.models import PaymentCard
from payouts.api.documents import payment_document
from payouts.doubts import Way
from payouts.event_record import events_after
from payouts.finding.push_columns import cells, with_columns
from payouts.models import Payment
from payouts.operations import request_payment
from payouts.operations.facts import PushFacts, Wish, push_facts
from payouts.operations.follow_outbox import follow_outbox
from payouts.operations.record_outcome import record_outcome
from payouts.operations.return_payment import return_payment
from payouts.queries import newest_records, payment_record
from payouts.states import Status
from payouts.webhooks.events import event_document
from tests.books import (
    assert_books_are_right,
    assert_the_checks_agree,
    available,
    execute,
    refusal,
)
from tests.doubts import (
    approve_closing,
    notice_about,
    propose_closing,
    resolve,
    the_case,
    two_operators,
)
from tests.pushes import (
    APPROVED,
    declined,
    fresh,
    history,
    push,
    push_submitted,
    push_unknown,
    status_of,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def released(card: PaymentCard) -> Payment:
    """Failed by the network's word, and then the network said that it was paid."""
    payment = push_submitted(card)
    record_outcome(payment.pk, declined("05"))
    record_outcome(payment.pk, APPROVED)
    return fresh(payment)


@pytest.fixture
def paid(card: PaymentCard) -> Payment:
    """Resolved as paid, and then the network said that it was not."""
    payment = push_unknown(card)
    resolve(payment, Status.COMPLETED)
    record_outcome(payment.pk, declined("05"))
    return fresh(payment)


def _told(payment: Payment) -> tuple[str, str, bool]:
    record = payment_record(payment.pk, partner_id=payment.partner_id)
    assert record is not None
    shown = payment_document(record)
    (listed,) = newest_records(payment.partner_id, limit=1).records
    assert payment_document(listed) == shown
    return shown["status"], shown["money_moved"], shown["safe_to_retry"]


@pytest.fixture
def _operators() -> None:
    two_operators()


def _close(way: Way) -> None:
    opal, otto = User.objects.get(username="opal"), User.objects.get(username="otto")
    approve_closing(propose_closing(the_case(), way, by=opal), otto)


@pytest.mark.usefixtures("_operators")
@pytest.mark.parametrize(
    ("way", "moved", "safe", "kind"),
    [
        (Way.CHARGE_PARTNER, "yes", False, "corrected"),
        (Way.HOUSE_BEARS, "yes", False, "corrected"),
        (Way.NOTHING, "no", True, "upheld"),
    ],
)
def test_what_failed_and_may_be_paid_is_not_safe_until_people_say_so(
    released: Payment,
    way: Way,
    moved: str,
    safe: bool,  # noqa: FBT001
    kind: str,
) -> None:
    assert _told(released) == ("failed", "unknown", False)
    _close(way)
    assert _told(released) == ("failed", moved, safe)
    assert history(released)[-2:] == ["disputed", kind]
    execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert_the_checks_agree()


@pytest.mark.parametrize(
    ("way", "moved", "safe"), [(Way.GIVE_BACK, "no", True), (Way.NOTHING, "yes", False)]
)
def test_what_is_paid_and_may_not_be_is_unknown_until_people_say_so(
    paid: Payment,
    way: Way,
    moved: str,
    safe: bool,  # noqa: FBT001
) -> None:
    assert _told(paid) == ("completed", "unknown", False)
    _close(way)
    assert _told(paid) == ("completed", moved, safe)
    execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_webhooks_say_it_as_it_was_then(released: Payment) -> None:
    follow_outbox()
    told = [event_document(one) for one in events_after(released.partner_id, after=0, limit=9)]
    said = [(one["type"], one["data"]["money_moved"], one["data"]["safe_to_retry"]) for one in told]
    assert said[-2:] == [
        ("payment.oct.failed", "no", True),
        ("payment.oct.disputed", "unknown", False),
    ]


def test_lists_and_files_say_it_beside_the_status(released: Payment) -> None:
    (row,) = with_columns(Payment.objects.filter(pk=released.pk), ["status"])
    assert cells(row, ["status"], zone="UTC") == ["failed (disputed)"]


def test_a_push_like_it_looks_like_a_duplicate(released: Payment) -> None:
    assert status_of(push(released.card, key=None)) is Status.PENDING_APPROVAL


def test_a_push_like_it_is_stopped_when_the_dispute_begins_between_look_and_write(
    card: PaymentCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = push_submitted(card)
    record_outcome(failed.pk, declined("05"))
    looks: list[bool] = []

    def look(wish: Wish) -> PushFacts:
        facts = push_facts(wish)
        looks.append(facts.has_twin)
        record_outcome(failed.pk, APPROVED)
        return facts

    monkeypatch.setattr(request_payment, "push_facts", look)
    assert status_of(push(card, key=None)) is Status.PENDING_APPROVAL
    assert looks == [False, True]


def test_the_same_contradiction_again_is_told_once(released: Payment) -> None:
    record_outcome(released.pk, APPROVED)
    assert history(released).count("disputed") == 1


@pytest.mark.usefixtures("_operators")
def test_a_contradiction_that_was_closed_stays_closed(released: Payment) -> None:
    _close(Way.NOTHING)
    record_outcome(released.pk, APPROVED)
    assert _told(released) == ("failed", "no", True)


@pytest.mark.usefixtures("_operators")
def test_what_people_have_found_is_what_is_contradicted_next(released: Payment) -> None:
    _close(Way.HOUSE_BEARS)
    record_outcome(released.pk, APPROVED)
    assert _told(released) == ("failed", "yes", False)
    record_outcome(released.pk, declined("05"))
    assert _told(released) == ("failed", "unknown", False)
    assert_the_checks_agree()


def test_what_is_on_its_way_stays_due(card: PaymentCard) -> None:
    """The network speaks of a push that provably never left: it is still sent."""
    payment = push(card)
    due_at = fresh(payment).due_at
    record_outcome(payment.pk, APPROVED)
    assert (status_of(payment), fresh(payment).due_at) == (Status.PENDING, due_at)
    assert _told(payment) == ("pending", "unknown", False)


# Returns


@pytest.mark.parametrize("make", [push_submitted, push_unknown])
def test_what_comes_back_was_paid(card: PaymentCard, make: Any) -> None:
    payment = make(card)
    before = available(card.partner)
    for _ in range(2):
        assert return_payment(notice_about(payment)) is Status.RETURNED
    assert history(payment)[-2:] == ["completed", "returned"]
    assert available(card.partner) == before + payment.amount
    assert record_outcome(payment.pk, APPROVED) is Status.RETURNED
    assert _told(payment) == ("returned", "yes", True)
    assert_books_are_right()
    assert_the_checks_agree()


def test_a_decline_of_what_came_back_is_a_contradiction(card: PaymentCard) -> None:
    payment = push_unknown(card)
    return_payment(notice_about(payment))
    record_outcome(payment.pk, declined("05"))
    assert _told(payment) == ("returned", "unknown", False)


def test_what_was_given_back_does_not_come_back_twice(paid: Payment) -> None:
    _close(Way.GIVE_BACK)
    before = available(paid.partner)
    assert return_payment(notice_about(paid)) is Status.COMPLETED
    assert available(paid.partner) == before
    assert _told(paid) == ("completed", "no", True)
    assert_books_are_right()


# Whatever writes


def test_the_database_compares_payments_with_their_cases(released: Payment) -> None:
    other = push_submitted(released.card, amount="7.00")
    execute("SET CONSTRAINTS ALL IMMEDIATE")
    execute("SET CONSTRAINTS ALL DEFERRED")
    lie = "UPDATE payouts_payment SET moved_otherwise = '' WHERE id = %s"
    assert refusal(lie, released.pk) == "PY147"
    opened = """INSERT INTO payouts_case (id, kind, subject, payment_id, title, ours, theirs,
        amount, state, opened_at, way, closing_reason, disputes)
        VALUES (gen_random_uuid(), 'late_answer', 'x', %s, '', '{}', '{}', %s, 'open', %s, '', '',
                TRUE)"""
    assert refusal(opened, other.pk, 7, timezone.now()) == "PY147"
    assert refusal(opened, other.pk, 0, timezone.now()) == "case_disputes_a_payment"
