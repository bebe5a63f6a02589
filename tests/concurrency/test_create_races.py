"""Creates at the same instant on the real PostgreSQL: keys, twins, the last dollars."""

import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial

import pytest
from django.utils import timezone

from consumers.models import Partner
from payouts.actors import COMMAND_LINE
from payouts.models import (
    Account,
    AccountKind,
    AccountPart,
    Event,
    IdempotencyKey,
    Journal,
    Payment,
)
from payouts.operations.cancel_payment import cancel_payment
from payouts.operations.partners import fund_partner
from payouts.operations.request_payment import (
    Accepted,
    PaymentRefused,
    PushRequest,
    Replayed,
    remember_refusal,
)
from payouts.states import Status
from tests.books import assert_books_are_right, available, held, select
from tests.pushes import CLIENT, ask, make_funded_partner, make_payee, push, push_request
from tests.racing import race, race_mixed, raised, returned

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_hundred_calls_with_one_key_make_one_payment() -> None:
    card = make_payee()
    request = push_request(card, key="k-1")
    answers: list[Accepted | Replayed] = returned(race([partial(ask, request)] * 100))
    accepted = [one for one in answers if isinstance(one, Accepted)]
    replayed = [one for one in answers if isinstance(one, Replayed)]
    assert (len(accepted), len(replayed)) == (1, 99)
    assert {one.status_code for one in replayed} == {201}
    assert {one.body for one in answers} == {accepted[0].body}
    assert Payment.objects.get().pk == accepted[0].payment.id
    assert (Event.objects.count(), IdempotencyKey.objects.count()) == (1, 1)
    assert held(card.partner) == Decimal("100.00")
    assert_books_are_right()


def test_of_two_requests_with_one_key_one_is_refused() -> None:
    card = make_payee()
    requests = [push_request(card, key="k-1", amount=amount) for amount in ("1.00", "2.00")] * 10
    ends = race([partial(ask, request) for request in requests])
    kept = Payment.objects.get()
    for request, end in zip(requests, ends, strict=True):
        assert isinstance(end, Accepted | Replayed) is (request.amount == kept.amount)
    assert_books_are_right()


def test_of_fifty_identical_pushes_without_a_key_one_goes_unheld() -> None:
    card = make_payee()
    request = push_request(card)
    answers = returned(race([partial(ask, request)] * 50))
    assert all(isinstance(one, Accepted) for one in answers)
    by_status = Payment.objects.values_list("status", flat=True)
    assert sorted(by_status) == [Status.PENDING] + [Status.PENDING_APPROVAL] * 49
    assert_books_are_right()


def test_a_push_with_a_key_and_one_without_are_never_both_taken_for_the_only_one() -> None:
    for _ in range(5):
        card = make_payee()
        keyed, keyless = push_request(card, key="k-1"), push_request(card)
        returned(race([partial(ask, keyed), partial(ask, keyless)]))
        by_creation = Payment.objects.filter(card=card)
        waiting = by_creation.filter(status=Status.PENDING_APPROVAL).count()
        without_key = by_creation.get(idempotency_key=None)
        # The keyless one may have come first: then nothing waits, and its twin had a key.
        assert waiting == (without_key.status == Status.PENDING_APPROVAL)
    assert_books_are_right()


@pytest.mark.parametrize("dollars", ["40.00", "43.50"])
def test_spends_the_last_dollars_and_not_one_more(dollars: str) -> None:
    """Sixty want 1 dollar each of 40 that lie spread over sixteen parts."""
    partner = make_funded_partner(dollars=dollars)
    cards = [make_payee(partner=partner) for _ in range(6)]
    _spread(partner)
    requests = [push_request(cards[n % 6], amount="1.00", key=f"k-{n}") for n in range(60)]
    ends = race([partial(ask, request) for request in requests])
    whole = int(Decimal(dollars))
    assert raised(ends, PaymentRefused) == 60 - whole
    assert Payment.objects.count() == whole
    assert available(partner) == Decimal(dollars) - whole
    assert held(partner) == whole
    assert _refusals(ends) == {("insufficient_funds",)}
    assert_books_are_right()


