"""Every invariant holds after whatever the operations do, and each is seen to fail when broken.

The corruptions are planted with the triggers asleep, which only the superuser of the tests can.
"""

from collections.abc import Sequence
from decimal import Decimal

import pytest
from django.db import connection
from django.utils import timezone

from consumers.models import PaymentCard
from payouts import checks, invariants
from payouts.actors import COMMAND_LINE, WORKER
from payouts.checks import NAMED_AT_MOST, Finding, check_ledger, examine, snapshot
from payouts.invariants import INVARIANTS, Invariant
from payouts.models import Account, AccountKind, EventKind, JournalKind, Payment
from payouts.operations.cancel_payment import cancel_payment
from payouts.operations.ledger import Line, post_journal
from payouts.operations.partners import fund_partner
from payouts.operations.record_outcome import fail_unsent_payment, record_outcome
from payouts.operations.transition import Step, take_step
from payouts.states import Status
from tests.books import execute, select
from tests.decisions import reject_payment
from tests.owner import triggers_asleep
from tests.payouts.corruptions import CORRUPTIONS, Corruption, payment_in
from tests.pushes import (
    APPROVED,
    CLIENT,
    REFUSED_CONNECTION,
    declined,
    digest_of,
    fresh,
    make_funded_partner,
    make_payee,
    make_staff,
    push,
    push_for_approval,
    push_submitted,
    push_unknown,
)
from tests.racing import race, returned

pytestmark = pytest.mark.django_db


def complete(payment: Payment) -> Payment:
    record_outcome(payment.pk, APPROVED)
    return fresh(payment)


def give_money_back(payment: Payment) -> None:
    """What a network does rarely: a completed payment comes back."""
    at = timezone.now()
    step = Step(
        before=Status.COMPLETED, to=Status.RETURNED, kind=EventKind.RETURNED, actor=WORKER, at=at
    )
    take_step(payment.pk, step)
    payable = Account.objects.get(kind=AccountKind.NETWORK_PAYABLE)
    available = Account.objects.get(kind=AccountKind.AVAILABLE, partner=payment.partner_id)
    post_journal(
        JournalKind.RETURNED,
        payment_id=payment.pk,
        lines=[Line(payable.pk, payment.amount), Line(available.pk, -payment.amount)],
        actor=WORKER,
        at=at,
    )


@pytest.fixture
def card() -> PaymentCard:
    return make_payee(partner=make_funded_partner())


@pytest.fixture
def every_status(card: PaymentCard) -> PaymentCard:
    """Payments in each status that there is, and some that took the longer way to it."""
    complete(push_submitted(card))
    complete(push_unknown(card))
    give_money_back(complete(push_submitted(card)))
    record_outcome(push_submitted(card).pk, declined("05"))
    sent_for_nothing = push_submitted(card)
    record_outcome(sent_for_nothing.pk, REFUSED_CONNECTION, send_number=1)
    cancel_payment(fresh(sent_for_nothing), actor=CLIENT)
    fail_unsent_payment(push(card).pk, failure_code="card_inactive", at=timezone.now())
    cancel_payment(push(card), actor=CLIENT)
    push_submitted(card)
    push_unknown(card)
    push(card)
    waiting = push_for_approval(card, amount="7.01")
    reject_payment(waiting.pk, by=make_staff("checker", "approver"), digest=digest_of(waiting))
    push_for_approval(card, amount="8.02")
    return card


def broken(findings: Sequence[Finding]) -> set[str]:
    return {finding.name for finding in findings if not finding.holds}


def found(invariant: Invariant) -> Finding:
    return next(one for one in check_ledger() if one.name == invariant.name)


@pytest.mark.usefixtures("every_status")
def test_everything_holds_after_the_operations() -> None:
    findings = check_ledger()
    assert broken(findings) == set()
    assert [finding.name for finding in findings] == [one.name for one in INVARIANTS]
    assert not any(finding.violations for finding in findings)


def test_everything_holds_in_an_empty_database() -> None:
    assert broken(check_ledger()) == set()


