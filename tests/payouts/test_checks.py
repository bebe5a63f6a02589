"""Every invariant holds after whatever the operations do, and each is seen to fail when broken.

The corruptions are planted with the triggers asleep, which only the superuser of the tests can.
"""

from collections.abc import Sequence
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Corruption:
    """SQL that breaks `breaks`, and nothing else."""

    what: str
    sql: str
    breaks: tuple[Invariant, ...]


def corruption(what: str, *breaks: Invariant, sql: str) -> Corruption:
    return Corruption(what, sql, breaks)


# Moves an account's stored balance together with a posting that was planted in it.
def _planted(journal: str, kind: str, lines: str) -> str:
    return f"""
    WITH made AS (
        INSERT INTO payouts_journal (kind, payment_id, description, actor, created_at)
        VALUES ('{kind}', {journal}, '', 'thief', now()) RETURNING id
    ), line AS (
        SELECT id AS account_id, amount FROM payouts_account JOIN (VALUES {lines})
            AS wanted (wanted_kind, amount) ON wanted_kind = kind
        WHERE network IN ('', 'sandbox')
    ), posted AS (
        INSERT INTO payouts_posting (journal_id, account_id, part, amount)
        SELECT made.id, account_id, 0, amount FROM made, line RETURNING account_id, amount
    )
    UPDATE payouts_accountpart SET balance = balance + posted.amount
    FROM posted WHERE posted.account_id = payouts_accountpart.account_id AND part = 0
    """


def _payment(status: str) -> str:
    return f"(SELECT id FROM payouts_payment WHERE status = '{status}' ORDER BY id LIMIT 1)"


