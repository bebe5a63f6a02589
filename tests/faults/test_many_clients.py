"""Very many clients of the real web server at once: one payment a key, never below the floor."""

import random
import time
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from consumers.models import Partner
from payouts.models import FeeSchedule, IdempotencyKey, Payment
from tests.books import assert_books_are_right, assert_the_checks_agree, available, held
from tests.builders import make_token
from tests.faults.calling import Answers, Client, Web, in_threads, push_until_answered
from tests.faults.conftest import Tell
from tests.pushes import make_funded_partner, make_payee

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]

KEYS, CLIENTS = 1_000, 50
SPENDERS = 500
_SECONDS = 900.0
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    server = Web(tmp_path, sandbox=NOWHERE)
    server.start()
    yield server
    server.kill()


def _body(partner: Partner, amount: str) -> dict[str, str]:
    card = make_payee(partner=partner)
    return {
        "consumer_id": str(card.consumer_id),
        "external_payment_card_id": str(card.pk),
        "amount": amount,
    }


def test_a_thousand_keys_by_fifty_clients_make_a_thousand_payments(web: Web, tell: Tell) -> None:
    partner = make_funded_partner(dollars="1000000.00")
    bodies = [_body(partner, f"{number % 80 + 1}.00") for number in range(20)]
    token, answers = make_token(partner=partner), Answers()
    began_at = time.monotonic()

    def client(number: int) -> None:
        keys, until = list(range(KEYS)), began_at + _SECONDS
        random.Random(number).shuffle(keys)  # noqa: S311
        with closing(Client(web.port, token=token)) as mine:
            for key in keys:
                body = bodies[key % 20]
                push_until_answered(mine, answers, key=f"k-{key}", body=body, until=until)

    in_threads([(number,) for number in range(CLIENTS)], client)
    seconds = time.monotonic() - began_at
    assert Payment.objects.count() == IdempotencyKey.objects.count() == KEYS
    assert len(answers.by_key) == KEYS
    # Every client heard the same of a key: the same status, the same payment.
    assert {len(heard) for heard in answers.by_key.values()} == {1}
    assert answers.ids == set(map(str, Payment.objects.values_list("pk", flat=True)))
    assert_books_are_right()
    tell(
        f"{KEYS:,} keys x {CLIENTS} clients = {answers.calls:,} calls ({answers.unclear:,} asked "
        f"to come again): {Payment.objects.count():,} payments; {seconds:.0f} s"
    )


def test_five_hundred_spenders_never_pass_the_last_dollar(web: Web, tell: Tell) -> None:
    funded = Decimal("2000.00")
    partner = make_funded_partner(dollars=str(funded))
    FeeSchedule.objects.create(partner=partner, fixed=Decimal("0.25"), basis_points=25)
    bodies = [_body(partner, f"{number % 9 + 3}.{number % 100:02d}") for number in range(20)]
    token, answers = make_token(partner=partner), Answers()
    until = time.monotonic() + _SECONDS

    def spender(number: int) -> None:
        body = {**bodies[number % 20], "reference": f"spender {number}"}
        with closing(Client(web.port, token=token)) as client:
            for turn in (1, 2):
                key = f"s-{number}-{turn}"
                push_until_answered(client, answers, key=key, body=body, until=until)

    in_threads([(number,) for number in range(SPENDERS)], spender)
    rows = Payment.objects.values_list("amount", "fee_amount")
    spent = sum((amount + fee for amount, fee in rows), Decimal(0))
    left = available(partner)
    assert left >= 0
    assert spent + left == funded
    assert held(partner) == spent
    told = [told for heard in answers.by_key.values() for _, told in heard]
    assert told.count("insufficient_funds") == len(answers.by_key) - Payment.objects.count() > 0
    assert_books_are_right()
    assert_the_checks_agree()
    tell(
        f"{SPENDERS} spenders, {len(answers.by_key):,} pushes asked for, {len(rows):,} accepted: "
        f"${spent} spent + ${left} left = ${funded} funded"
    )
