"""GET /v2/consumers/, /v2/consumers/{id}/ and /v2/consumers/pcid/{pcid}/"""

from typing import Any
from uuid import uuid4

import pytest
from pytest_django.fixtures import DjangoAssertNumQueries

from consumers import queries
from consumers.models import ConsumerTally, Partner
from consumers.queries import consumer_count
from tests.builders import make_consumer, make_http_client, make_partner
from tests.owner import owning

pytestmark = pytest.mark.django_db


@pytest.fixture
def partner() -> Partner:
    return make_partner()


def read(partner: Partner, address: str, **query: Any) -> Any:
    return make_http_client(partner=partner).get(address, query)


def pcids(answer: Any) -> list[str]:
    assert answer.status_code == 200
    document = answer.json()
    assert document["count"] == len(document["results"])
    return [consumer["pcid"] for consumer in document["results"]]


def test_lists_the_partners_own_newest_first(partner: Partner) -> None:
    for pcid in ("first", "second"):
        make_consumer(partner=partner, pcid=pcid)
    make_consumer(pcid="foreign")
    assert pcids(read(partner, "/v2/consumers/")) == ["second", "first"]


def test_a_list_shows_consumers_as_they_are_retrieved(partner: Partner) -> None:
    consumer = make_consumer(partner=partner, tax_identifier_last4="6789")
    [listed] = read(partner, "/v2/consumers/").json()["results"]
    assert listed == read(partner, f"/v2/consumers/{consumer.pk}/").json()
    assert listed == read(partner, f"/v2/consumers/pcid/{consumer.pcid}/").json()
    assert listed["tax_identifier"] == "***-**-6789"


@pytest.mark.parametrize(
    "search",
    [
        "ada", "ADA", "Ad", "love", "ada love", "love ada", "ada.l", "ada.l@example.org",
        "o'brien", "brien", "o'br", "smith-jo", "jones", "emp-0042", "emp", "zoë",
    ],
)  # fmt: skip
def test_search_finds_beginnings_of_words(partner: Partner, search: str) -> None:
    make_consumer(
        partner=partner,
        pcid="emp-0042",
        first_name="Ada Zoë",
        last_name="Lovelace O'Brien Smith-Jones",
        email="ada.l@example.org",
    )
    make_consumer(partner=partner, pcid="other", first_name="Bob", last_name="Miller")
    assert pcids(read(partner, "/v2/consumers/", search=search)) == ["emp-0042"]


@pytest.mark.parametrize(
    "search", ["nobody", "ada bob", "'", "\\", "a:*b", "!!", "& |", "<->", "()", "\0", "%", "*"]
)
def test_search_takes_any_text_as_text(partner: Partner, search: str) -> None:
    make_consumer(partner=partner, first_name="Ada", pcid="no-1")
    assert pcids(read(partner, "/v2/consumers/", search=search)) == []


def test_search_finds_a_whole_pcid_of_signs(partner: Partner) -> None:
    make_consumer(partner=partner, pcid="#!-/?")
    assert pcids(read(partner, "/v2/consumers/", search="#!-/?")) == ["#!-/?"]


def test_search_stays_within_the_partner(partner: Partner) -> None:
    make_consumer(first_name="Ada", pcid="foreign")
    assert pcids(read(partner, "/v2/consumers/", search="ada")) == []
    assert pcids(read(partner, "/v2/consumers/", search="foreign")) == []


