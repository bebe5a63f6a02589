"""POST /v2/payments/oct/ with and without an Idempotency-Key."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from functools import partial
from typing import Any

import psycopg
import pytest
from django.db import connection

from consumers.models import Partner, PaymentCard
from payouts.actors import COMMAND_LINE
from payouts.models import IdempotencyKey, Payment
from payouts.operations.partners import fund_partner
from payouts.operations.record_outcome import record_outcome
from tests.books import assert_books_are_right
from tests.payouts.api.caller import (
    CREATE,
    Caller,
    nothing_is_stored,
    problem_in,
    wrong_fields,
)
from tests.pushes import APPROVED, claim, make_funded_partner, make_payee
from tests.racing import race, returned

pytestmark = pytest.mark.django_db


class TestReplay:
    def test_gives_the_first_answer_again_byte_by_byte(
        self, caller: Caller, card: PaymentCard
    ) -> None:
        first = caller.create(card, key="k1")
        with nothing_is_stored():
            again = caller.create(card, key="k1")
        assert (first.status_code, again.status_code) == (201, 201)
        assert again.content == first.content
        assert again.headers["Content-Type"] == "application/json"
        assert again.headers["Idempotent-Replayed"] == "true"
        assert "Idempotent-Replayed" not in first.headers
        assert again.headers["Request-Id"] != first.headers["Request-Id"]

    def test_says_what_was_although_the_payment_has_moved_on(
        self, caller: Caller, card: PaymentCard
    ) -> None:
        first = caller.create(card, key="k1").json()
        payment = Payment.objects.get()
        claim(payment)
        record_outcome(payment.pk, APPROVED)
        assert caller.create(card, key="k1").json() == first
        assert caller.get(f"{CREATE}{payment.pk}/").json()["status"] == "completed"

    def test_knows_the_same_request_however_it_is_written(
        self, caller: Caller, card: PaymentCard
    ) -> None:
        first = caller.create(card, key="k1", amount=100, metadata={"a": "1", "b": "2"})
        other_spelling = f"""
            {{"description": "", "metadata": {{"b":"2","a":"1"}}, "amount": "100.00",
              "external_payment_card_id": "{str(card.pk).upper()}",
              "consumer_id": "{card.consumer_id}"}}"""
        again = caller.send(CREATE, other_spelling, idempotency_key='"k1"')
        assert again.headers["Idempotent-Replayed"] == "true"
        assert again.content == first.content

    @pytest.mark.parametrize(
        "other",
        [
            {"amount": 100.01},
            {"description": "other"},
            {"reference": "other"},
            {"metadata": {"a": "other"}},
            {"consumer_id": "other"},
            {"external_payment_card_id": "3fa85f64-5717-4562-b3fc-2c963f66afa6"},
        ],
    )
    def test_refuses_the_key_for_another_request(
        self, caller: Caller, card: PaymentCard, other: dict[str, Any]
    ) -> None:
        first = caller.create(card, key="k1")
        with nothing_is_stored():
            answer = caller.create(card, key="k1", **other)
        document = problem_in(answer, status=422, code="idempotency_key_reused")
        assert wrong_fields(document) == {"Idempotency-Key": "idempotency_key_reused"}
        assert caller.create(card, key="k1").content == first.content

    def test_a_key_belongs_to_one_partner(self, caller: Caller, card: PaymentCard) -> None:
        other = make_payee(partner=make_funded_partner())
        mine = caller.create(card, key="k1")
        theirs = Caller(other.consumer.partner).create(other, key="k1")
        assert (mine.status_code, theirs.status_code) == (201, 201)
        assert Payment.objects.count() == 2


class TestRefusalsAreRemembered:
    def test_a_refusal_is_the_answer_for_ever(
        self, caller: Caller, card: PaymentCard, partner: Partner
    ) -> None:
        first = caller.create(card, key="k1", amount=20_000)
        problem_in(first, status=422, code="insufficient_funds")
        assert "Idempotent-Replayed" not in first.headers
        fund_partner(partner, Decimal(50_000), actor=COMMAND_LINE)
        with nothing_is_stored():
            again = caller.create(card, key="k1", amount=20_000)
        assert again.content == first.content
        assert again.status_code == 422
        assert again.headers["Content-Type"] == "application/problem+json"
        assert again.headers["Idempotent-Replayed"] == "true"
        assert caller.create(card, key="k2", amount=20_000).status_code == 201

    def test_of_another_request_too(self, caller: Caller, card: PaymentCard) -> None:
        caller.create(card, key="k1", amount=20_000)
        answer = caller.create(card, key="k1", amount=10)
        problem_in(answer, status=422, code="idempotency_key_reused")

    def test_keeps_a_row_without_a_payment(self, caller: Caller, card: PaymentCard) -> None:
        caller.create(card, key="k1", amount=20_000)
        kept = IdempotencyKey.objects.get()
        assert (kept.key, kept.status_code, kept.payment_id) == ("k1", 422, None)
        assert not Payment.objects.exists()

    def test_a_malformed_request_leaves_the_key_free(
        self, caller: Caller, card: PaymentCard
    ) -> None:
        with nothing_is_stored():
            assert caller.create(card, key="k1", amount=-1).status_code == 400
        assert caller.create(card, key="k1").status_code == 201

    def test_a_refused_token_or_scope_leaves_the_key_free(
        self, caller: Caller, card: PaymentCard, partner: Partner
    ) -> None:
        reader = Caller(partner, scopes=("api:read",))
        stranger = Caller(partner)
        stranger.token = "token_of_nobody"
        with nothing_is_stored():
            assert reader.create(card, key="k1").status_code == 403
            assert stranger.create(card, key="k1").status_code == 401
        assert caller.create(card, key="k1").status_code == 201

    def test_an_error_of_ours_leaves_the_key_free(
        self, caller: Caller, card: PaymentCard, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        caller.http.raise_request_exception = False
        with monkeypatch.context() as patch, nothing_is_stored():
            patch.setattr("payouts.api.documents.payment_document", None)
            assert caller.create(card, key="k1").status_code == 500
        assert caller.create(card, key="k1").status_code == 201


class TestTheHeader:
    @pytest.mark.parametrize(
        ("sent", "kept"),
        [
            ("k", "k"),
            ('"quoted"', "quoted"),
            ("  padded  ", "padded"),
            ("!#$%&'*+-.^_`|~", "!#$%&'*+-.^_`|~"),
            ('"', '"'),
            ('half"', 'half"'),
            ("x" * 255, "x" * 255),
            ('"' + "x" * 255 + '"', "x" * 255),
        ],
    )
    def test_takes_it_bare_or_quoted(
        self, caller: Caller, card: PaymentCard, sent: str, kept: str
    ) -> None:
        assert caller.create(card, key=sent).status_code == 201
        assert IdempotencyKey.objects.get().key == kept

    @pytest.mark.parametrize(
        "sent",
        [" ", '""', "two words", "x" * 256, '"' + "x" * 256 + '"', "schlüssel", "a\tb", "\x7f"],
    )
    def test_refuses_what_is_no_key(self, caller: Caller, card: PaymentCard, sent: str) -> None:
        with nothing_is_stored():
            answer = caller.create(card, headers={"idempotency_key": sent})
        document = problem_in(answer, status=400, code="invalid_idempotency_key")
        assert wrong_fields(document) == {"Idempotency-Key": "invalid_idempotency_key"}
        assert sent.strip() == "" or sent not in answer.content.decode()

    def test_is_required_where_the_partner_says_so(
        self, caller: Caller, card: PaymentCard, partner: Partner
    ) -> None:
        Partner.objects.filter(pk=partner.pk).update(requires_idempotency_key=True)
        with nothing_is_stored():
            answer = caller.create(card)
        document = problem_in(answer, status=400, code="idempotency_key_required")
        assert wrong_fields(document) == {"Idempotency-Key": "required"}
        assert caller.create(card, key="k1").status_code == 201


@pytest.mark.django_db(transaction=True)
class TestAtTheSameTime:
    def test_many_calls_with_one_key_make_one_payment(self) -> None:
        card = make_payee()
        callers = [Caller(card.consumer.partner) for _ in range(12)]
        answers = returned(race([partial(one.create, card, key="k") for one in callers]))
        assert {answer.status_code for answer in answers} == {201}
        assert len({answer.content for answer in answers}) == 1
        assert sum("Idempotent-Replayed" not in answer.headers for answer in answers) == 1
        assert Payment.objects.count() == 1
        assert_books_are_right()

    def test_says_so_while_the_first_call_is_still_running(self) -> None:
        card = make_payee()
        caller, other = (Caller(card.consumer.partner) for _ in range(2))
        good = partial(caller.create, card, key="k1")
        # It would be refused, and waits as long: the key comes first.
        bad = partial(other.create, card, key="k1", amount=20_000)
        with key_held_elsewhere(card, "k1"), nothing_is_stored():
            began = time.monotonic()
            answers = returned(race([good, bad]))
            seconds = time.monotonic() - began
        for answer in answers:
            problem_in(answer, status=409, code="request_in_progress")
            assert int(answer.headers["Retry-After"]) >= 1
        assert seconds < 8
        assert good().status_code == 201


@contextmanager
def key_held_elsewhere(card: PaymentCard, key: str) -> Iterator[None]:
    """Another connection is in the middle of a create with this key."""
    with psycopg.connect(**connection.get_connection_params()) as other:
        other.execute(
            """INSERT INTO payouts_idempotencykey
                   (partner_id, key, request_digest, status_code, answer, created_at)
               VALUES (%s, %s, '', 201, '', now())""",
            (card.partner_id, key),
        )
        yield
        other.rollback()
