"""Keys of pushes as an address asks for them: bounded, in order, and nothing left out unsaid."""

from datetime import timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from django.utils import timezone

from payouts.finding import push_pages
from payouts.finding.push_pages import KeyPage, count_of_pushes, page_of_pushes
from payouts.finding.push_query import PushQuery, UnreadableQuery, address_of
from payouts.models import Payment
from payouts.operations.record_outcome import record_outcome
from payouts.rollups import figures
from tests.batches import issued, line, rows_of
from tests.builders import MASTERCARD_NUMBER, make_card, make_consumer
from tests.payouts.rollups.books import link_and_follow
from tests.pushes import (
    CLIENT_ID,
    claim,
    declined,
    make_funded_partner,
    make_payee,
    make_staff,
    push,
    push_for_approval,
    push_submitted,
)

pytestmark = pytest.mark.django_db


def page(limit: int = 9, *, newer_than: UUID | None = None, **given: str) -> KeyPage:
    return page_of_pushes(PushQuery.read(given), limit=limit, newer_than=newer_than)


def keys(*payments: Payment) -> list[UUID]:
    return [payment.pk for payment in payments]


def test_a_status_is_listed_over_all_partners_newest_first() -> None:
    older = push_submitted(make_payee())
    newer = push_submitted(make_payee())
    push(make_payee())
    assert page(status="submitted").ids == keys(newer, older)
    assert page(1, status="submitted").ids == keys(newer)
    assert page(1, status="submitted", newer_than=UUID(int=0)).ids == keys(older)


def test_narrows_by_everything_at_once() -> None:
    card = make_payee()
    payment = push_for_approval(card, amount="20.00")
    day = f"{payment.created_at:%Y-%m-%d}"
    given = {
        "status": "pending_approval",
        "partner": str(card.partner_id),
        "source": "api",
        "network": "visa",
        "maker": f"client:{CLIENT_ID}",
        "day_from": day,
        "day_to": day,
        "amount_min": "$20.00",
        "amount_max": "20",
    }
    assert page_of_pushes(PushQuery.read(given), limit=9).ids == keys(payment)
    for name, other in (
        ("status", "failed"),
        ("partner", str(make_funded_partner().pk)),
        ("source", "batch"),
        ("network", "jcb"),
        ("maker", "user:1"),
        ("day_to", "2020-01-01"),
        ("amount_min", "20.01"),
    ):
        query = PushQuery.read({**given, name: other})
        assert page_of_pushes(query, limit=9).ids == [], name


def test_says_how_far_it_has_looked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(push_pages, "LOOKED_AT_MOST", 2)
    card = make_payee()
    consumer = make_consumer(partner=card.partner, pcid="rare")
    rare = push(make_card(consumer=consumer, number=MASTERCARD_NUMBER))
    others = [push(card) for _ in range(4)]
    first = page(network="mastercard")
    assert first == KeyPage([], others[1].pk)
    query = PushQuery.read({"network": "mastercard"})
    assert page_of_pushes(query, limit=9, older_than=first.looked_to) == KeyPage([rare.pk])
    assert count_of_pushes(query) == (0, False, None)


