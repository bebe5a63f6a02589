"""Pages by key: complete, in order, without repeats, at the same cost everywhere."""

import re
from base64 import urlsafe_b64encode
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest
from django.http import QueryDict
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.exceptions import APIException, NotFound
from rest_framework.request import Request

from consumers.api.paging import CURSOR_PATTERN, LARGEST_SIZE, Page
from consumers.api.problems import RequestRefused
from consumers.models import Consumer, Partner
from tests.builders import make_consumer, make_partner
from tests.owner import owning


def page_of(query: str) -> Page:
    return Page.of(QueryDict(query))


@pytest.mark.parametrize(
    ("query", "size", "offset"),
    [
        ("", 50, 0),
        ("page=1", 50, 0),
        ("page=3&page_size=10", 10, 20),
        ("page=007&page_size=010", 10, 60),
        ("page_size=200", 200, 0),
        ("page_size=201", LARGEST_SIZE, 0),
        (f"page_size={10**40}", LARGEST_SIZE, 0),
    ],
)
def test_reads_numbers_and_sizes(query: str, size: int, offset: int) -> None:
    assert page_of(query) == Page(size, offset=offset)


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "", "x", "1e3", "٣", "+1", " 1", "0x1", "\0"])
@pytest.mark.parametrize("name", ["page", "page_size"])
def test_refuses_what_is_no_number_of_a_page(name: str, text: str) -> None:
    query = QueryDict(mutable=True)
    query[name] = text
    with pytest.raises(RequestRefused) as caught:
        Page.of(query)
    assert caught.value.get_codes() == f"invalid_{name}"


@pytest.mark.parametrize("number", ["1000000001", "1" + "0" * 30, "9" * 5000])
def test_a_page_beyond_every_list_is_not_found(number: str) -> None:
    with pytest.raises(NotFound):
        Page.of({"page": number})


def encoded(content: bytes) -> str:
    return urlsafe_b64encode(content).decode().rstrip("=")


GOOD_CURSOR = encoded(b"o" + UUID(int=5).bytes)


def test_reads_its_own_cursor_and_forgets_the_page() -> None:
    assert page_of(f"cursor={GOOD_CURSOR}&page=9") == Page(after=UUID(int=5))


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        GOOD_CURSOR + "=",
        GOOD_CURSOR + "A",
        GOOD_CURSOR[:-1],
        GOOD_CURSOR + "\0",
        GOOD_CURSOR[:-1] + "F",
        GOOD_CURSOR.replace("A", "!", 1),
        encoded(b"x" + bytes(16)),
        encoded(b"o" + bytes(17)),
        "ü" * 23,
        "A" * 10_000,
    ],
)
def test_refuses_a_malformed_cursor(cursor: str) -> None:
    with pytest.raises(RequestRefused) as caught:
        Page.of({"cursor": cursor})
    assert caught.value.get_codes() == "invalid_cursor"


@given(st.from_regex(CURSOR_PATTERN, fullmatch=True))
def test_takes_every_cursor_of_the_published_form(cursor: str) -> None:
    page = Page.of({"cursor": cursor})
    assert page.after or page.before


@given(st.uuids())
def test_publishes_the_form_of_all_cursors(key: UUID) -> None:
    for direction in (b"o", b"n"):
        assert re.fullmatch(CURSOR_PATTERN, encoded(direction + key.bytes))


@pytest.fixture
def partner() -> Partner:
    partner = make_partner()
    for number in range(7):
        make_consumer(partner=partner, pcid=f"p{number}")
    make_consumer(pcid="foreign")
    return partner


def answer(partner: Partner, address: str) -> dict[str, Any]:
    request = Request(RequestFactory().get(address))
    page = Page.of(request.query_params)
    rows = Consumer.objects.filter(partner=partner)
    return page.answer(
        request,
        page.fetched_from(rows),
        count=rows.count(),
        id_of=lambda row: row.pk,
        shown=lambda row: row.pcid,
    )


