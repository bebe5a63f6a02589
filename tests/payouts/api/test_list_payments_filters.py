"""GET /v2/payments/oct/: what it is narrowed by, and what it refuses."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from consumers.models import Partner, PaymentCard
from payouts.models import Payment
from payouts.operations.record_outcome import record_outcome
from payouts.states import Status
from tests.builders import make_card, make_consumer
from tests.payouts.api.caller import (
    CREATE,
    Caller,
    ids,
    keys,
    listed,
    problem_in,
    wrong_fields,
)
from tests.pushes import APPROVED, claim, declined, make_funded_partner, push

pytestmark = pytest.mark.django_db

PAN = "4111111111111111"


class TestFilters:
    @pytest.fixture
    def cast(self, partner: Partner) -> Sequence[Payment]:
        """Oldest first: to ada 10 completed, to ada 20 failed, to bob 20 pending."""
        ada = make_card(consumer=make_consumer(partner=partner, pcid="ada", first_name="Ada"))
        bob = make_card(
            consumer=make_consumer(partner=partner, pcid="bob", first_name="Bob"),
            number="5555555555554444",
        )
        first = push(ada, amount="10.00", reference="R-1", key="key-1")
        claim(first)
        record_outcome(first.pk, APPROVED)
        second = push(ada, amount="20.00", reference="R-2", key="key-2")
        claim(second)
        record_outcome(second.pk, declined("05"))
        return first, second, push(bob, amount="20.00", reference="R-1", key="key-3")

    @pytest.mark.parametrize(
        ("query", "found"),
        [
            ({"status": "completed"}, [0]),
            ({"status": ["completed", "failed"]}, [1, 0]),
            ({"status": ["failed", "failed"]}, [1]),
            ({"status": "canceled"}, []),
            ({"consumer_id": "ada"}, [1, 0]),
            ({"consumer_id": "nobody"}, []),
            ({"amount_min": "20"}, [2, 1]),
            ({"amount_min": "10.01"}, [2, 1]),
            ({"amount_max": "19.99"}, [0]),
            ({"amount_min": "10", "amount_max": "10.00"}, [0]),
            ({"amount_min": "20.01", "amount_max": "10"}, []),
            ({"amount_max": "0"}, []),
            ({"amount_min": "0"}, [2, 1, 0]),
            ({"amount_min": "2e1"}, [2, 1]),
            ({"amount_min": "1e-300"}, [2, 1, 0]),
            ({"amount_min": "-0.0"}, [2, 1, 0]),
            ({"amount_max": "1E12"}, [2, 1, 0]),
            ({"reference": "R-1"}, [2, 0]),
            ({"reference": "r-1"}, []),
            ({"idempotency_key": "key-2"}, [1]),
            ({"idempotency_key": "none"}, []),
            ({"search": "R-2"}, [1]),
            ({"search": "Ada"}, [1, 0]),
            ({"search": "4444"}, [2]),
            ({"search": "20.00"}, [2, 1]),
            ({"search": "nothing at all"}, []),
            ({"search": "Ada", "status": "failed"}, [1]),
            ({"consumer_id": "ada", "amount_min": 15, "status": "failed"}, [1]),
            ({"consumer_id": "bob", "status": "failed"}, []),
            ({"reference": "R-1", "status": ["pending", "completed"], "amount_max": 15}, [0]),
        ],
    )
    def test_narrow_and_count(
        self, caller: Caller, cast: Sequence[Payment], query: dict[str, Any], found: list[int]
    ) -> None:
        document = listed(caller, **query)
        assert ids(document) == keys(*(cast[place] for place in found))
        assert document["count"] == len(found)

    def test_find_by_ids(self, caller: Caller, cast: Sequence[Payment]) -> None:
        ada, bob = cast[0], cast[2]
        assert ids(listed(caller, consumer_id=ada.consumer_id)) == keys(cast[1], cast[0])
        assert ids(listed(caller, external_payment_card_id=bob.card_id)) == keys(bob)
        assert ids(listed(caller, search=ada.pk)) == keys(ada)
        assert ids(listed(caller, search=str(ada.consumer_id))) == keys(cast[1], ada)

    def test_know_attempts(self, caller: Caller, cast: Sequence[Payment]) -> None:
        attempt = cast[1].attempt
        assert ids(listed(caller, search=attempt.retrieval_reference_number)) == keys(cast[1])
        assert str(cast[1].pk) in ids(listed(caller, search=attempt.trace_number))

    def test_cut_time_at_the_exact_instant(self, caller: Caller, cast: Sequence[Payment]) -> None:
        instant = cast[1].created_at
        tick = timedelta(microseconds=1)
        for after, before, found in [
            (instant, None, [2, 1]),
            (instant + tick, None, [2]),
            (None, instant, [0]),
            (None, instant + tick, [1, 0]),
            (instant, instant + tick, [1]),
            (instant, instant, []),
        ]:
            query = {
                name: bound.isoformat()
                for name, bound in (("created_after", after), ("created_before", before))
                if bound is not None
            }
            assert ids(listed(caller, **query)) == keys(*(cast[place] for place in found)), query
            assert ids(listed(caller, search="R-2", **query)) == keys(
                *(cast[place] for place in found if place == 1)
            )

    @pytest.mark.parametrize(
        "written",
        [
            "2020-01-01",
            "2020-01-01T00:00:00Z",
            "2020-01-01t00:00:00z",
            "2020-01-01 00:00",
            "2020-01-01T00:00:00.123456789Z",
            "2020-01-01T00:00:00+02:00",
            "2020-01-01T00:00:00-11:30",
            "2020-01-01T00:00:00+22:35",
            "2020-01-01T00:00:00-23:59",
            "1970-01-01T00:00:00Z",
            "0001-01-01T00:00:00Z",
            "0001-01-01T00:00:00+14:00",
        ],
    )
    def test_read_instants_and_days(
        self, caller: Caller, cast: Sequence[Payment], written: str
    ) -> None:
        assert listed(caller, created_after=written)["count"] == 3
        assert listed(caller, created_after=written, search="Ada")["count"] == 2
        assert listed(caller, created_before=written)["count"] == 0

    def test_read_a_plus_that_was_not_escaped(
        self, caller: Caller, cast: Sequence[Payment]
    ) -> None:
        answer = caller.get(f"{CREATE}?created_after=2020-01-01T00:00:00+02:00")
        assert answer.json()["count"] == 3

    @pytest.mark.parametrize(
        "written", ["9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59-14:00"]
    )
    def test_read_the_end_of_time(
        self, caller: Caller, cast: Sequence[Payment], written: str
    ) -> None:
        assert listed(caller, created_after=written)["count"] == 0
        assert listed(caller, created_before=written, search="Ada")["count"] == 2

    def test_never_reach_another_partners(self, caller: Caller, cast: Sequence[Payment]) -> None:
        stranger = Caller(make_funded_partner())
        queries: list[dict[str, Any]] = [
            {"consumer_id": "ada"},
            {"consumer_id": cast[0].consumer_id},
            {"external_payment_card_id": cast[0].card_id},
            {"idempotency_key": "key-1"},
            {"reference": "R-1"},
            {"search": "Ada"},
            {"search": cast[0].pk},
            {"search": "R-1"},
            {"search": cast[0].attempt.retrieval_reference_number},
            {"status": [status.value for status in Status]},
        ]
        for query in queries:
            assert listed(stranger, **query)["results"] == []

    def test_prefer_an_id_to_a_pcid(
        self, caller: Caller, cast: Sequence[Payment], partner: Partner
    ) -> None:
        make_consumer(partner=partner, pcid=str(cast[0].consumer_id))
        assert listed(caller, consumer_id=cast[0].consumer_id)["count"] == 2

    def test_find_a_pcid_that_looks_like_an_id(self, caller: Caller, partner: Partner) -> None:
        pcid = "3fa85f64-5717-4562-b3fc-2c963f66afa6"
        payment = push(make_card(consumer=make_consumer(partner=partner, pcid=pcid)))
        assert ids(listed(caller, consumer_id=pcid)) == keys(payment)


class TestRefusals:
    @pytest.mark.parametrize(
        ("name", "value", "code"),
        [
            ("status", "paid", "invalid_choice"),
            ("status", "Pending", "invalid_choice"),
            ("status", "pending,failed", "invalid_choice"),
            ("status", "null", "invalid_choice"),
            ("status", PAN, "invalid_choice"),
            ("consumer_id", "x" * 129, "max_length"),
            ("consumer_id", "a\0b", "null_characters_not_allowed"),
            ("external_payment_card_id", "card", "invalid"),
            ("external_payment_card_id", PAN, "invalid"),
            ("external_payment_card_id", "3fa85f6457174562b3fc2c963f66afa6", "invalid"),
            ("created_after", "yesterday", "invalid"),
            ("created_after", "2020-13-01", "invalid"),
            ("created_after", "2020-02-30T00:00:00Z", "invalid"),
            ("created_after", "2020-01-01T25:00:00Z", "invalid"),
            ("created_after", "20200101", "invalid"),
            ("created_after", "2020-W01-1", "invalid"),
            ("created_after", "1577836800", "invalid"),
            ("created_before", "10000-01-01", "invalid"),
            ("created_before", "2020-01-01T00:00:00+99:99", "invalid"),
            ("amount_min", "-1", "out_of_range"),
            ("amount_min", "NaN", "invalid"),
            ("amount_min", "Infinity", "invalid"),
            ("amount_min", "1e400", "out_of_range"),
            ("amount_min", "1e9999", "invalid"),
            ("amount_min", "1,000", "invalid"),
            ("amount_min", "1_000", "invalid"),
            ("amount_min", "\u0665", "invalid"),
            ("amount_max", "ten", "invalid"),
            ("amount_max", "9" * 5000, "invalid"),
            ("reference", "x" * 65, "max_length"),
            ("idempotency_key", "x" * 256, "max_length"),
            ("search", "x" * 129, "max_length"),
            ("search", "a\0b", "null_characters_not_allowed"),
            ("status", "", "blank"),
            ("consumer_id", "", "blank"),
            ("amount_max", "", "blank"),
            ("search", "", "blank"),
            ("created", "2020-01-01", "unknown_parameter"),
            ("x" * 100, "1", "unknown_parameter"),
        ],
    )
    def test_name_the_wrong_filter(self, caller: Caller, name: str, value: str, code: str) -> None:
        answer = caller.get(f"{CREATE}?{urlencode({name: value})}")
        document = problem_in(answer, status=400, code="invalid_request")
        assert list(wrong_fields(document).values()) == [code]
        assert name[:60] in document["errors"][0]["field"]
        assert len(value) < 8 or value not in answer.content.decode()

    def test_do_not_take_a_blank_status_beside_another(self, caller: Caller) -> None:
        answer = caller.get(f"{CREATE}?status=failed&status=")
        document = problem_in(answer, status=400, code="invalid_request")
        assert wrong_fields(document) == {"status": "blank"}

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("page", "0"),
            ("page", "-1"),
            ("page", "1.5"),
            ("page", "one"),
            ("page", "\u0663"),
            ("page_size", "0"),
            ("page_size", "all"),
            ("page_size", "1e2"),
            ("cursor", "x"),
            ("cursor", "A" * 10_000),
            ("cursor", "bwAAAAAAAAAAAAAAAAAAAAAB"),
            ("cursor", "\u00fc"),
        ],
    )
    def test_name_what_is_wrong_with_the_page(self, caller: Caller, name: str, value: str) -> None:
        answer = caller.get(f"{CREATE}?{urlencode({name: value})}")
        document = problem_in(answer, status=400, code=f"invalid_{name}")
        assert wrong_fields(document) == {name: f"invalid_{name}"}

    def test_name_everything_at_once(self, caller: Caller) -> None:
        query = (
            "page=0&page_size=x&cursor=y&status=paid&amount_min=-1&created_after=now"
            "&colour=red&reference=a&reference=b"
        )
        answer = caller.get(f"{CREATE}?{query}")
        document = problem_in(answer, status=400, code="invalid_request")
        assert wrong_fields(document) == {
            "page": "invalid_page",
            "page_size": "invalid_page_size",
            "cursor": "invalid_cursor",
            "status": "invalid_choice",
            "amount_min": "out_of_range",
            "created_after": "invalid",
            "colour": "unknown_parameter",
            "reference": "repeated_parameter",
        }

    def test_a_thousand_parameters_are_refused(self, caller: Caller) -> None:
        answer = caller.get(f"{CREATE}?{'&'.join(f'p{number}=1' for number in range(1001))}")
        problem_in(answer, status=400, code="invalid_request")

    def test_bytes_that_are_no_text_find_nothing(self, caller: Caller, card: PaymentCard) -> None:
        push(card, reference="R-1")
        assert caller.get(f"{CREATE}?reference=%ff%fe").json()["count"] == 0
        assert caller.get(f"{CREATE}?search=%c0%80").json()["count"] == 0

    @pytest.mark.parametrize(
        "text",
        ["'", '"', "\\", "%", "_", "*", ":*", "q & x", "!", "(((", "'; --", "\u202e", "🎉"],
    )
    def test_a_search_for_signs_finds_nothing_and_breaks_nothing(
        self, caller: Caller, card: PaymentCard, text: str
    ) -> None:
        push(card)
        assert caller.get(f"{CREATE}?search={quote(text)}").json()["count"] == 0
