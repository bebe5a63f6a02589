"""Decisions of people with passkeys: signed, or not at all; and nothing else was signed."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from fido2.webauthn import CollectedClientData

from consumers.models import AuditEntry, Consumer
from payouts.approvals import Bar
from payouts.deciding.signatures import FreshFactor, Proof, Signed, Statement, marks_of
from payouts.models import Decision, DecisionSignature, Payment
from payouts.models.approvals import Verdict
from payouts.operations.accept_signature import SignatureRefused, accept_signature
from payouts.operations.count_tries import LockedOut
from payouts.operations.decide import (
    DecisionNotSigned,
    FactorNotFresh,
    SomethingElseSigned,
    approve_payment,
    reject_payment,
)
from payouts.operations.decide_many import Seen, decide_payments
from payouts.states import Status
from tests.books import refusal
from tests.decisions import shown_by
from tests.owner import triggers_asleep
from tests.passkeys import PRESENT, RP_ID, Passkey
from tests.payouts.commands.running import run, run_json
from tests.pushes import digest_of, make_payee, make_staff, push_for_approval, status_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def passkey(carla: User) -> Passkey:
    made = Passkey()
    made.add_to(carla)
    return made


@pytest.fixture
def payment() -> Payment:
    return push_for_approval(make_payee())


def statement(by: User, *payments: Payment, **other: Any) -> Statement:
    said: dict[str, Any] = {
        "user_id": by.pk,
        "username": by.get_username(),
        "verdict": "approve",
        "reason": "looked at it",
        "marks": marks_of((one.pk, digest_of(one)) for one in payments),
        "at": timezone.now().replace(microsecond=0),
        "nonce": "0" * 32,
    }
    return Statement(**{**said, **other})


def sign(by: User, passkey: Passkey, said: Statement, **how: Any) -> Signed:
    assertion = passkey.sign(said.challenge(), **how)
    return accept_signature(said, by=by, assertion=assertion, rp_id=RP_ID)


def approve(payment: Payment, by: User, proof: Proof, reason: str = "looked at it") -> Status:
    return approve_payment(payment.pk, by=by, digest=digest_of(payment), reason=reason, proof=proof)


def nothing_is_decided(payment: Payment) -> None:
    assert status_of(payment) is Status.PENDING_APPROVAL
    assert not Decision.objects.exists()


def test_a_signed_decision_counts_and_keeps_its_signature(
    carla: User, passkey: Passkey, payment: Payment
) -> None:
    proof = sign(carla, passkey, statement(carla, payment))
    assert approve(payment, carla, proof) is Status.PENDING
    kept = Decision.objects.get().signature
    assert kept is not None
    assert (kept.passkey, bytes(kept.credential_id)) == ("Work laptop", passkey.credential_id)
    assert bytes(kept.challenge).hex() not in kept.statement
    assert f"by {carla.pk} " in kept.statement


def test_whoever_has_a_passkey_decides_with_nothing_else(
    carla: User, passkey: Passkey, payment: Payment
) -> None:
    with pytest.raises(DecisionNotSigned):
        approve(payment, carla, shown_by(carla))
    nothing_is_decided(payment)
    assert AuditEntry.objects.latest("id").reason == "DecisionNotSigned"


def test_without_a_passkey_a_fresh_second_factor_is_enough(carla: User, payment: Payment) -> None:
    assert approve(payment, carla, shown_by(carla)) is Status.PENDING
    assert Decision.objects.get().signature is None


@pytest.mark.parametrize("age", [timedelta(minutes=5, seconds=1), timedelta(seconds=-1)])
def test_a_second_factor_of_another_time_is_not(
    carla: User, payment: Payment, age: timedelta
) -> None:
    now = timezone.now()
    with pytest.raises(FactorNotFresh):
        approve(payment, carla, FreshFactor(carla.pk, shown_at=now - age, used_at=now))
    nothing_is_decided(payment)


def test_a_second_factor_of_somebody_else_is_not(carla: User, payment: Payment) -> None:
    with pytest.raises(FactorNotFresh):
        approve(payment, carla, shown_by(make_staff("dora", "approver")))
    nothing_is_decided(payment)


@pytest.mark.parametrize(
    "how",
    [
        {"origin": "https://example.org"},
        {"origin": "http://testserver"},
        {"rp_id": "example.org"},
        {"flags": PRESENT},
        {"purpose": CollectedClientData.TYPE.CREATE},
    ],
    ids=["another site", "plain http", "key of another site", "holder unknown", "another purpose"],
)
def test_refuses_what_was_signed_in_another_way(
    carla: User, passkey: Passkey, payment: Payment, how: dict[str, Any]
) -> None:
    with pytest.raises(SignatureRefused):
        sign(carla, passkey, statement(carla, payment), **how)
    assert not DecisionSignature.objects.exists()


CHANGES: dict[str, dict[str, Any]] = {
    "verdict": {"verdict": "reject"},
    "reason": {"reason": "looked at that"},
    "pushes": {"marks": b"m" * 48},
    "moment": {"at": timezone.now().replace(microsecond=0) - timedelta(seconds=9)},
    "nonce": {"nonce": "1" * 32},
}


@pytest.mark.parametrize("what", CHANGES)
def test_refuses_a_signature_under_something_else(
    carla: User, passkey: Passkey, payment: Payment, what: str
) -> None:
    said = statement(carla, payment)
    assertion = passkey.sign(said.challenge())
    changed = replace(said, **CHANGES[what])
    with pytest.raises(SignatureRefused):
        accept_signature(changed, by=carla, assertion=assertion, rp_id=RP_ID)
    assert not DecisionSignature.objects.exists()


def test_refuses_the_passkey_of_somebody_else(
    carla: User, passkey: Passkey, payment: Payment
) -> None:
    dora, hers = make_staff("dora", "approver"), Passkey()
    hers.add_to(dora)
    for said in (statement(carla, payment), statement(dora, payment)):
        with pytest.raises(SignatureRefused):
            sign(carla, hers, said)
    with pytest.raises(SignatureRefused):
        sign(dora, hers, statement(carla, payment))


@pytest.mark.parametrize("age", [timedelta(minutes=5, seconds=5), timedelta(minutes=-1)])
def test_refuses_what_was_signed_at_another_time(
    carla: User, passkey: Passkey, payment: Payment, age: timedelta
) -> None:
    with pytest.raises(SignatureRefused):
        sign(carla, passkey, statement(carla, payment, at=_whole(timezone.now() - age)))


def _whole(at: datetime) -> datetime:
    return at.replace(microsecond=0)


@pytest.mark.parametrize("nonsense", [{}, {"id": "x"}, {"response": 1}, {"response": {}}])
def test_refuses_what_is_no_answer_of_a_passkey(
    carla: User, passkey: Passkey, payment: Payment, nonsense: dict[str, Any]
) -> None:
    with pytest.raises(SignatureRefused):
        accept_signature(statement(carla, payment), by=carla, assertion=nonsense, rp_id=RP_ID)


def test_ten_wrong_signatures_lock_the_second_factor(
    carla: User, passkey: Passkey, payment: Payment
) -> None:
    said = statement(carla, payment)
    for _ in range(9):
        with pytest.raises(SignatureRefused):
            sign(carla, Passkey(), said)
    for key in (Passkey(), passkey):
        with pytest.raises(LockedOut):
            sign(carla, key, said)


def test_sent_again_it_is_kept_once(carla: User, passkey: Passkey, payment: Payment) -> None:
    said = statement(carla, payment)
    assert sign(carla, passkey, said) == sign(carla, passkey, said)
    assert DecisionSignature.objects.count() == 1


def test_a_signature_is_good_for_what_it_is_under_and_nothing_else(
    carla: User, passkey: Passkey, payment: Payment
) -> None:
    proof = sign(carla, passkey, statement(carla, payment))
    other = push_for_approval(make_payee())
    with pytest.raises(SomethingElseSigned):
        approve(other, carla, proof)
    with pytest.raises(SomethingElseSigned):
        approve(payment, carla, proof, reason="another one")
    with pytest.raises(SomethingElseSigned):
        reject_payment(
            payment.pk, by=carla, digest=digest_of(payment), reason="looked at it", proof=proof
        )
    with pytest.raises(SomethingElseSigned):
        approve(payment, make_staff("dora", "approver"), proof)
    for place in (1, 10**6):
        with pytest.raises(SomethingElseSigned):
            approve(payment, carla, proof.further(place))
    nothing_is_decided(payment)


def test_a_payment_that_changed_since_is_not_what_was_signed(
    carla: User, passkey: Passkey, payment: Payment
) -> None:
    proof = sign(carla, passkey, statement(carla, payment))
    Consumer.objects.filter(pk=payment.consumer_id).update(last_name="Mallory")
    payment = Payment.objects.get(pk=payment.pk)
    with pytest.raises(SomethingElseSigned):
        approve(payment, carla, proof)
    nothing_is_decided(payment)


def test_one_signature_is_under_many_decisions_in_their_order(
    carla: User, passkey: Passkey
) -> None:
    payments = [push_for_approval(make_payee()) for _ in range(3)]
    proof = sign(carla, passkey, statement(carla, *payments))
    seen = [Seen(one.pk, digest_of(one)) for one in payments]
    said = {"by": carla, "verdict": Verdict.APPROVE, "reason": "looked at it", "proof": proof}
    turned = decide_payments(seen[::-1], **said)  # type: ignore[arg-type]
    assert [one.bar for one in turned] == [Bar.SIGNED_OTHERWISE, None, Bar.SIGNED_OTHERWISE]
    results = decide_payments(seen, **said)  # type: ignore[arg-type]
    assert [one.status for one in results] == [Status.PENDING] * 3
    assert set(Decision.objects.values_list("place", flat=True)) == {0, 1, 2}


class TestTheDatabase:
    """What the operation's checks would not catch, because something else writes."""

    def insert(self, payment: Payment, by: User, signature: str, place: str) -> str:
        return f"""INSERT INTO payouts_decision
            (payment_id, user_id, verdict, reason, digest, created_at, signature_id, place)
            VALUES ('{payment.pk}', {by.pk}, 'approve', 'looked at it',
                '\\x{digest_of(payment).hex()}', now(), {signature}, {place})"""

    def test_takes_no_unsigned_decision_of_somebody_with_a_passkey(
        self, carla: User, passkey: Passkey, payment: Payment
    ) -> None:
        assert refusal(self.insert(payment, carla, "NULL", "NULL")) == "PY120"

    def test_takes_no_decision_that_was_not_signed(
        self, carla: User, passkey: Passkey, payment: Payment
    ) -> None:
        proof = sign(carla, passkey, statement(carla, payment))
        other = push_for_approval(make_payee())
        assert refusal(self.insert(other, carla, str(proof.signature_id), "0")) == "PY121"
        dora = make_staff("dora", "approver")
        assert refusal(self.insert(payment, dora, str(proof.signature_id), "0")) == "PY121"

    @pytest.mark.parametrize(
        "change",
        ["UPDATE {} SET reason = 'x'", "DELETE FROM {}", "TRUNCATE {} CASCADE"],
    )
    def test_lets_nobody_rewrite_a_signature(
        self, carla: User, passkey: Passkey, payment: Payment, change: str
    ) -> None:
        sign(carla, passkey, statement(carla, payment))
        execute("SET CONSTRAINTS ALL IMMEDIATE")
        assert refusal(change.format("payouts_decisionsignature")) == "PY001"


def execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


def rewrite(change: str) -> None:
    """As whoever owns the database could."""
    execute("SET CONSTRAINTS ALL IMMEDIATE")
    with triggers_asleep():
        for constraint in ("signature_of_its_statement", "signature_of_its_marks"):
            execute(f"ALTER TABLE payouts_decisionsignature DROP CONSTRAINT {constraint}")
        execute(change)


class TestVerifying:
    @pytest.fixture(autouse=True)
    def _signed(self, carla: User, passkey: Passkey, payment: Payment) -> None:
        approve(payment, carla, sign(carla, passkey, statement(carla, payment)))

    def test_everything_holds(self) -> None:
        told = run_json("verify_decisions", "--json")
        assert (told["signatures"], told["signed"], told["wrong"]) == (1, 1, 0)
        assert "all hold" in run("verify_decisions")

    def test_a_key_that_was_removed_since_is_known_by_the_trail(self, carla: User) -> None:
        Authenticator.objects.all().delete()
        assert wrongs() == ["is by a key that this person never added"]

    @pytest.mark.parametrize(
        ("change", "told"),
        [
            ("signature = signature || '\\x00'", "is not by this key"),
            ("statement = replace(statement, 'looked', 'LOOKED')", "is under another statement"),
            ("verdict = 'reject'", "says something else than the row"),
            ("reason = 'x'", "did not sign decision"),
            ("marks = set_byte(marks, 0, 255)", "says something else than the row"),
            ("marks = set_byte(marks, 0, 255)", "did not sign decision"),
            ("authenticator_data = set_byte(authenticator_data, 32, 1)", "without asking"),
            ("authenticator_data = set_byte(authenticator_data, 0, 1)", "another site"),
            ("client_data = '\\x7b7d'", "cannot be read"),
            ("public_key = '\\x'", "cannot be read"),
        ],
    )
    def test_finds_what_was_rewritten(self, change: str, told: str) -> None:
        rewrite(f"UPDATE payouts_decisionsignature SET {change}")
        assert any(told in one for one in wrongs())

    def test_finds_a_decision_that_was_moved_under_a_signature(self) -> None:
        rewrite("UPDATE payouts_decision SET digest = sha256('x'::bytea)")
        assert any("did not sign decision" in one for one in wrongs())


def wrongs() -> list[str]:
    out = StringIO()
    with pytest.raises(SystemExit):
        call_command("verify_decisions", "--json", stdout=out)
    return [one["told"] for one in json.loads(out.getvalue())["findings"]]