def test_looks_as_far_for_a_status_of_several_partners(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(push_pages, "LOOKED_AT_MOST", 4)
    card, other = make_payee(), make_payee()
    of_other = push(other, amount="10.00")
    for _ in range(5):
        push(card, amount="20.00")
    first = page(status="pending", network="visa", limit=2)
    assert len(first.ids) == 2
    rare = page(status="pending", network="jcb")
    assert rare.ids == []
    assert rare.looked_to is not None
    assert rare.looked_to > of_other.pk


def test_rare_amounts_are_found_wherever_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(push_pages, "LOOKED_AT_MOST", 1)
    monkeypatch.setattr(push_pages, "_GATHERED_AT_MOST", 2)
    card = make_payee()
    large = push(card, amount="900.00")
    for _ in range(5):
        push(card, amount="10.00")
    assert page(amount_min="500").ids == keys(large)
    assert count_of_pushes(PushQuery.read({"amount_min": "500"})) == (1, True, Decimal(900))
    assert page(amount_min="500", status="failed").ids == []
    assert page(amount_max="10").looked_to is not None


@pytest.mark.parametrize(
    ("narrowed", "counted"),
    [
        ({}, (3, True, 70)),
        ({"day_to": str(timezone.now().date() + timedelta(days=1))}, (3, True, 70)),
        ({"status": "failed"}, (1, True, 20)),
        ({"failure": "do_not_honor"}, (1, True, 20)),
        ({"status": "completed", "failure": "do_not_honor"}, (0, True, 0)),
        ({"day_to": "2020-01-01"}, (0, True, 0)),
        ({"day_from": "2020-01-01"}, (2, False, None)),
        ({"source": "api"}, (2, False, None)),
    ],
)
def test_days_are_counted_and_summed_up_by_the_rollups(
    narrowed: dict[str, str], counted: tuple[int, bool, int | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(push_pages, "COUNTED_AT_MOST", 2)
    submitted = push_submitted(make_payee(), amount="20.00")
    for dollars in ("10.00", "40.00"):
        push(make_payee(), amount=dollars)
    link_and_follow()
    # Not in the rollups yet.
    record_outcome(submitted.pk, declined("05"))
    week_ago = timezone.now().date() - timedelta(days=7)
    days = {"day_from": str(week_ago), "zone": "Asia/Kathmandu"}
    assert count_of_pushes(PushQuery.read({**days, **narrowed})) == counted


def test_days_are_counted_on_the_way_while_the_rollups_are_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(figures, "NEWER_AT_MOST", 0)
    push(make_payee(), amount="10.00")
    query = PushQuery.read({"day_from": str(timezone.now().date() - timedelta(days=1))})
    assert count_of_pushes(query) == (1, True, Decimal(10))


def test_an_address_asks_for_the_same_again() -> None:
    given = {
        "q": "grace & co",
        "status": "failed",
        "amount_min": "1,250",
        "page": "9",
        "zone": "UTC",
    }
    query = PushQuery.read(given)
    assert query.address() == "q=grace+%26+co&status=failed&amount_min=1%2C250"
    assert PushQuery.from_address(query.address()) == query
    assert address_of(query.given, status=None) == "q=grace+%26+co&amount_min=1%2C250"


def test_days_are_those_of_the_zone_that_the_address_names() -> None:
    utc = PushQuery.read({"day_from": "2026-03-01"}).reach.first
    berlin = PushQuery.read({"day_from": "2026-03-01", "zone": "Europe/Berlin"}).reach.first
    assert (utc.int - berlin.int) >> 80 == 3_600_000


@pytest.mark.parametrize(
    ("name", "text"),
    [("status", "paid"), ("partner", "x"), ("source", "fax"), ("network", "x"), ("maker", "x"),
     ("maker", "user:0"), ("maker", "user:99999999999"), ("day_from", "soon"), ("amount_min", "-1"),
     ("amount_max", "much"), ("amount_max", "NaN"), ("zone", "Nowhere")],
)  # fmt: skip
def test_refuses_what_means_nothing(name: str, text: str) -> None:
    with pytest.raises(UnreadableQuery) as refused:
        PushQuery.read({name: text, "day_to": "2026-01-01"})
    assert refused.value.parameter == name


def test_a_reason_is_of_what_failed_only() -> None:
    payment = push(make_payee())
    record_outcome(payment.pk, declined("05"), send_number=claim(payment).send_number)
    push_submitted(make_payee())
    assert page(failure="do_not_honor").ids == keys(payment)
    assert count_of_pushes(PushQuery.read({"failure": "do_not_honor"})) == (1, True, Decimal(100))
    assert page(failure="do_not_honor", status="completed").ids == []
    assert page(failure="expired_card").ids == []


def test_the_pushes_of_a_batch_and_some_of_them() -> None:
    card = make_payee()
    batch = issued(card.partner, make_staff("mia", "maker"), line(card, "10"), line(card, "20"))
    push(card)
    in_batch = [row.payment_id for row in reversed(rows_of(batch))]
    key = str(batch.pk)
    assert page(batch=key).ids == in_batch
    assert page(1, batch=key, newer_than=UUID(int=0)).ids == in_batch[1:]
    assert len(page(batch=key, amount_min="15").ids) == 1
    assert count_of_pushes(PushQuery.read({"batch": key})) == (2, True, Decimal(30))
    assert page(batch=str(card.pk)).ids == []
