"""GET /v2/payments/oct/: pages and filters."""

from base64 import urlsafe_b64encode
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest

from consumers.models import Partner, PaymentCard
from payouts.api import listing
from payouts.models import Payment
from payouts.operations.record_outcome import record_outcome
from payouts.states import Status
from tests.builders import make_card, make_consumer
from tests.payouts.api.caller import (
    CONTRACT,
    CREATE,
    Caller,
    problem_in,
    statements,
    wrong_fields,
)
from tests.pushes import APPROVED, claim, declined, make_funded_partner, make_payee, push

pytestmark = pytest.mark.django_db

PAN = "4111111111111111"


def listed(caller: Caller, **query: Any) -> dict[str, Any]:
    answer = caller.get(f"{CREATE}?{urlencode(query, doseq=True)}" if query else CREATE)
    assert answer.status_code == 200, answer.content
    document: dict[str, Any] = answer.json()
    return document


def ids(document: dict[str, Any]) -> list[str]:
    return [payment["id"] for payment in document["results"]]


def keys(*payments: Payment) -> list[str]:
    return [str(payment.pk) for payment in payments]


def walked(caller: Caller, address: str, direction: str) -> list[list[str]]:
    """The ids of every page from `address` on."""
    pages = []
    while address:
        document = caller.get(address).json()
        pages.append(ids(document))
        address = document[direction]
    return pages


def _cursor(direction: bytes, payment: Payment) -> str:
    return urlsafe_b64encode(direction + payment.pk.bytes).decode().rstrip("=")


class TestTheContract:
    def test_answers_the_envelope_with_whole_payments(
        self, caller: Caller, card: PaymentCard
    ) -> None:
        made = caller.create(card).json()
        answer = caller.get(CREATE)
        assert answer.headers["Content-Type"] == "application/json"
        document = answer.json()
        assert list(document) == ["count", "next", "previous", "results"]
        assert document == {"count": 1, "next": None, "previous": None, "results": [made]}
        assert tuple(document["results"][0])[:7] == CONTRACT

    def test_an_empty_list_has_one_empty_page(self, caller: Caller) -> None:
        empty: dict[str, Any] = {"count": 0, "next": None, "previous": None, "results": []}
        assert listed(caller) == listed(caller, page=1) == empty

    def test_takes_the_parameters_of_the_contract_without_values(self, caller: Caller) -> None:
        assert caller.get(f"{CREATE}?page=&page_size=").status_code == 200

    def test_shows_only_the_partners_own(self, caller: Caller, card: PaymentCard) -> None:
        push(make_payee())
        mine = push(card)
        document = listed(caller)
        assert (ids(document), document["count"]) == (keys(mine), 1)


