"""What the database refuses whatever the way in: every test goes around Python with plain SQL."""

import pytest
from django.contrib.auth.models import User

from consumers.ids import new_id
from consumers.models import Consumer, PaymentCard
from payouts.models import Payment
from payouts.operations.record_outcome import record_outcome
from payouts.states import Status
from tests.books import execute, refusal, select
from tests.builders import make_api_client, make_consumer, make_partner
from tests.decisions import approve_payment
from tests.owner import triggers_asleep
from tests.pushes import (
    APPROVED,
    declined,
    digest_of,
    fresh,
    history,
    make_payee,
    make_staff,
    push,
    push_for_approval,
    push_submitted,
)

pytestmark = pytest.mark.django_db

WRITTEN_ONCE = "PY001"
NO_SUCH_STEP = "PY002"
ASKED_FOR = "PY003"
NO_EVENT = "PY004"
IDENTITY = "PY005"
NOT_WAITING = "PY006"
BY_MAKER = "PY007"
BY_CARD_EDITOR = "PY008"
NO_LINES = "PY031"
BY_CONSUMER_EDITOR = "PY011"
ABOUT_SOMETHING_ELSE = "PY012"


@pytest.fixture
def payment() -> Payment:
    return push(make_payee())


@pytest.fixture
def waiting() -> Payment:
    return push_for_approval(make_payee())


@pytest.mark.parametrize(
    "table",
    ["event", "journal", "posting", "decision", "approvalrequirement"],
)
def test_history_is_written_once(table: str, waiting: Payment) -> None:
    approve_payment(waiting.pk, by=make_staff("carla", "approver"), digest=digest_of(waiting))
    execute("SET CONSTRAINTS ALL IMMEDIATE")
    name = f"payouts_{table}"
    before = select(f"SELECT * FROM {name} ORDER BY id")
    assert before
    assert refusal(f"UPDATE {name} SET id = id") == WRITTEN_ONCE
    assert refusal(f"DELETE FROM {name}") == WRITTEN_ONCE
    assert refusal(f"TRUNCATE {name} CASCADE") == WRITTEN_ONCE
    assert select(f"SELECT * FROM {name} ORDER BY id") == before


@pytest.mark.parametrize("table", ["payment", "attempt", "idempotencykey"])
def test_money_rows_are_never_deleted(table: str) -> None:
    push_submitted(make_payee())
    execute("SET CONSTRAINTS ALL IMMEDIATE")
    name = f"payouts_{table}"
    assert refusal(f"DELETE FROM {name}") == WRITTEN_ONCE
    assert refusal(f"TRUNCATE {name} CASCADE") == WRITTEN_ONCE
    assert len(select(f"SELECT * FROM {name}")) == 1


def _insert_payment(**changes: object) -> str:
    """SQL that copies the payment with some columns changed (literals)."""
    columns = [str(field.column) for field in Payment._meta.concrete_fields]
    copied = [str(changes.get(name, name)) for name in columns]
    return (
        f"INSERT INTO payouts_payment ({', '.join(columns)})"
        f" SELECT {', '.join(copied)} FROM payouts_payment"
    )


@pytest.mark.parametrize("status", [s for s in Status if s not in ("pending", "pending_approval")])
def test_a_payment_begins_as_pending_or_waiting(status: Status, payment: Payment) -> None:
    changed = _insert_payment(id=f"'{new_id()}'", status=f"'{status}'")
    assert refusal(changed) == NO_SUCH_STEP


def test_a_payment_has_its_first_event(payment: Payment) -> None:
    assert refusal(_insert_payment(id=f"'{new_id()}'")) == "payment_newest_event_fk"


