"""GET /v2/payments/oct/: pages and filters."""

from base64 import urlsafe_b64encode
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from consumers.models import PaymentCard
from payouts.api import listing
from payouts.models import Payment
from payouts.operations.record_outcome import record_outcome
from tests.payouts.api.caller import (
    CONTRACT,
    CREATE,
    Caller,
    ids,
    keys,
    listed,
    problem_in,
    statements,
)
from tests.pushes import APPROVED, claim, make_payee, push

pytestmark = pytest.mark.django_db

PAN = "4111111111111111"


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
        for narrowed in ("", "&status=pending", "&amount_min=1"):
            with statements(2):
                caller.get(f"{CREATE}?page=1000000000&page_size=200{narrowed}")

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


def test_shows_the_latest_of_each_payment(caller: Caller, card: PaymentCard) -> None:
    payment = push(card)
    claim(payment)
    record_outcome(payment.pk, APPROVED)
    (shown,) = listed(caller)["results"]
    assert shown == caller.get(f"{CREATE}{payment.pk}/").json()
    assert datetime.fromisoformat(shown["completed_at"]).tzinfo == UTC