class TestPages:
    @pytest.fixture
    def payments(self, card: PaymentCard) -> list[Payment]:
        """Seven, newest first."""
        return [push(card, amount=f"{number}.00") for number in range(1, 8)][::-1]

    def test_walk_over_all_rows_in_both_directions(
        self, caller: Caller, payments: list[Payment]
    ) -> None:
        everything = keys(*payments)
        for size in (1, 2, 3, 6, 7, 8):
            pages = walked(caller, f"{CREATE}?page_size={size}", "next")
            assert [key for page in pages for key in page] == everything
            assert {len(page) for page in pages[:-1]} <= {size}
        last = caller.get(f"{CREATE}?page_size=2&page=4").json()
        back = walked(caller, last["previous"], "previous")
        assert [key for page in back[::-1] for key in page] + ids(last) == everything

    def test_links_are_whole_addresses_with_the_filters(
        self, caller: Caller, payments: list[Payment]
    ) -> None:
        document = listed(caller, page_size=2, status=["pending", "failed"], amount_min=2)
        following = urlsplit(document["next"])
        assert (following.scheme, following.netloc, following.path) == (
            "http",
            "testserver",
            CREATE,
        )
        query = parse_qs(following.query)
        assert query.pop("cursor")
        assert query == {"page_size": ["2"], "status": ["pending", "failed"], "amount_min": ["2"]}
        pages = walked(caller, f"{CREATE}?page_size=2&status=pending&amount_min=2", "next")
        assert [key for page in pages for key in page] == keys(*payments[:6])

    def test_have_numbers_too(self, caller: Caller, payments: list[Payment]) -> None:
        second = listed(caller, page=2, page_size=3)
        assert ids(second) == keys(*payments[3:6])
        assert second["count"] == 7
        assert ids(caller.get(second["next"]).json()) == keys(payments[6])
        assert ids(caller.get(second["previous"]).json()) == keys(*payments[:3])

    def test_do_not_move_under_new_rows(
        self, caller: Caller, payments: list[Payment], card: PaymentCard
    ) -> None:
        first = listed(caller, page_size=3)
        push(card, amount="99.00")
        second = caller.get(first["next"]).json()
        assert ids(second) == keys(*payments[3:6])
        assert second["count"] == 8

    @pytest.mark.parametrize("page", [4, 1000, 10**9, 10**30])
    @pytest.mark.parametrize("narrowed", [{}, {"status": "pending"}, {"amount_min": 1}])
    def test_past_the_end_are_not_found(
        self, caller: Caller, payments: list[Payment], page: int, narrowed: dict[str, Any]
    ) -> None:
        query = urlencode({"page": page, "page_size": 3, **narrowed})
        problem_in(caller.get(f"{CREATE}?{query}"), status=404, code="not_found")

    def test_without_a_row_still_count_the_list(
        self, caller: Caller, payments: list[Payment]
    ) -> None:
        second = listed(caller, page=2, page_size=3)
        first = listed(caller, page_size=3)
        beyond_newest = second["previous"].replace(
            parse_qs(urlsplit(second["previous"]).query)["cursor"][0], _cursor(b"n", payments[0])
        )
        beyond_oldest = first["next"].replace(
            parse_qs(urlsplit(first["next"]).query)["cursor"][0], _cursor(b"o", payments[-1])
        )
        for address in (beyond_newest, beyond_oldest):
            document = caller.get(address).json()
            assert (document["results"], document["count"]) == ([], 7)

    def test_past_the_end_cost_nothing(self, caller: Caller, payments: list[Payment]) -> None:
        with statements(2):
            caller.get(f"{CREATE}?page=1000000000&page_size=200")

    def test_hold_two_hundred_at_most(
        self, caller: Caller, payments: list[Payment], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("consumers.api.paging.LARGEST_SIZE", 4)
        assert len(listed(caller, page_size=201)["results"]) == 4
        assert len(listed(caller, page_size=10**30)["results"]) == 4

    @pytest.mark.parametrize("size", [1, 3, 7, 200])
    def test_take_two_statements_of_any_size(
        self, caller: Caller, payments: list[Payment], size: int
    ) -> None:
        for address in (f"{CREATE}?page_size={size}", f"{CREATE}?page_size={size}&page=1"):
            with statements(2):
                assert caller.get(address).json()["results"]

    def test_take_two_statements_in_both_directions(
        self, caller: Caller, payments: list[Payment]
    ) -> None:
        second = listed(caller, page=2, page_size=3)
        for direction in ("next", "previous"):
            with statements(2):
                assert caller.get(second[direction]).json()["results"]

    def test_take_three_statements_by_number(self, caller: Caller, payments: list[Payment]) -> None:
        with statements(3):
            assert listed(caller, page=2, page_size=3)["results"]

    @pytest.mark.parametrize("size", [1, 7])
    def test_take_four_statements_with_filters(
        self, caller: Caller, payments: list[Payment], size: int
    ) -> None:
        for query in ("status=pending", "amount_min=1", "consumer_id=nobody&reference=x"):
            with statements(3 if "nobody" in query else 4):
                caller.get(f"{CREATE}?page_size={size}&{query}")

    def test_are_as_exact_as_said(
        self, caller: Caller, payments: list[Payment], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(listing, "COUNTED_AT_MOST", 3)
        document = listed(caller, amount_min=1)
        assert (document["count"], document["count_is_exact"]) == (3, False)
        document = listed(caller, amount_min=5)
        assert (document["count"], document["count_is_exact"]) == (3, True)
        document = listed(caller, status="pending")
        assert (document["count"], document["count_is_exact"]) == (7, True)


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
            "1970-01-01T00:00:00Z",
            "0001-01-01T00:00:00Z",
            "0001-01-01T00:00:00+14:00",
        ],
    )
    def test_read_instants_and_days(
        self, caller: Caller, cast: Sequence[Payment], written: str
    ) -> None:
        assert listed(caller, created_after=written)["count"] == 3
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
        ["'", '"', "\\", "%", "_", "*", ":*", "a & b", "!", "(((", "'; --", "\u202e", "🎉"],
    )
    def test_a_search_for_signs_finds_nothing_and_breaks_nothing(
        self, caller: Caller, card: PaymentCard, text: str
    ) -> None:
        push(card)
        assert caller.get(f"{CREATE}?search={quote(text)}").json()["count"] == 0


def test_shows_the_latest_of_each_payment(caller: Caller, card: PaymentCard) -> None:
    payment = push(card)
    claim(payment)
    record_outcome(payment.pk, APPROVED)
    (shown,) = listed(caller)["results"]
    assert shown == caller.get(f"{CREATE}{payment.pk}/").json()
    assert datetime.fromisoformat(shown["completed_at"]).tzinfo == UTC