@pytest.mark.parametrize(
    "change",
    [
        "amount = amount + 1",
        "fee_amount = 1",
        "card_last4 = '0000'",
        "description = 'other'",
        "reference = 'other'",
        'metadata = \'{"a": "b"}\'',
        "source = 'batch'",
        "request_id = 'other'",
        "created_at = created_at - interval '1 day'",
        "maker_client_id = NULL",
        "maker_user_id = 1, maker_client_id = NULL",
        f"card_id = '{new_id()}'",
        f"consumer_id = '{new_id()}'",
        f"partner_id = '{new_id()}'",
        f"id = '{new_id()}'",
    ],
)
def test_what_a_payment_asks_for_cannot_change(change: str, payment: Payment) -> None:
    assert refusal(f"UPDATE payouts_payment SET {change}") == ASKED_FOR


def test_a_status_does_not_change_without_counting_an_event(payment: Payment) -> None:
    assert refusal("UPDATE payouts_payment SET status = 'canceled'") == NO_EVENT
    assert fresh(payment).status == Status.PENDING


def test_a_status_does_not_change_without_its_event(payment: Payment) -> None:
    changed = "UPDATE payouts_payment SET status = 'canceled', version = version + 1"
    assert refusal(changed) == "payment_newest_event_fk"


@pytest.mark.parametrize("version", [0, 3, 17])
def test_a_history_is_not_skipped(version: int, payment: Payment) -> None:
    assert refusal("UPDATE payouts_payment SET version = %s", version) == NO_EVENT


def test_an_event_has_one_number(payment: Payment) -> None:
    again = """INSERT INTO payouts_event (payment_id, number, kind, from_status, to_status, actor,
                   details, request_id, created_at)
               SELECT payment_id, number, kind, from_status, to_status, actor, details, request_id,
                   created_at FROM payouts_event"""
    assert refusal(again) == "event_number_once"


def test_a_payment_cannot_name_a_foreign_consumer(payment: Payment) -> None:
    other = make_consumer()
    changed = _insert_payment(id=f"'{new_id()}'", consumer_id=f"'{other.pk}'")
    assert refusal(changed) == "payment_card_fk"


def test_a_payment_cannot_name_a_foreign_partner(payment: Payment) -> None:
    changed = _insert_payment(id=f"'{new_id()}'", partner_id=f"'{make_partner().pk}'")
    assert refusal(changed) == "payment_card_fk"


def test_a_payment_cannot_name_a_foreign_card(payment: Payment) -> None:
    changed = _insert_payment(id=f"'{new_id()}'", card_id=f"'{make_payee().pk}'")
    assert refusal(changed) == "payment_card_fk"


@pytest.mark.parametrize("change", ["card_last4 = '0000'", "card_network = 'mastercard'"])
def test_a_payment_cannot_show_another_card_than_its_own(payment: Payment, change: str) -> None:
    column, _, value = change.partition(" = ")
    assert refusal(_insert_payment(id=f"'{new_id()}'", **{column: value})) == "payment_card_fk"


@pytest.mark.parametrize("change", ["last4 = '0000'", "network = 'mastercard'"])
def test_a_card_keeps_what_its_payments_show_of_it(payment: Payment, change: str) -> None:
    assert refusal(f"UPDATE consumers_paymentcard SET {change}") == "payment_card_fk"


def test_a_card_cannot_name_a_foreign_partner(payment: Payment) -> None:
    moved = "UPDATE consumers_paymentcard SET partner_id = %s"
    assert refusal(moved, make_partner().pk) in ("payment_card_consumer_fk", "payment_card_fk")


@pytest.mark.parametrize("amount", ["0", "-1", "50000.01"])
def test_an_amount_has_bounds(amount: str, payment: Payment) -> None:
    changed = _insert_payment(id=f"'{new_id()}'", amount=amount)
    assert refusal(changed) == "payment_amount_range"


@pytest.mark.parametrize(
    ("changes", "constraint"),
    [
        ({"fee_amount": "-0.01"}, "payment_fee_not_negative"),
        ({"source": "'mail'"}, "payment_known_source"),
        ({"maker_user_id": "1"}, "payment_one_maker"),
        ({"failure_code": "'do_not_honor'"}, "payment_failure_has_code"),
        ({"completed_at": "now()"}, "payment_completed_has_instant"),
        ({"status": "'pending_approval'"}, "payment_approval_expires"),
    ],
)
def test_a_payment_does_not_contradict_itself(
    changes: dict[str, object], constraint: str, payment: Payment
) -> None:
    assert refusal(_insert_payment(id=f"'{new_id()}'", **changes)) == constraint


