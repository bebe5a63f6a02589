"""The list of pushes: what it shows, how it pages, filters, counts, and what it costs."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from consumers.models import PaymentCard
from payouts.admin.pushes import PaymentAdmin
from payouts.models import Payment
from payouts.operations.push_views import choose_columns
from tests.back_office import LIST, Page, browser, text_of
from tests.builders import make_card, make_consumer, make_partner
from tests.pushes import make_funded_partner, make_payee, push, push_for_approval, push_unknown

pytestmark = pytest.mark.django_db

# Session, person, two for permissions, choice of columns, keys, rows, count, views; then the
# session is written anew (three).
STATEMENTS = 12


@pytest.fixture
def viewer() -> Client:
    return browser("viewer")


def shown(response: Page) -> list[str]:
    """The ids of the pushes on a page, from the top."""
    html = response.content.decode()
    return list(dict.fromkeys(re.findall(r"/admin/payouts/payment/([0-9a-f-]{36})/change", html)))


def ids(*payments: Payment) -> list[str]:
    return [str(payment.pk) for payment in payments]


def step(response: Page, name: str) -> str:
    """The address behind `Older`, `Newer` or `Newest`."""
    found = re.search(rf'<a href="([^"]*)"[^>]*>{name}</a>', response.content.decode())
    assert found is not None, f"no way to {name}"
    return LIST + found[1].replace("&amp;", "&")


def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PaymentAdmin, "list_per_page", 2)


def test_shows_what_staff_look_for(viewer: Client) -> None:
    consumer = make_consumer(
        partner=make_funded_partner(name="Northwind"), first_name="Grace", last_name="Hopper"
    )
    push(make_card(consumer=consumer), amount="1250.00", reference="INV-1")
    page = text_of(viewer.get(LIST))
    for part in ("Northwind", "Grace Hopper", "Visa ···· 1111", "1,250.00", "pending", "INV-1"):
        assert part in page


def test_never_reads_what_is_sealed(viewer: Client) -> None:
    push(make_payee())
    with StatementLog() as log:
        viewer.get(LIST)
    assert not re.search("ciphertext|wrapped_key|fingerprint|sealed|search_vector", str(log))


def test_says_that_there_is_nothing(viewer: Client) -> None:
    assert "No pushes yet" in text_of(viewer.get(LIST))
    assert "Nothing matches “nobody”" in text_of(viewer.get(LIST, {"q": "nobody"}))
    assert "Nothing matches these filters" in text_of(viewer.get(LIST, {"status": "failed"}))


def test_pages_go_there_and_back(viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    small_pages(monkeypatch)
    card = make_payee()
    p1, p2, p3, p4, p5 = (push(card) for _ in range(5))
    first = viewer.get(LIST)
    assert shown(first) == ids(p5, p4)
    second = viewer.get(step(first, "Older"))
    assert shown(second) == ids(p3, p2)
    last = viewer.get(step(second, "Older"))
    assert shown(last) == ids(p1)
    assert ">Older</a>" not in last.content.decode()
    assert shown(viewer.get(step(last, "Newer"))) == ids(p3, p2)
    assert shown(viewer.get(step(second, "Newer"))) == ids(p5, p4)
    assert shown(viewer.get(step(last, "Newest"))) == ids(p5, p4)
    assert "5 pushes" in text_of(last)


def test_a_page_keeps_its_filters(viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    small_pages(monkeypatch)
    card, other = make_payee(), make_payee()
    mine = [push(card) for _ in range(3)]
    push(other)
    first = viewer.get(LIST, {"partner": str(card.partner_id)})
    assert shown(first) == ids(mine[2], mine[1])
    assert shown(viewer.get(step(first, "Older"))) == ids(mine[0])


def test_a_status_is_paged_over_all_partners(
    viewer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_pages(monkeypatch)
    waiting = [push_for_approval(make_payee()) for _ in range(5)]
    address = {"status": "pending_approval"}
    first = viewer.get(LIST, address)
    assert shown(first) == ids(waiting[4], waiting[3])
    second = viewer.get(step(first, "Older"))
    assert shown(second) == ids(waiting[2], waiting[1])
    assert shown(viewer.get(step(second, "Newer"))) == ids(waiting[4], waiting[3])
    last = viewer.get(step(second, "Older"))
    assert shown(viewer.get(step(last, "Newer"))) == ids(waiting[2], waiting[1])
    assert "5 pushes" in text_of(first)


def test_filters_combine(viewer: Client) -> None:
    card = make_payee()
    unknown = push_unknown(card)
    waiting = push_for_approval(card)
    day = f"{unknown.created_at:%Y-%m-%d}"
    for query, expected in (
        ({"status": "unknown"}, ids(unknown)),
        ({"status": "pending_approval", "partner": str(card.partner_id)}, ids(waiting)),
        ({"status": "unknown", "partner": str(make_partner().pk)}, []),
        ({"source": "api"}, ids(waiting, unknown)),
        ({"source": "batch"}, []),
        ({"day_from": day, "day_to": day}, ids(waiting, unknown)),
        ({"day_from": "2040-01-01"}, []),
        ({"day_to": "2020-01-01"}, []),
        ({"day_from": day, "status": "unknown", "source": "api"}, ids(unknown)),
        ({"q": "ada", "status": "unknown"}, ids(unknown)),
        ({"q": "ada", "day_to": "2020-01-01"}, []),
    ):
        assert shown(viewer.get(LIST, query)) == expected, query


@pytest.mark.parametrize(
    "query",
    [
        "status=paid", "partner=x", "source=fax", "before=x", "after=1", "day_from=yesterday",
        "day_to=9999-12-31", "amount__gte=1", "consumer__email__contains=a", "description=x",
    ],
)  # fmt: skip
def test_an_address_that_means_nothing_leads_to_the_whole_list(viewer: Client, query: str) -> None:
    push(make_payee())
    answer = viewer.get(f"{LIST}?{query}")
    assert (answer.status_code, answer.headers["Location"]) == (302, f"{LIST}?e=1")
    assert len(shown(viewer.get(f"{LIST}?e=1"))) == 1


@pytest.mark.parametrize("query", ["o=5", "o=-4.1", "p=10000", "all=", "_facets=True", "q=%00"])
def test_does_nothing_that_would_read_the_whole_table(viewer: Client, query: str) -> None:
    newest = [push(card) for card in [make_payee()] for _ in range(2)][::-1]
    with StatementLog() as log:
        answer = viewer.get(f"{LIST}?{query}")
    assert shown(answer) == ids(*newest)
    assert "OFFSET" not in str(log)
    assert re.search(r"ORDER BY id DESC LIMIT 51\s", str(log))


def test_counts_by_the_rows_that_the_database_keeps(viewer: Client) -> None:
    card = make_payee()
    push_unknown(card)
    push(card, amount="220.50")
    push(make_payee(), amount="1000.00")
    for query, count in (
        ({}, "3 pushes 1,320.50 USD in all"),
        ({"status": "unknown"}, "1 push 100.00 USD in all"),
        ({"partner": str(card.partner_id)}, "2 pushes 320.50 USD in all"),
        ({"partner": str(card.partner_id), "status": "pending"}, "1 push 220.50 USD in all"),
    ):
        with StatementLog() as log:
            answer = viewer.get(LIST, query)
        assert count in text_of(answer)
        assert "COUNT(*)" not in str(log)


@pytest.mark.parametrize(
    ("query", "foot"),
    [
        ({"source": "api"}, "2 pushes 30.75 USD in all"),
        ({"source": "batch"}, ""),
        ({"amount_max": "15"}, "1 push 10.25 USD in all"),
        ({"q": "ada", "amount_min": "15"}, "1 push 20.50 USD in all"),
        ({"q": "nobody"}, ""),
    ],
)
def test_sums_up_what_matches(viewer: Client, query: dict[str, str], foot: str) -> None:
    card = make_payee()
    push(card, amount="10.25")
    push(card, amount="20.50")
    page = text_of(viewer.get(LIST, query))
    assert foot in page
    assert ("USD in all" in page) == bool(foot)


def test_counts_no_further_than_its_bound(viewer: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("payouts.finding.push_pages.COUNTED_AT_MOST", 2)
    monkeypatch.setattr("payouts.admin.pushes.PaymentAdmin.list_per_page", 2)
    card = make_payee()
    for dollars in ("1.00", "2.00", "4.00"):
        push(card, amount=dollars)
    choose_columns(["reference"], by=User.objects.get())
    page = text_of(viewer.get(LIST, {"source": "api"}))
    assert "more than 2 pushes 6.00 USD on this page" in page


def test_says_when_a_search_found_more_than_it_shows(
    viewer: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = make_payee()
    push(card)
    assert "only the newest" not in text_of(viewer.get(LIST, {"q": "ada"}))
    monkeypatch.setattr("payouts.finding.search._ROOTS_AT_MOST", 1)
    push(make_card(consumer=make_consumer(partner=card.partner)))
    assert "only the newest" in text_of(viewer.get(LIST, {"q": "ada"}))


@pytest.mark.parametrize("rows", [1, 7])
@pytest.mark.parametrize(
    ("query", "statements"),
    [
        ({}, STATEMENTS),
        ({"source": "api"}, STATEMENTS),
        ({"day_from": "2020-01-01"}, STATEMENTS),
        ({"status": "pending"}, STATEMENTS),
        ({"network": "visa", "source": "api"}, STATEMENTS),
        # Looked for before the page and before the count: there may be few.
        ({"amount_min": "1", "status": "pending"}, STATEMENTS),
        # Searched once for the page and its count, which is summed up apart.
        ({"q": "ada"}, STATEMENTS),
        ({"q": "1111", "status": "pending"}, STATEMENTS),
    ],
)
def test_asks_a_fixed_number_of_statements(
    viewer: Client,
    rows: int,
    query: dict[str, str],
    statements: int,
    django_assert_num_queries: Any,
) -> None:
    for card in cards_of_several_partners(rows):
        push(card)
    with django_assert_num_queries(statements):
        assert len(shown(viewer.get(LIST, query))) == rows


@pytest.mark.parametrize("rows", [1, 4])
def test_a_chosen_partner_costs_three_statements_more(
    viewer: Client, rows: int, django_assert_num_queries: Any
) -> None:
    card = make_payee()
    for _ in range(rows):
        push(card)
    make_partner()
    with django_assert_num_queries(STATEMENTS + 3):
        assert len(shown(viewer.get(LIST, {"partner": str(card.partner_id)}))) == rows


def test_partners_are_offered_by_typing(viewer: Client) -> None:
    make_partner(name="Northwind")
    make_partner(name="Harbor")
    asked = {"app_label": "payouts", "model_name": "payment", "field_name": "partner"}
    answer = viewer.get("/admin/autocomplete/", {**asked, "term": "nor"})
    assert [offer["text"] for offer in answer.json()["results"]] == ["Northwind"]
    assert "Harbor" not in viewer.get(LIST).content.decode()


def cards_of_several_partners(count: int) -> list[PaymentCard]:
    return [make_payee() for _ in range(count)]


class StatementLog:
    """Collects the statements of a block, as one text."""

    def __enter__(self) -> "StatementLog":
        self.statements: list[str] = []
        self._wrapper = connection.execute_wrapper(self._note)
        self._wrapper.__enter__()
        return self

    def __exit__(self, *details: Any) -> None:
        self._wrapper.__exit__(*details)

    def __str__(self) -> str:
        return "\n".join(self.statements)

    def _note(self, execute: Any, sql: str, params: Any, many: Any, context: Any) -> Any:
        self.statements.append(sql)
        return execute(sql, params, many, context)
