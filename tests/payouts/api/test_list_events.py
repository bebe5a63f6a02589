"""GET /v2/events/ and /v2/events/{id}/"""

from typing import Any

import pytest

from consumers.models import Partner, PaymentCard
from consumers.operations.consumers import register_consumer
from payouts.operations.follow_outbox import follow_outbox
from payouts.operations.record_outcome import record_outcome
from tests.payouts.api.caller import Caller, problem_in, statements, wrong_fields
from tests.pushes import APPROVED, declined, make_payee, push, push_submitted

pytestmark = pytest.mark.django_db

FEED = "/v2/events/"


def feed(caller: Caller, query: str = "") -> dict[str, Any]:
    answer = caller.get(f"{FEED}{query}")
    assert answer.status_code == 200, answer.content
    document: dict[str, Any] = answer.json()
    return document


def types(document: dict[str, Any]) -> list[str]:
    return [event["type"] for event in document["results"]]


def test_begins_at_the_beginning_and_goes_on_from_a_cursor(
    caller: Caller, card: PaymentCard
) -> None:
    payment = push_submitted(card)
    follow_outbox()
    first = feed(caller)
    assert types(first) == ["payment.oct.created", "payment.oct.sent"]
    assert first["next"] is None
    assert types(feed(caller, f"?after={first['cursor']}")) == []
    record_outcome(payment.pk, APPROVED)
    follow_outbox()
    news = feed(caller, f"?after={first['cursor']}")
    assert types(news) == ["payment.oct.completed"]
    assert news["cursor"] == f"evt_{payment.pk.hex}_3"


def test_pages_tell_everything_once(caller: Caller, card: PaymentCard) -> None:
    for number in range(1, 6):
        push(card, amount=f"{number}.00")
    follow_outbox()
    told, address = [], "?page_size=2"
    while address:
        document = feed(caller, address)
        told += [event["id"] for event in document["results"]]
        address = (document["next"] or "").removeprefix(f"http://testserver{FEED}")
    assert len(told) == len(set(told)) == 5


def test_tells_what_was_asked_and_what_was_true_then(caller: Caller, card: PaymentCard) -> None:
    payment = push(card, amount="12.34", reference="R-1", metadata={"a": "b"})
    follow_outbox()
    (event,) = feed(caller)["results"]
    data = event.pop("data")
    assert event == {
        "id": f"evt_{payment.pk.hex}_1",
        "type": "payment.oct.created",
        "timestamp": payment.created_at.isoformat().replace("+00:00", "Z"),
        "number": 1,
    }
    assert data["amount"] == 12.34
    assert (data["reference"], data["metadata"]) == ("R-1", {"a": "b"})
    assert (data["status"], data["money_moved"], data["safe_to_retry"]) == ("pending", "no", False)


def test_an_event_reads_the_same_whatever_happened_since(caller: Caller, card: PaymentCard) -> None:
    payment = push_submitted(card)
    follow_outbox()
    before = feed(caller)["results"]
    record_outcome(payment.pk, declined("05"))
    follow_outbox()
    after = feed(caller)["results"]
    assert after[:2] == before
    assert after[2]["data"]["failure"]["code"] == "do_not_honor"
    assert after[2]["data"]["safe_to_retry"] is True


def test_is_narrowed_by_types_and_groups(caller: Caller, card: PaymentCard) -> None:
    push_submitted(card)
    register_consumer(caller.partner.pk, pcid="ada")
    follow_outbox()
    assert types(feed(caller, "?type=payment.oct.sent")) == ["payment.oct.sent"]
    assert types(feed(caller, "?type=consumer.*&type=payment.oct.sent")) == [
        "consumer.created",
        "payment.oct.sent",
    ]


def test_names_everything_that_is_wrong(caller: Caller) -> None:
    answer = caller.get(f"{FEED}?type=nothing&since=x&after=a&after=b&page_size=0")
    document = problem_in(answer, status=400, code="invalid_request")
    assert wrong_fields(document) == {
        "since": "unknown_parameter",
        "after": "repeated_parameter",
        "type": "unknown_type",
        "page_size": "invalid_page_size",
    }


@pytest.mark.parametrize("cursor", ["", "1", "evt_", f"evt_{'0' * 31}", f"evt_{'0' * 32}_01"])
def test_a_cursor_that_is_none_is_refused(caller: Caller, cursor: str) -> None:
    problem_in(caller.get(f"{FEED}?after={cursor}"), status=400, code="invalid_cursor")


@pytest.mark.parametrize("number", ["", "_1", "_9999999999"])
def test_a_cursor_of_nothing_cannot_be_gone_on_from(caller: Caller, number: str) -> None:
    answer = caller.get(f"{FEED}?after=evt_{'0' * 32}{number}")
    document = problem_in(answer, status=422, code="unknown_event")
    assert document["title"] == "There is no such event."


def test_another_partners_events_are_not_there(caller: Caller) -> None:
    theirs = push(make_payee())
    follow_outbox()
    assert feed(caller)["results"] == []
    named = f"evt_{theirs.pk.hex}_1"
    problem_in(caller.get(f"{FEED}?after={named}"), status=422, code="unknown_event")
    problem_in(caller.get(f"{FEED}{named}/"), status=404, code="not_found")


def test_one_event_is_found_by_its_id(caller: Caller, partner: Partner) -> None:
    register_consumer(partner.pk, pcid="ada")
    follow_outbox()
    (event,) = feed(caller)["results"]
    assert caller.get(f"{FEED}{event['id']}/").json() == event


def test_takes_three_statements_however_many_there_are(caller: Caller, card: PaymentCard) -> None:
    push(card)
    follow_outbox()
    cursor = feed(caller)["cursor"]
    push(make_payee(partner=caller.partner))
    follow_outbox()
    with statements(3):
        feed(caller, f"?after={cursor}")