def _copy_attempt(payment: Payment, **changes: str) -> str:
    columns = [row[0] for row in select(_ATTEMPT_COLUMNS)]
    values = [changes.get(name, name) for name in columns]
    values[columns.index("payment_id")] = f"'{payment.pk}'"
    return (
        f"INSERT INTO payouts_attempt ({', '.join(columns)})"
        f" SELECT {', '.join(values)} FROM payouts_attempt"
    )


_ATTEMPT_COLUMNS = """
SELECT column_name FROM information_schema.columns WHERE table_name = 'payouts_attempt'
"""


def test_a_payment_has_one_attempt() -> None:
    sent = push_submitted(make_payee())
    assert refusal(_copy_attempt(sent, trace_number="'999999'")) == "payouts_attempt_pkey"


def test_a_network_identity_is_used_once() -> None:
    card = make_payee()
    push_submitted(card)
    other = push(card, amount="5.00")
    assert refusal(_copy_attempt(other)) == "attempt_identity_once"
    execute(_copy_attempt(other, terminal_id="'PT999999'"))


@pytest.mark.parametrize(
    "column",
    ["acquiring_bin", "retrieval_reference_number", "trace_number", "card_acceptor_id",
     "terminal_id", "network"],
)  # fmt: skip
def test_a_network_identity_never_changes(column: str) -> None:
    push_submitted(make_payee())
    assert refusal(f"UPDATE payouts_attempt SET {column} = '1'") == IDENTITY


def test_an_attempt_does_not_forget_that_it_was_sent() -> None:
    push_submitted(make_payee())
    execute("UPDATE payouts_attempt SET times_sent = 3")
    assert refusal("UPDATE payouts_attempt SET times_sent = 2") == IDENTITY


def test_an_attempt_is_in_a_known_state() -> None:
    push_submitted(make_payee())
    assert refusal("UPDATE payouts_attempt SET state = 'lost'") == "attempt_known_state"


@pytest.mark.parametrize(
    "change",
    [
        "key = 'other'",
        "request_digest = '\\x00'",
        "payment_id = NULL",
        "created_at = now()",
        f"partner_id = '{new_id()}'",
    ],
)
def test_an_idempotency_key_never_changes(change: str, payment: Payment) -> None:
    assert refusal(f"UPDATE payouts_idempotencykey SET {change}") == WRITTEN_ONCE


def test_an_idempotency_key_is_used_once_per_partner(payment: Payment) -> None:
    copy = """INSERT INTO payouts_idempotencykey
                  (partner_id, key, request_digest, status_code, answer, created_at)
              SELECT {partner}, key, request_digest, status_code, answer, created_at
              FROM payouts_idempotencykey"""
    assert refusal(copy.format(partner="partner_id")) == "idempotency_key_once"
    execute(copy.format(partner=f"'{make_partner().pk}'"))


DECIDE = """
INSERT INTO payouts_decision (payment_id, user_id, verdict, reason, digest, created_at)
SELECT p.id, %s, 'approve', '', payouts_subject_digest(p.id, o.id, o.first_name, o.last_name,
    c.id, c.fingerprint, c.cardholder_name, p.amount, p.fee_amount), now()
FROM payouts_payment p JOIN consumers_consumer o ON o.id = p.consumer_id
JOIN consumers_paymentcard c ON c.id = p.card_id WHERE p.id = %s
"""


def _user(name: str = "carla") -> User:
    return make_staff(name, "approver")


def test_a_maker_does_not_decide(waiting: Payment) -> None:
    maker = _user()
    with triggers_asleep():
        execute("UPDATE payouts_payment SET maker_client_id = NULL, maker_user_id = %s", maker.pk)
    assert refusal(DECIDE, maker.pk, waiting.pk) == BY_MAKER
    execute(DECIDE, _user("dora").pk, waiting.pk)


