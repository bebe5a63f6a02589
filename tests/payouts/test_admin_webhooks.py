"""Webhooks in the back office: how they do, the log, a test, a replay, switching off."""

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from consumers.models import AuditEntry
from payouts.models import Delivery, WebhookEndpoint
from payouts.operations.deliveries import Answer
from tests.back_office import browser, page_address, text_of
from tests.payouts.webhooks.cast import BAD, GOOD, answer, claimed, make_deliveries, make_webhook
from tests.pushes import make_funded_partner

pytestmark = pytest.mark.django_db

LIST = "admin:payouts_webhookendpoint_changelist"
VERBS = ("test", "replay", "disable")


@pytest.fixture
def webhook() -> WebhookEndpoint:
    return make_webhook(partner=make_funded_partner(name="Northwind"))


@pytest.fixture
def staff() -> Client:
    return browser("operations")


def page_of(staff: Client, webhook: WebhookEndpoint, query: str = "") -> str:
    return text_of(staff.get(page_address(webhook) + query))


def test_the_list_says_how_each_does(staff: Client, webhook: WebhookEndpoint) -> None:
    make_deliveries(webhook)
    answer(claimed()[0], BAD)
    page = text_of(staff.get(reverse(LIST)))
    assert "https://hooks.test-partner.com/payouts Northwind failing everything" in page


def test_a_page_shows_deliveries_and_what_was_answered(
    staff: Client, webhook: WebhookEndpoint
) -> None:
    make_deliveries(webhook, number=2)
    first, second = sorted(claimed(), key=lambda one: one.delivery_id)
    answer(first, GOOD)
    answer(second, Answer(status=500, text="<b>Sorry</b>"))
    response = staff.get(page_address(webhook))
    page = text_of(response)
    assert "payment.oct.created" in page
    assert "delivered 1" in page
    assert "No good answer since" in page
    assert b"&lt;b&gt;Sorry&lt;/b&gt;" in response.content
    assert "delivered 1" not in page_of(staff, webhook, "?status=due")


def test_an_empty_log_says_what_to_do(staff: Client, webhook: WebhookEndpoint) -> None:
    assert "Send a test to see what the address answers." in page_of(staff, webhook)


def test_no_page_shows_a_secret(staff: Client, webhook: WebhookEndpoint) -> None:
    assert b"whsec_" not in staff.get(page_address(webhook)).content


def test_sends_a_test_after_asking(staff: Client, webhook: WebhookEndpoint) -> None:
    assert "nowhere else" in text_of(staff.get(page_address(webhook, "test")))
    make_deliveries(webhook, number=0)
    assert not Delivery.objects.exists()
    staff.post(page_address(webhook, "test"))
    (row,) = make_deliveries(webhook, number=0)
    assert row.state == "due"
    entry = AuditEntry.objects.get(verb="test")
    assert (entry.actor, entry.subject_id) == ("staff:somebody", str(webhook.pk))


def test_replays_all_that_is_parked(staff: Client, webhook: WebhookEndpoint) -> None:
    make_deliveries(webhook, number=2)
    Delivery.objects.update(state="parked")
    staff.post(page_address(webhook, "replay"))
    assert set(Delivery.objects.values_list("state", flat=True)) == {"due"}
    assert AuditEntry.objects.get(verb="replay").after == {"events": 2}


def test_replays_one_of_them(staff: Client, webhook: WebhookEndpoint) -> None:
    first, second = make_deliveries(webhook, number=2)
    Delivery.objects.update(state="parked")
    address = f"{page_address(webhook, 'replay')}?delivery={first.pk}"
    assert "This one event" in text_of(staff.get(address))
    staff.post(address)
    assert list(Delivery.objects.filter(state="due")) == [first]
    assert list(Delivery.objects.filter(state="parked")) == [second]


def test_switching_off_takes_a_reason_and_one_person(webhook: WebhookEndpoint) -> None:
    admin = browser("admin")
    admin.post(page_address(webhook, "disable"))
    webhook.refresh_from_db()
    assert webhook.state == "enabled"
    admin.post(page_address(webhook, "disable"), {"reason": "Leaked"})
    webhook.refresh_from_db()
    assert (webhook.state, webhook.disabled_why) == ("disabled", "by_staff")
    assert AuditEntry.objects.get(verb="disable").reason == "Leaked"
    assert "A member of staff switched it off." in page_of(admin, webhook)


@pytest.mark.parametrize("role", ["viewer", "maker", "approver"])
def test_is_not_for_these_roles(role: str, webhook: WebhookEndpoint) -> None:
    client = browser(role)
    for address in (reverse(LIST), page_address(webhook)):
        assert client.get(address).status_code == 403
    for verb in VERBS:
        assert client.post(page_address(webhook, verb), {"reason": "x"}).status_code == 403
    webhook.refresh_from_db()
    assert webhook.state == "enabled"


@pytest.mark.parametrize(
    ("role", "offered"),
    [
        ("auditor", ()),
        ("operations", ("Send a test", "Replay")),
        ("admin", ("Send a test", "Replay", "Propose a change", "Switch off")),
    ],
)
def test_offers_what_a_role_may_do(
    role: str, offered: tuple[str, ...], webhook: WebhookEndpoint
) -> None:
    page = page_of(browser(role), webhook)
    every = ("Send a test", "Replay", "Propose a change", "Switch off")
    assert [name for name in every if f" {name} " in page.replace("Send a test to", "")] == [
        *offered
    ]


def test_a_page_takes_as_many_statements_however_long_the_log_is(
    staff: Client, webhook: WebhookEndpoint
) -> None:
    counts = []
    for number in (1, 9):
        make_deliveries(webhook, number=number)
        staff.get(page_address(webhook))
        with CaptureQueriesContext(connection) as captured:
            staff.get(page_address(webhook))
        counts.append(len(captured))
    assert counts[0] == counts[1]