def test_search_is_kept_from_page_to_page(partner: Partner) -> None:
    for number in range(3):
        make_consumer(partner=partner, pcid=f"a{number}", first_name="Ada")
    make_consumer(partner=partner, first_name="Bob")
    first = read(partner, "/v2/consumers/", search="ada", page_size=2).json()
    assert (first["count"], len(first["results"])) == (3, 2)
    second = read(partner, first["next"]).json()
    assert [consumer["pcid"] for consumer in second["results"]] == ["a0"]


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"search": "x" * 101}, 400, "invalid_search"),
        ({"serach": "ada"}, 400, "invalid_request"),
        ({"page": [1, 2]}, 400, "invalid_request"),
        ({"page": "0"}, 400, "invalid_page"),
        ({"page": "-1"}, 400, "invalid_page"),
        ({"page": "two"}, 400, "invalid_page"),
        ({"page": 10**30}, 404, "not_found"),
        ({"page": 2}, 404, "not_found"),
        ({"page_size": "0"}, 400, "invalid_page_size"),
        ({"cursor": "x"}, 400, "invalid_cursor"),
    ],
)
def test_a_wrong_page_is_a_problem(
    partner: Partner, query: dict[str, Any], status: int, code: str
) -> None:
    answer = read(partner, "/v2/consumers/", **query)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize(
    ("address", "known"),
    [("/v2/consumers/", {"search": "invalid_search"}), ("cards", {"search": "unknown_parameter"})],
)
def test_names_every_wrong_parameter(partner: Partner, address: str, known: dict[str, str]) -> None:
    if address == "cards":
        consumer = make_consumer(partner=partner)
        address = f"/v2/consumers/{consumer.pk}/external-payment-cards/"
    answer = read(partner, address, page=0, page_size="x", cursor="y", search="x" * 101, z=[1, 2])
    assert answer.status_code == 400
    assert {error["field"]: error["code"] for error in answer.json()["errors"]} == {
        "page": "invalid_page",
        "page_size": "invalid_page_size",
        "cursor": "invalid_cursor",
        "z": "unknown_parameter",
        **known,
    }


def test_another_partners_consumer_is_not_there(partner: Partner) -> None:
    foreign = make_consumer(pcid="foreign")
    for address in (f"/v2/consumers/{foreign.pk}/", "/v2/consumers/pcid/foreign/"):
        answer = read(partner, address)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    "address",
    [
        f"/v2/consumers/{uuid4()}/",
        "/v2/consumers/7/",
        "/v2/consumers/not-a-uuid/",
        "/v2/consumers/pcid/nobody/",
        "/v2/consumers/pcid/%00/",
        "/v2/consumers/pcid/%ff/",
        "/v2/consumers/pcid//",
    ],
)
def test_an_unknown_consumer_is_not_there(partner: Partner, address: str) -> None:
    answer = read(partner, address)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("address", "statements"),
    [("/v2/consumers/", 3), ("/v2/consumers/?search=a", 3), ("/v2/consumers/pcid/p0/", 2)],
)
def test_needs_few_statements_for_many_consumers(
    partner: Partner,
    address: str,
    statements: int,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in range(5):
        make_consumer(partner=partner, pcid=f"p{number}")
    http = make_http_client(partner=partner)
    with django_assert_num_queries(statements):
        assert http.get(address).status_code == 200


class TestCount:
    def test_is_kept_and_not_counted(self, partner: Partner) -> None:
        for _ in range(3):
            make_consumer(partner=partner)
        make_consumer()
        assert read(partner, "/v2/consumers/", page_size=1).json()["count"] == 3
        ConsumerTally.objects.filter(partner=partner).update(consumers=100)
        assert read(partner, "/v2/consumers/", page_size=1).json()["count"] >= 100

    def test_follows_what_is_taken_away(self, partner: Partner) -> None:
        with owning():
            make_consumer(partner=partner).delete()
        assert consumer_count(partner.pk) == 0

    def test_of_a_partner_without_consumers_is_none(self, partner: Partner) -> None:
        assert read(partner, "/v2/consumers/").json()["count"] == 0

    def test_of_a_search_says_whether_it_is_exact(
        self, partner: Partner, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for _ in range(3):
            make_consumer(partner=partner, first_name="Grace")
        whole = read(partner, "/v2/consumers/", search="grace").json()
        assert (whole["count"], whole["count_is_exact"]) == (3, True)
        monkeypatch.setattr(queries, "COUNTED_AT_MOST", 2)
        bounded = read(partner, "/v2/consumers/", search="grace").json()
        assert (bounded["count"], bounded["count_is_exact"]) == (2, False)
        assert len(bounded["results"]) == 3


def test_an_id_is_read_in_upper_case(partner: Partner) -> None:
    consumer = make_consumer(partner=partner)
    answer = read(partner, f"/v2/consumers/{str(consumer.pk).upper()}/")
    assert (answer.status_code, answer.json()["id"]) == (200, str(consumer.pk))