CORRUPTIONS = [
    corruption(
        "a dispute that no case has opened",
        invariants.DISPUTES_FIT_CASES,
        sql=f"""UPDATE payouts_payment SET moved_otherwise = 'yes'
                WHERE id = {_payment("failed")}""",
    ),
    corruption(
        "two journals that only balance together",
        invariants.JOURNALS_BALANCE,
        sql=_planted("NULL", "reconciled", "('bank', 5.00)")
        + ";"
        + _planted("NULL", "reconciled", "('bank', -5.00)"),
    ),
    corruption(
        "a journal without lines",
        invariants.JOURNALS_BALANCE,
        sql="""INSERT INTO payouts_journal (kind, description, actor, created_at)
               VALUES ('reconciled', '', 'thief', now())""",
    ),
    corruption(
        "money out of nothing",
        invariants.ACCOUNTS_SUM_TO_ZERO,
        invariants.JOURNALS_BALANCE,
        sql=_planted("NULL", "reconciled", "('suspense', 5.00)"),
    ),
    corruption(
        "a stored balance that was changed by hand",
        invariants.BALANCES_ARE_POSTINGS,
        sql="""UPDATE payouts_accountpart part SET balance = balance +
                   CASE kind WHEN 'bank' THEN 5 ELSE -5 END
               FROM payouts_account account WHERE account.id = account_id AND part = 3
               AND kind IN ('bank', 'suspense')""",
    ),
    corruption(
        "an account without a floor",
        invariants.NO_ACCOUNT_BELOW_FLOOR,
        sql="""UPDATE payouts_accountpart SET max_debit = NULL WHERE part = 3 AND account_id =
               (SELECT id FROM payouts_account WHERE kind = 'available')""",
    ),
    corruption(
        "a part of an account that is gone",
        invariants.NO_ACCOUNT_BELOW_FLOOR,
        sql="""DELETE FROM payouts_accountpart WHERE part = 3 AND account_id =
               (SELECT id FROM payouts_account WHERE kind = 'suspense')""",
    ),
    corruption(
        "held money that belongs to no payment",
        invariants.HELD_IS_OPEN,
        invariants.JOURNALS_MOVE_WHAT_WAS_AGREED,
        invariants.SETTLED_IS_AT_BANK,
        sql=_planted("NULL", "settled", "('held', -5.00), ('bank', 5.00)"),
    ),
    corruption(
        "an accepted request without a payment",
        invariants.KEYS_HAVE_THEIR_PAYMENT,
        sql=f"""UPDATE payouts_idempotencykey SET payment_id = NULL
                WHERE payment_id = {_payment("completed")}""",
    ),
    corruption(
        "a refused request with a payment",
        invariants.KEYS_HAVE_THEIR_PAYMENT,
        sql=f"""UPDATE payouts_idempotencykey SET status_code = 422
                WHERE payment_id = {_payment("completed")}""",
    ),
    corruption(
        "an event with a number too high",
        invariants.EVENTS_ARE_COMPLETE,
        sql=f"""INSERT INTO payouts_event (payment_id, number, kind, from_status, to_status, actor,
                                           details, request_id, created_at)
                VALUES ({_payment("unknown")}, 9, 'inquired', 'unknown', 'unknown', 'thief', '{{}}',
                        '', now())""",
    ),
    corruption(
        "an event that does not begin where the last one ended",
        invariants.STATUS_FOLLOWS_EVENTS,
        sql=f"""UPDATE payouts_event SET from_status = 'unknown'
                WHERE payment_id = {_payment("failed")} AND to_status = 'failed'""",
    ),
    corruption(
        "a final state that was left",
        invariants.STATUS_FOLLOWS_EVENTS,
        sql=f"""INSERT INTO payouts_event (payment_id, number, kind, from_status, to_status, actor,
                                           details, request_id, created_at)
                SELECT id, version + new.place, 'sent', new.was, new.became, 'thief', '{{}}', '',
                    now()
                FROM payouts_payment, (VALUES (1, 'completed', 'unknown'),
                    (2, 'unknown', 'completed')) AS new (place, was, became)
                WHERE id = {_payment("completed")};
                UPDATE payouts_payment SET version = version + 2
                WHERE id = {_payment("completed")}""",
    ),
    corruption(
        "a completed payment without its journal",
        invariants.STATUS_HAS_JOURNALS,
        sql=f"""UPDATE payouts_journal SET kind = 'corrected'
                WHERE payment_id = {_payment("completed")} AND kind = 'completed'""",
    ),
    corruption(
        "an open payment whose money was given back",
        invariants.STATUS_HAS_JOURNALS,
        invariants.JOURNALS_BALANCE,
        invariants.JOURNALS_MOVE_WHAT_WAS_AGREED,
        sql=f"""INSERT INTO payouts_journal (kind, payment_id, description, actor, created_at)
                VALUES ('released', {_payment("submitted")}, '', 'thief', now())""",
    ),
    corruption(
        "a fee that is more than was agreed",
        invariants.JOURNALS_MOVE_WHAT_WAS_AGREED,
        sql=f"""WITH wrong AS (
                    INSERT INTO payouts_posting (journal_id, account_id, part, amount)
                    SELECT journal.id, account.id, 0,
                        CASE account.kind WHEN 'fee_revenue' THEN -1 ELSE 1 END
                    FROM payouts_journal journal, payouts_account account
                    WHERE journal.kind = 'completed' AND payment_id = {_payment("completed")}
                    AND account.kind IN ('fee_revenue', 'network_payable')
                    RETURNING account_id, amount
                )
                UPDATE payouts_accountpart SET balance = balance + wrong.amount
                FROM wrong WHERE wrong.account_id = payouts_accountpart.account_id AND part = 0""",
    ),
    corruption(
        "a completed payment that the network declined",
        invariants.ATTEMPTS_FIT_STATUS,
        sql=f"""UPDATE payouts_attempt SET state = 'declined'
                WHERE payment_id = {_payment("completed")}""",
    ),
    corruption(
        "a failed payment that the network approved",
        invariants.ATTEMPTS_FIT_STATUS,
        sql=f"""UPDATE payouts_attempt SET state = 'approved'
                WHERE payment_id = {_payment("failed")}""",
    ),
    corruption(
        "an unknown payment without an attempt",
        invariants.ATTEMPTS_FIT_STATUS,
        sql=f"DELETE FROM payouts_attempt WHERE payment_id = {_payment('unknown')}",
    ),
    corruption(
        "a tally that counts one too many",
        invariants.TALLIES_COUNT_PAYMENTS,
        sql="""UPDATE payouts_paymenttally SET payments = payments + 1 WHERE ctid =
               (SELECT min(ctid) FROM payouts_paymenttally)""",
    ),
    corruption(
        "a tally of money that is not there",
        invariants.TALLIES_COUNT_PAYMENTS,
        sql="""INSERT INTO payouts_paymenttally (partner_id, status, part, payments, amount)
               SELECT id, 'expired', 0, 0, 5 FROM consumers_partner""",
    ),
    corruption(
        "a day's usage that was forgotten",
        invariants.USAGE_IS_WHAT_WAS_PUSHED,
        sql="""DELETE FROM payouts_dailyusage
               WHERE subject_id IN (SELECT id FROM consumers_paymentcard)""",
    ),
    corruption(
        "usage of a day on which nobody pushed",
        invariants.USAGE_IS_WHAT_WAS_PUSHED,
        sql="""INSERT INTO payouts_dailyusage (subject_id, day, part, amount, count)
               SELECT id, current_date - 2, 0, 5, 1 FROM consumers_consumer""",
    ),
]


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
                completed_at = NULL WHERE id = {_payment("completed")}"""
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