@pytest.mark.usefixtures("every_status")
def test_examines_all_there_is() -> None:
    examined = {finding.name: finding.examined for finding in check_ledger()}
    for invariant, table in (
        (invariants.JOURNALS_BALANCE, "payouts_journal"),
        (invariants.BALANCES_ARE_POSTINGS, "payouts_account"),
        (invariants.KEYS_HAVE_THEIR_PAYMENT, "payouts_idempotencykey"),
        (invariants.EVENTS_ARE_COMPLETE, "payouts_payment"),
        (invariants.STATUS_FOLLOWS_EVENTS, "payouts_event"),
        (invariants.STATUS_HAS_JOURNALS, "payouts_payment"),
        (invariants.ATTEMPTS_FIT_STATUS, "payouts_payment"),
    ):
        ((rows,),) = select(f"SELECT count(*) FROM {table}")
        assert examined[invariant.name] == rows > 0, invariant.name


@pytest.mark.usefixtures("every_status")
@pytest.mark.parametrize("planted", CORRUPTIONS, ids=lambda planted: planted.what)
def test_finds_exactly_what_is_broken(planted: Corruption) -> None:
    with triggers_asleep():
        execute(planted.sql)
    findings = check_ledger()
    assert broken(findings) == {invariant.name for invariant in planted.breaks}
    assert all(finding.violations for finding in findings if not finding.holds)


def test_every_invariant_is_seen_to_fail() -> None:
    assert {one for planted in CORRUPTIONS for one in planted.breaks} == set(INVARIANTS)


def test_finds_a_status_that_was_changed_by_hand(every_status: PaymentCard) -> None:
    """The crime that this is for: a payment that was paid is called failed, to be paid again."""
    with triggers_asleep():
        execute(
            f"""UPDATE payouts_payment SET status = 'failed', failure_code = 'network_error',
                completed_at = NULL WHERE id = {payment_in("completed")}"""
        )
    assert broken(check_ledger()) == {
        invariants.STATUS_FOLLOWS_EVENTS.name,
        invariants.STATUS_HAS_JOURNALS.name,
        invariants.ATTEMPTS_FIT_STATUS.name,
        invariants.TALLIES_COUNT_PAYMENTS.name,
        invariants.USAGE_IS_WHAT_WAS_PUSHED.name,
    }


def test_names_the_payment(card: PaymentCard) -> None:
    payment = complete(push_submitted(card))
    with triggers_asleep():
        execute("UPDATE payouts_attempt SET state = 'declined'")
    (told,) = found(invariants.ATTEMPTS_FIT_STATUS).violations
    assert str(payment.pk) in told
    assert "completed" in told


def test_names_some_and_counts_all(card: PaymentCard) -> None:
    for _ in range(NAMED_AT_MOST + 3):
        push(card, amount="1.00")
    with triggers_asleep():
        execute("UPDATE payouts_payment SET version = 2")
    finding = found(invariants.EVENTS_ARE_COMPLETE)
    assert finding.broken == finding.examined == NAMED_AT_MOST + 3
    assert len(finding.violations) == NAMED_AT_MOST


def test_a_rule_that_says_nothing_counts_as_broken() -> None:
    silent = Invariant("silent", "SELECT NULL::boolean AS broken, 'nothing' AS told")
    assert not examine(silent).holds


def test_asks_what_to_name_only_when_something_is_broken() -> None:
    costly = Invariant("costly", "SELECT FALSE AS broken, (1 / 0)::text AS told")
    assert examine(costly).holds


@pytest.mark.django_db(transaction=True)
def test_sees_one_instant() -> None:
    partner = make_funded_partner(dollars="100.00")
    with snapshot():
        before = examine(invariants.JOURNALS_BALANCE).examined
        returned(race([lambda: fund_partner(partner, Decimal(5), actor=COMMAND_LINE)]))
        assert examine(invariants.JOURNALS_BALANCE).examined == before
    assert examine(invariants.JOURNALS_BALANCE).examined == before + 1


@pytest.mark.django_db(transaction=True)
def test_gives_its_memory_back() -> None:
    before = select("SHOW work_mem")
    with snapshot(work_memory_mb=77):
        assert select("SHOW work_mem") == [("77MB",)]
    assert select("SHOW work_mem") == before
    assert not connection.in_atomic_block


def test_writes_nothing(every_status: PaymentCard, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(invariant: Invariant) -> Finding:
        execute("SET LOCAL transaction_read_only = on")
        return plain(invariant)

    plain = examine
    monkeypatch.setattr(checks, "examine", refuse)
    assert broken(check_ledger()) == set()