def test_the_last_editor_of_the_card_does_not_decide(waiting: Payment) -> None:
    editor = _user()
    PaymentCard.objects.filter(pk=waiting.card_id).update(edited_by_user=editor)
    assert refusal(DECIDE, editor.pk, waiting.pk) == BY_CARD_EDITOR
    execute(DECIDE, _user("dora").pk, waiting.pk)


def test_the_last_editor_of_the_consumer_does_not_decide(waiting: Payment) -> None:
    editor = _user()
    Consumer.objects.filter(pk=waiting.consumer_id).update(edited_by_user=editor)
    assert refusal(DECIDE, editor.pk, waiting.pk) == BY_CONSUMER_EDITOR
    execute(DECIDE, _user("dora").pk, waiting.pk)


def test_no_rule_takes_the_product_s_own_name(waiting: Payment) -> None:
    rename = "UPDATE payouts_approvalrule SET name = 'possible_duplicate'"
    assert refusal(rename) == "approval_rule_own_name"


def test_nobody_decides_about_a_payment_that_does_not_wait(payment: Payment) -> None:
    assert refusal(DECIDE, _user().pk, payment.pk) == NOT_WAITING


def test_a_person_decides_once(waiting: Payment) -> None:
    person = _user()
    execute(DECIDE, person.pk, waiting.pk)
    assert refusal(DECIDE, person.pk, waiting.pk) == "decision_once_per_content"
    Consumer.objects.filter(pk=waiting.consumer_id).update(last_name="Mallory")
    execute(DECIDE, person.pk, waiting.pk)


def test_an_editor_does_not_decide_though_somebody_else_edits_later(waiting: Payment) -> None:
    editor, later = _user(), _user("dora")
    for person in (editor, later):
        Consumer.objects.filter(pk=waiting.consumer_id).update(edited_by_user=person)
        PaymentCard.objects.filter(pk=waiting.card_id).update(edited_by_user=person)
    assert refusal(DECIDE, editor.pk, waiting.pk) == BY_CARD_EDITOR
    PaymentCard.objects.filter(pk=waiting.card_id).update(edited_by_user=later)
    execute(DECIDE, _user("emil").pk, waiting.pk)


def test_a_decision_is_about_what_is_there(waiting: Payment) -> None:
    about_else = DECIDE.replace("c.cardholder_name", "'M. Mallory'")
    assert refusal(about_else, _user().pk, waiting.pk) == ABOUT_SOMETHING_ELSE


def test_nobody_decides_after_the_time_to_decide(waiting: Payment) -> None:
    execute("UPDATE payouts_payment SET approval_expires_at = now() - interval '1 second'")
    assert refusal(DECIDE, _user().pk, waiting.pk) == NOT_WAITING


def test_a_client_has_no_third_secret() -> None:
    client = make_api_client().client
    third = """INSERT INTO consumers_apiclientsecret (client_id, slot, digest)
               VALUES (%s, %s, %s)"""
    assert refusal(third, client.pk, 3, b"3") == "api_client_two_secrets"
    assert refusal(third, client.pk, 1, b"1") == "api_client_secret_slot_once"


def test_a_hold_ends_once() -> None:
    sent = push_submitted(make_payee())
    record_outcome(sent.pk, APPROVED)
    release = """INSERT INTO payouts_journal (kind, payment_id, description, actor, created_at)
                 VALUES (%s, %s, '', 'test', now())"""
    assert refusal(release, "released", sent.pk) == "journal_hold_ends_once"
    # Another kind is not refused for the hold's sake: it only lacks its lines.
    assert refusal(release, "returned", sent.pk) == NO_LINES


def test_a_released_hold_is_not_paid_out() -> None:
    sent = push_submitted(make_payee())
    record_outcome(sent.pk, declined("05"))
    complete = """INSERT INTO payouts_journal (kind, payment_id, description, actor, created_at)
                  VALUES ('completed', %s, '', 'test', now())"""
    assert refusal(complete, sent.pk) == "journal_hold_ends_once"
    assert history(sent) == ["created", "sent", "failed"]