def walked(partner: Partner, start: str, direction: str) -> list[list[str]]:
    pages, address = [], start
    while address:
        document = answer(partner, address)
        pages.append(document["results"])
        address = document[direction]
    return pages


@pytest.mark.django_db
class TestWalks:
    def test_forwards_sees_every_row_once_newest_first(self, partner: Partner) -> None:
        pages = walked(partner, "/list/?page_size=3", "next")
        assert pages == [["p6", "p5", "p4"], ["p3", "p2", "p1"], ["p0"]]

    def test_backwards_shows_the_same_pages(self, partner: Partner) -> None:
        last = answer(partner, answer(partner, "/list/?page_size=4")["next"])
        assert last["results"] == ["p2", "p1", "p0"]
        assert last["next"] is None
        assert walked(partner, last["previous"], "previous") == [["p6", "p5", "p4", "p3"]]

    def test_forwards_again_after_going_back(self, partner: Partner) -> None:
        third = walked(partner, "/list/?page_size=3", "next")[2]
        second = answer(partner, answer(partner, "/list/?page_size=3&page=3")["previous"])
        assert second["results"] == ["p3", "p2", "p1"]
        assert answer(partner, second["next"])["results"] == third
        assert answer(partner, second["previous"])["results"] == ["p6", "p5", "p4"]

    def test_a_full_last_page_has_no_next(self, partner: Partner) -> None:
        document = answer(partner, "/list/?page_size=7")
        assert (document["next"], document["previous"], document["count"]) == (None, None, 7)

    def test_plain_numbers_lead_over_to_cursors(self, partner: Partner) -> None:
        document = answer(partner, "/list/?page=2&page_size=2")
        assert document["results"] == ["p4", "p3"]
        assert "page=" not in document["next"].replace("page_size=", "")
        assert answer(partner, document["next"])["results"] == ["p2", "p1"]
        assert answer(partner, document["previous"])["results"] == ["p6", "p5"]

    def test_a_row_made_meanwhile_moves_nothing(self, partner: Partner) -> None:
        first = answer(partner, "/list/?page_size=3")
        make_consumer(partner=partner, pcid="later")
        assert answer(partner, first["next"])["results"] == ["p3", "p2", "p1"]

    def test_rows_deleted_meanwhile_lead_back_to_the_start(self, partner: Partner) -> None:
        following = answer(partner, "/list/?page_size=3")["next"]
        back = answer(partner, following)["previous"]
        with owning():
            Consumer.objects.filter(partner=partner).delete()
        older, newer = answer(partner, following), answer(partner, back)
        assert (older["results"], older["next"]) == ([], None)
        assert (newer["results"], newer["previous"]) == ([], None)
        assert urlsplit(older["previous"]).query == urlsplit(newer["next"]).query == "page_size=3"

    def test_links_are_absolute_and_keep_the_rest_of_the_query(self, partner: Partner) -> None:
        address = "/list/?status=a&status=b&search=%C3%BC%26&page=1&page_size=3"
        link = urlsplit(answer(partner, address)["next"])
        assert (link.scheme, link.netloc, link.path) == ("http", "testserver", "/list/")
        query = parse_qs(link.query)
        assert query.pop("cursor")
        assert query == {"status": ["a", "b"], "search": ["ü&"], "page_size": ["3"]}

    @pytest.mark.parametrize("number", [5, 1000, 10**9])
    def test_a_page_past_the_end_is_not_found(self, partner: Partner, number: int) -> None:
        with pytest.raises(APIException) as caught:
            answer(partner, f"/list/?page_size=2&page={number}")
        assert caught.value.status_code == 404

    def test_an_empty_list_has_a_first_page(self) -> None:
        document = answer(make_partner(), "/list/")
        assert document == {"count": 0, "next": None, "previous": None, "results": []}
