"""Lives of payments as a machine of rules: whatever can happen to them, in any order.

After every step what stands in the database is compared with the model (`modelled.py`).
"""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
)

from consumers.models import Partner, PaymentCard
from payouts.actors import WORKER
from payouts.models import Attempt, Case, FileState, Payment
from payouts.networks.base import NotFound
from payouts.networks.sandbox.settlement import CREDIT, Line, Window
from payouts.operations.cancel_payment import NotCancelable, cancel_payment
from payouts.operations.decide import NotWaitingForApproval, expire_undecided_payments
from payouts.operations.inquire import claim_due_inquiries, give_up_lost_senders, record_finding
from payouts.operations.record_outcome import record_outcome
from payouts.operations.request_payment import (
    Accepted,
    IdempotencyKeyReused,
    PaymentRefused,
    Replayed,
)
from payouts.operations.return_payment import return_payment
from payouts.operations.send_payments import claim_due_payments, claim_resend
from payouts.states import OPEN, Status
from tests.books import assert_books_are_right, available, execute, held
from tests.decisions import approve_payment, reject_payment
from tests.doubts import identity_of, notice_about
from tests.faults.modelled import (
    AMOUNTS,
    DECLINED,
    FATES,
    FIRST,
    FUNDED,
    KEYS,
    NEEDS_APPROVAL,
    PAID,
    WRONG,
    Modelled,
    found_of,
    status_after,
)
from tests.notices import notice, told
from tests.pushes import (
    APPROVED,
    CLIENT,
    REFUSED_CONNECTION,
    ask,
    digest_of,
    make_funded_partner,
    make_payee,
    make_rule,
    make_staff,
    push_request,
)
from tests.settlements import (
    bring,
    findings_of,
    line_about,
    settlement_of,
    window_around_now,
)

# What files were found to say, in all lives together.
FOUND: Final[Counter[str]] = Counter()