def test_finds_all_the_money_for_pushes_larger_than_any_part() -> None:
    partner = make_funded_partner(dollars="160.00")
    cards = [make_payee(partner=partner) for _ in range(4)]
    _spread(partner)
    requests = [push_request(cards[n % 4], amount="40.00", key=f"k-{n}") for n in range(12)]
    ends = race([partial(ask, request) for request in requests])
    assert raised(ends, PaymentRefused) == 8
    assert available(partner) == 0
    assert_books_are_right()


def test_never_overdraws_while_money_comes_back() -> None:
    """Some cancel while others spend: whatever is refused was refused for want of money."""
    partner = make_funded_partner(dollars="20.00")
    cards = [make_payee(partner=partner) for _ in range(5)]
    payments = [push(cards[n % 5], amount="1.00") for n in range(20)]
    requests = [push_request(cards[n % 5], amount="1.00", key=f"k-{n}") for n in range(20)]
    cancels = [partial(cancel_payment, payment, actor=CLIENT) for payment in payments]
    creates = [partial(ask, request) for request in requests]
    ends = race_mixed(*cancels, *creates)
    refused = raised(ends, PaymentRefused)
    assert available(partner) == refused
    assert held(partner) == 20 - refused
    assert Journal.objects.filter(kind="released").count() == 20
    assert_books_are_right()


def _spread(partner: Partner) -> None:
    account = Account.objects.get(partner=partner, kind=AccountKind.AVAILABLE)
    select("SELECT payouts_gather(%s, 0.01)", account.pk)
    assert AccountPart.objects.filter(account=account, balance__lt=0).count() == 16


def _refusals(ends: Sequence[object]) -> set[tuple[str, ...]]:
    return {
        tuple(reason.code for reason in end.reasons)
        for end in ends
        if isinstance(end, PaymentRefused)
    }


def test_twins_on_both_sides_of_midnight_are_twins(monkeypatch: pytest.MonkeyPatch) -> None:
    """The day's usage makes pushes to one card queue up, but each day has its own."""
    midnight = datetime(2026, 3, 2, tzinfo=UTC)
    clock = threading.local()
    monkeypatch.setattr(timezone, "now", lambda: clock.at)

    def ask_at(at: datetime) -> Accepted | Replayed:
        clock.at = at
        return ask(request)

    clock.at = midnight - timedelta(hours=1)
    for _ in range(3):
        request = push_request(make_payee())
        instants = [midnight + timedelta(milliseconds=n) for n in (-2, 1)] * 8
        returned(race([partial(ask_at, at) for at in instants]))
        by_status = Payment.objects.filter(card=request.card_id).values_list("status", flat=True)
        assert sorted(by_status) == [Status.PENDING] + [Status.PENDING_APPROVAL] * 15


def _ask_or_remember(request: PushRequest) -> bytes:
    """What a client is told, as the API does it: a refusal is remembered as the first answer."""
    try:
        return ask(request).body
    except PaymentRefused:
        earlier = remember_refusal(request, status_code=422, body=b"no")
        return b"no" if earlier is None else earlier.body


def test_all_calls_with_one_key_hear_the_same_though_money_comes_meanwhile() -> None:
    """Some find no money and remember a refusal, some find it: the first answer is everybody's."""
    for _ in range(5):
        partner = make_funded_partner(dollars="1.00")
        request = push_request(make_payee(partner=partner), key="k-1", amount="50.00")
        fund = partial(fund_partner, partner, Decimal("100.00"), actor=COMMAND_LINE)
        calls = [partial(_ask_or_remember, request)] * 10
        ends = returned(race_mixed(*calls, fund, *calls))
        answers = {end for end in ends if isinstance(end, bytes)}
        assert len(answers) == 1
        paid = Payment.objects.filter(partner=partner).exists()
        assert (answers != {b"no"}) is paid
        assert {_ask_or_remember(request)} == answers
    assert_books_are_right()