class Lives(RuleBasedStateMachine):
    """One partner, two cards, and whatever can happen to a handful of pushes."""

    payments: Bundle[UUID] = Bundle("payments")

    def __init__(self) -> None:
        super().__init__()
        self._undone = transaction.atomic()
        self._undone.__enter__()
        self.model: dict[UUID, Modelled] = {}
        self.by_key: dict[str, tuple[int, str, UUID]] = {}
        self.files = self.cases = 0

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self._undone.__exit__(None, None, None)

    @initialize(target=payments)
    def open_the_house(self) -> Any:
        self.partner: Partner = make_funded_partner(dollars=str(FUNDED))
        self.cards: list[PaymentCard] = [make_payee(partner=self.partner) for _ in range(2)]
        make_rule(amount_at_least=NEEDS_APPROVAL)
        self.carla: User = make_staff("carla", "approver")
        # Every life begins with something to send and something to decide.
        return multiple(*(self._created(0, amount, key) for amount, key in FIRST))

    # What partners do.

    @rule(
        target=payments,
        card=st.integers(0, 1),
        amount=st.sampled_from(AMOUNTS),
        key=st.sampled_from(KEYS),
    )
    def create(self, card: int, amount: str, key: str) -> Any:
        made = self._created(card, amount, key)
        return multiple() if made is None else made

    def _created(self, card: int, amount: str, key: str) -> UUID | None:
        known = self.by_key.get(key)
        try:
            answer = ask(push_request(self.cards[card], amount=amount, key=key))
        except IdempotencyKeyReused:
            assert known is not None
            assert known[:2] != (card, amount)
            return None
        except PaymentRefused:
            assert known is None
            assert Decimal(amount) > self._available()
            return None
        if isinstance(answer, Replayed):
            assert known is not None
            assert known[:2] == (card, amount)
            assert str(known[2]).encode() in answer.body
            return None
        assert isinstance(answer, Accepted)
        assert known is None
        waits = Decimal(amount) >= NEEDS_APPROVAL
        status = Status.PENDING_APPROVAL if waits else Status.PENDING
        self.by_key[key] = (card, amount, answer.payment.id)
        self.model[answer.payment.id] = Modelled(Decimal(amount), status)
        return answer.payment.id

    @rule(payment=payments)
    def cancel(self, payment: UUID) -> None:
        one = self.model[payment]
        try:
            cancel_payment(Payment.objects.get(pk=payment), actor=CLIENT)
        except NotCancelable:
            assert one.status not in (Status.PENDING, Status.PENDING_APPROVAL)
            return
        one.become(Status.CANCELED)

    # What people do.

    @rule(payment=payments, verdict=st.sampled_from(["approve", "reject"]))
    def decide(self, payment: UUID, verdict: str) -> None:
        one, row = self.model[payment], Payment.objects.get(pk=payment)
        decision = approve_payment if verdict == "approve" else reject_payment
        try:
            decision(payment, by=self.carla, digest=digest_of(row), reason="Looked at it.")
        except NotWaitingForApproval:
            assert one.status is not Status.PENDING_APPROVAL
            return
        one.become(Status.PENDING if verdict == "approve" else Status.REJECTED)

    @rule(payment=payments)
    def expire(self, payment: UUID) -> None:
        execute(
            "UPDATE payouts_payment SET approval_expires_at = now() - interval '1 second',"
            " due_at = now() - interval '1 second' WHERE id = %s AND status = 'pending_approval'",
            payment,
        )
        expire_undecided_payments(limit=10)
        if self.model[payment].status is Status.PENDING_APPROVAL:
            self.model[payment].become(Status.EXPIRED)

    # What senders and the network do.

    @rule(fate=st.sampled_from(sorted(FATES)))
    def send(self, fate: str) -> None:
        execute("UPDATE payouts_payment SET due_at = now() WHERE status = 'pending'")
        for one in claim_due_payments(limit=10):
            modelled = self.model[one.payment_id]
            modelled.identity = modelled.identity or one.push.identity
            assert one.push.identity == modelled.identity
            self._send(one.payment_id, fate, one.send_number)
        assert not any(one.status is Status.PENDING for one in self.model.values()) or (
            fate == "refused"
        )

    def _send(self, payment: UUID, fate: str, number: int) -> None:
        one = self.model[payment]
        one.become(Status.SUBMITTED)
        one.sends += 1
        one.not_found = 0
        assert number == one.sends
        credited, heard = FATES[fate]
        # The network knows an identity that comes again, and does nothing twice.
        one.credited = credited if one.credited is None else one.credited
        if heard in (APPROVED, DECLINED) and one.credited is not None:
            heard = APPROVED if one.credited else DECLINED
        if heard is not None:
            status = record_outcome(payment, heard, send_number=number)
            one.become(
                status_after(heard, may_have_left=one.sends > 1 and Status.UNKNOWN in one.past)
            )
            assert status is one.status

    @rule()
    def give_up_the_lost(self) -> None:
        execute("UPDATE payouts_payment SET due_at = now() WHERE status = 'submitted'")
        give_up_lost_senders(limit=10)
        for one in self.model.values():
            if one.status is Status.SUBMITTED:
                one.become(Status.UNKNOWN)

    @rule(fate=st.sampled_from(sorted(FATES)))
    def inquire(self, fate: str) -> None:
        execute("UPDATE payouts_payment SET due_at = now() WHERE status = 'unknown'")
        for inquiry in claim_due_inquiries(limit=10):
            one = self.model[inquiry.payment_id]
            finding = found_of(one)
            record_finding(inquiry.payment_id, finding)
            if not isinstance(finding, NotFound):
                one.become(status_after(finding))
                continue
            one.not_found += 1
            again = claim_resend(inquiry.payment_id)
            assert (again is not None) is (one.not_found >= 2)
            if again is not None:
                assert again.push.identity == one.identity
                self._send(inquiry.payment_id, fate, again.send_number)

    @rule(first=st.sampled_from(sorted(FATES)), later=st.sampled_from(sorted(FATES)))
    def live_through_a_doubt(self, first: str, later: str) -> None:
        """What chance alone does too seldom: sent, given up, not found, not found, sent again."""
        self.send(first)
        self.give_up_the_lost()
        for _ in range(2):
            self.inquire(later)

    @rule(payment=payments, times=st.integers(1, 2))
    def the_answer_comes_again(self, payment: UUID, times: int) -> None:
        """Late, twice, or after an inquiry has found it: what the network did stays what it did."""
        one = self.model[payment]
        if one.credited is None or one.status is Status.PENDING:
            return
        for _ in range(times):
            record_outcome(payment, APPROVED if one.credited else DECLINED)
        if one.status in (Status.SUBMITTED, Status.UNKNOWN):
            one.become(Status.COMPLETED if one.credited else Status.FAILED)

    @rule(payment=payments, genuine=st.booleans(), times=st.integers(1, 2))
    def notify(self, payment: UUID, *, genuine: bool, times: int) -> None:
        """The network posts what it did. A stranger, who posts the opposite, is not believed."""
        one = self.model[payment]
        if one.credited is None or one.status is Status.PENDING:
            return
        code = "00" if one.credited is genuine else "05"
        key = None if genuine else "a stranger's"
        for _ in range(times):
            told(notice(Payment.objects.get(pk=payment), actionCode=code), key=key)
        if genuine and one.status in (Status.SUBMITTED, Status.UNKNOWN):
            one.become(Status.COMPLETED if one.credited else Status.FAILED)

    @rule(payment=payments)
    def an_old_refusal_comes_late(self, payment: UUID) -> None:
        """That nothing left in the send before says nothing about this one."""
        one = self.model[payment]
        if one.sends > 1:
            record_outcome(payment, REFUSED_CONNECTION, send_number=one.sends - 1)

    @rule(payment=payments)
    def come_back(self, payment: UUID) -> None:
        one = self.model[payment]
        if one.status in (Status.COMPLETED, Status.RETURNED):
            notice = notice_about(Payment.objects.get(pk=payment))
            assert return_payment(notice, actor=WORKER) is Status.RETURNED
            one.came_back = True
            one.become(Status.RETURNED)

    @rule(payment=payments, comes_back=st.booleans(), wrong=st.sampled_from(("", *WRONG)))
    def reconcile(self, payment: UUID, *, comes_back: bool, wrong: str) -> None:
        """The network's file of all that it has done since the last one; one line may be wrong."""
        one = self.model[payment]
        one.came_back |= comes_back and bool(one.credited)
        struck = (payment, CREDIT) if wrong else None
        due = [(each, kind) for each in self.model for kind in self.model[each].to_be_settled()]
        if not due:
            return
        if struck in due:
            # What no file has is missed only where files are about all of its time: the first is.
            self.cases += wrong != "left out" or (one.status in PAID and not self.files)
        judged = [(each, kind, wrong if (each, kind) == struck else "") for each, kind in due]
        self._bring([line for one_of_them in judged for line in _lines(*one_of_them)])
        for each, kind, how in judged:
            self.model[each].be_settled(kind, wrong=how)

    @rule(
        target=payments,
        payment=payments,
        amount=st.sampled_from(AMOUNTS),
        key=st.sampled_from(KEYS),
        fate=st.sampled_from(("approved", "approved, answer lost", "approved, sender dies")),
        comes_back=st.booleans(),
        wrong=st.sampled_from(("", *WRONG)),
    )
    def live_through_a_file(
        self, payment: UUID, amount: str, key: str, fate: str, *, comes_back: bool, wrong: str
    ) -> Any:
        """What chance alone does too seldom: credited, heard of or not, and then in a file."""
        made = self._created(0, amount, key)
        if self.model[made or payment].status is Status.PENDING_APPROVAL:
            self.decide(made or payment, "approve")
        self.send(fate)
        self.reconcile(made or payment, comes_back=comes_back, wrong=wrong)
        return made or multiple()

    def _bring(self, lines: list[Line]) -> None:
        """Files are about one time after the other; everything here happens in that of the first.

        What the network does after a file was made is in the next one.
        """
        if not self.files:
            self.window = window_around_now()
        self.files += 1
        file = bring(settlement_of(lines, window=self.window, reference=f"S{self.files}"))
        assert (file.state, file.lines) == (FileState.DONE, len(lines))
        FOUND.update(findings_of(file))
        begins_at = self.window.ends_at
        self.window = Window(begins_at, begins_at + timedelta(days=1))

    # What must be true after every step.

    @invariant()
    def the_books_are_right(self) -> None:
        if self.model:
            execute("SET CONSTRAINTS ALL IMMEDIATE")
            execute("SET CONSTRAINTS ALL DEFERRED")
            assert_books_are_right()
            assert available(self.partner) == self._available()
            assert held(self.partner) == self._sum(lambda one: one.status in OPEN)

    @invariant()
    def the_payments_are_as_modelled(self) -> None:
        rows = dict(Payment.objects.values_list("pk", "status"))
        assert rows == {payment: one.status.value for payment, one in self.model.items()}

    @invariant()
    def nobody_says_what_the_network_did_not_do(self) -> None:
        for one in self.model.values():
            assert one.status not in (Status.COMPLETED, Status.RETURNED) or one.credited
            assert one.status is not Status.FAILED or not one.credited

    @invariant()
    def people_are_asked_about_what_is_wrong_and_nothing_else(self) -> None:
        assert Case.objects.count() == self.cases

    @invariant()
    def an_identity_stays(self) -> None:
        for row in Attempt.objects.select_related("payment"):
            one = self.model[row.payment_id]
            one.identity = one.identity or identity_of(row.payment)
            assert identity_of(row.payment) == one.identity
            assert row.times_sent == one.sends

    def _available(self) -> Decimal:
        return FUNDED - self._sum(lambda one: one.status in {*OPEN, Status.COMPLETED})

    def _sum(self, counts: Callable[[Modelled], bool]) -> Decimal:
        return sum((one.amount for one in self.model.values() if counts(one)), Decimal(0))


def _lines(payment_id: UUID, kind: str, wrong: str) -> list[Line]:
    line = line_about(Payment.objects.get(pk=payment_id), kind=kind)
    if wrong == "another amount":
        return [line._replace(cents=line.cents + 1)]
    return [line] * {"twice": 2, "left out": 0}.get(wrong, 1)
