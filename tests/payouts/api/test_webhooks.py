"""/v2/webhooks/ and what is below it."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from consumers.models import AuditEntry, Partner
from payouts.models import Delivery, WebhookEndpoint
from payouts.operations.webhook_endpoints import MOST_ENDPOINTS, webhook_keys
from tests.payouts.api.caller import Caller, nothing_is_stored, problem_in, statements, wrong_fields
from tests.payouts.webhooks.cast import (
    BAD,
    GOOD,
    URL,
    answer,
    claim_one,
    claimed,
    make_deliveries,
    make_webhook,
)

pytestmark = pytest.mark.django_db

WEBHOOKS = "/v2/webhooks/"


@pytest.fixture
def webhook(partner: Partner) -> WebhookEndpoint:
    return make_webhook(partner=partner)


def at(webhook: WebhookEndpoint, suffix: str = "") -> str:
    return f"{WEBHOOKS}{webhook.pk}/{suffix}"


def patch(caller: Caller, webhook: WebhookEndpoint, body: Any) -> Any:
    return caller.send(at(webhook), json.dumps(body), method="PATCH")


class TestCreating:
    def test_shows_the_secret_once(self, caller: Caller) -> None:
        made = caller.post(WEBHOOKS, {"url": URL, "event_types": ["card.*"]})
        assert made.status_code == 201
        document = made.json()
        secret = document.pop("secret")
        assert secret.startswith("whsec_")
        row = WebhookEndpoint.objects.get()
        assert webhook_keys(row, at=timezone.now()) == [secret]
        assert caller.get(at(row)).json() == document
        assert caller.get(WEBHOOKS).json() == {"results": [document]}
        assert (document["event_types"], document["enabled"]) == (["card.*"], True)

    def test_stores_no_secret_in_clear(self, caller: Caller) -> None:
        secret = caller.post(WEBHOOKS, {"url": URL}).json()["secret"]
        row = WebhookEndpoint.objects.get()
        assert secret.encode() not in bytes(row.secret or b"")
        told = list(AuditEntry.objects.values_list("after", flat=True))
        assert secret not in str(told)
        assert {"url": URL, "types": []} in told

    @pytest.mark.parametrize(
        "url", ["http://hooks.partner.com/", "https://10.0.0.1/", "https://user@a.com/", "x"]
    )
    def test_refuses_an_address_that_is_none(self, caller: Caller, url: str) -> None:
        with nothing_is_stored():
            refused = caller.post(WEBHOOKS, {"url": url})
        document = problem_in(refused, status=400, code="invalid_webhook_url")
        assert wrong_fields(document) == {"url": "invalid_webhook_url"}

    def test_names_everything_that_is_wrong(self, caller: Caller) -> None:
        body = {"url": 5, "event_types": ["payment.nothing"], "secret": "x", "description": "\x07"}
        document = problem_in(caller.post(WEBHOOKS, body), status=400, code="invalid_request")
        assert wrong_fields(document) == {
            "url": "invalid",
            "event_types": "unknown_type",
            "secret": "unknown_field",
            "description": "control_characters",
        }

    def test_a_partner_has_so_many_at_most(self, caller: Caller) -> None:
        for _ in range(MOST_ENDPOINTS):
            make_webhook(partner=caller.partner)
        problem_in(caller.post(WEBHOOKS, {"url": URL}), status=422, code="too_many_webhooks")
        assert WebhookEndpoint.objects.count() == MOST_ENDPOINTS


class TestChanging:
    def test_changes_what_is_named(self, caller: Caller, webhook: WebhookEndpoint) -> None:
        changed = patch(caller, webhook, {"description": "Payroll"}).json()
        assert (changed["description"], changed["url"]) == ("Payroll", URL)
        changed = patch(caller, webhook, {"event_types": ["consumer.created"]}).json()
        assert (changed["description"], changed["event_types"]) == ("Payroll", ["consumer.created"])

    def test_switches_off_and_on(self, caller: Caller, webhook: WebhookEndpoint) -> None:
        off = patch(caller, webhook, {"enabled": False}).json()
        assert (off["enabled"], off["disabled"]["why"]) == (False, "by_partner")
        on = patch(caller, webhook, {"enabled": True}).json()
        assert (on["enabled"], on["disabled"]) == (True, None)

    def test_an_address_inside_is_refused(self, caller: Caller, webhook: WebhookEndpoint) -> None:
        refused = patch(caller, webhook, {"url": "https://169.254.169.254/"})
        problem_in(refused, status=400, code="invalid_webhook_url")
        webhook.refresh_from_db()
        assert webhook.url == URL

    def test_removing_leaves_nothing_to_see(self, caller: Caller, webhook: WebhookEndpoint) -> None:
        assert caller.send(at(webhook), b"", method="DELETE").status_code == 204
        problem_in(caller.get(at(webhook)), status=404, code="not_found")
        assert caller.get(WEBHOOKS).json() == {"results": []}


class TestRotating:
    def test_both_secrets_sign_for_a_day(self, caller: Caller, webhook: WebhookEndpoint) -> None:
        (old,) = webhook_keys(webhook, at=timezone.now())
        new = caller.post(at(webhook, "rotate-secret/"), {}).json()["secret"]
        webhook.refresh_from_db()
        now = timezone.now()
        assert webhook_keys(webhook, at=now + timedelta(hours=23)) == [new, old]
        assert webhook_keys(webhook, at=now + timedelta(hours=24)) == [new]

    def test_a_leaked_one_ends_at_once(self, caller: Caller, webhook: WebhookEndpoint) -> None:
        caller.post(at(webhook, "rotate-secret/"), {})
        body = {"previous_valid_hours": 0}
        new = caller.post(at(webhook, "rotate-secret/"), body).json()["secret"]
        webhook.refresh_from_db()
        assert webhook_keys(webhook, at=timezone.now()) == [new]

    @pytest.mark.parametrize("hours", [-1, 169, "24", 1.5, True])
    def test_refuses_other_overlaps(
        self, caller: Caller, webhook: WebhookEndpoint, hours: Any
    ) -> None:
        with nothing_is_stored():
            refused = caller.post(at(webhook, "rotate-secret/"), {"previous_valid_hours": hours})
        problem_in(refused, status=400, code="invalid_request")


class TestDeliveries:
    def test_tells_what_became_of_each(self, caller: Caller, webhook: WebhookEndpoint) -> None:
        make_deliveries(webhook, number=2)
        first, second = sorted(claimed(), key=lambda one: one.delivery_id)
        answer(first, GOOD)
        answer(second, BAD)
        found = caller.get(at(webhook, "deliveries/")).json()
        assert [(one["event_id"], one["status"], one["tries"]) for one in found["results"]] == [
            (second.event.id, "due", 1),
            (first.event.id, "delivered", 1),
        ]
        told = found["results"][0]["answer"]
        assert (told["status"], told["error"], told["text"]) == (500, None, "Sorry")
        assert found["before"] is None

    def test_pages_and_narrows(self, caller: Caller, webhook: WebhookEndpoint) -> None:
        make_deliveries(webhook, number=3)
        answer(claimed(limit=1)[0], GOOD)
        page = caller.get(at(webhook, "deliveries/?page_size=2")).json()
        rest = caller.get(at(webhook, f"deliveries/?before={page['before']}")).json()
        assert (len(page["results"]), len(rest["results"])) == (2, 1)
        done = caller.get(at(webhook, "deliveries/?status=delivered")).json()
        assert len(done["results"]) == 1

    def test_refuses_what_it_does_not_know(self, caller: Caller, webhook: WebhookEndpoint) -> None:
        refused = caller.get(
            at(webhook, "deliveries/?status=lost&x=1&page_size=0&before=a&before=b")
        )
        document = problem_in(refused, status=400, code="invalid_request")
        assert wrong_fields(document) == {
            "status": "unknown_status",
            "x": "unknown_parameter",
            "page_size": "invalid_page_size",
            "before": "repeated_parameter",
        }

    def test_takes_four_statements(self, caller: Caller, webhook: WebhookEndpoint) -> None:
        make_deliveries(webhook, number=3)
        caller.get(at(webhook, "deliveries/"))
        with statements(4):
            caller.get(at(webhook, "deliveries/"))


class TestReplaying:
    def test_replays_one(self, caller: Caller, webhook: WebhookEndpoint) -> None:
        make_deliveries(webhook)
        parcel = claim_one(webhook)
        answer(parcel, GOOD)
        done = caller.post(at(webhook, "replay/"), {"event_ids": [parcel.event.id]})
        assert done.status_code == 202
        assert done.json() == {"events": 1, "cursor": parcel.event.id, "has_more": False}
        assert Delivery.objects.get().state == "due"

    def test_replays_what_is_parked_of_a_range(
        self, caller: Caller, webhook: WebhookEndpoint
    ) -> None:
        make_deliveries(webhook, number=3)
        ids = [one.event.id for one in sorted(claimed(), key=lambda one: one.delivery_id)]
        Delivery.objects.update(state="parked")
        done = caller.post(at(webhook, "replay/"), {"after": ids[0], "until": ids[1]}).json()
        assert (done["events"], done["cursor"]) == (1, ids[1])
        assert caller.post(at(webhook, "replay/"), {}).json()["events"] == 2

    @pytest.mark.parametrize(
        ("body", "status", "code"),
        [
            ({"event_ids": []}, 400, "invalid_request"),
            ({"event_ids": ["evt_1"]}, 400, "invalid_request"),
            ({"event_ids": ["evt_" + "0" * 32]}, 422, "unknown_event"),
            ({"event_ids": ["evt_" + "0" * 32], "delivered_too": True}, 422, "conflicting"),
            ({"after": "x"}, 400, "invalid_request"),
            ({"after": "evt_" + "0" * 32}, 422, "unknown_event"),
        ],
    )
    def test_refuses_what_names_nothing(
        self, caller: Caller, webhook: WebhookEndpoint, body: Any, status: int, code: str
    ) -> None:
        with nothing_is_stored():
            refused = caller.post(at(webhook, "replay/"), body)
        problem_in(refused, status=status, code=code)

    def test_nothing_goes_to_one_that_is_off(
        self, caller: Caller, webhook: WebhookEndpoint
    ) -> None:
        patch(caller, webhook, {"enabled": False})
        for suffix in ("replay/", "test/"):
            problem_in(caller.post(at(webhook, suffix), {}), status=422, code="webhook_disabled")


def test_a_test_is_an_event_of_its_own(caller: Caller, webhook: WebhookEndpoint) -> None:
    sent = caller.post(at(webhook, "test/"))
    assert sent.status_code == 202
    make_deliveries(webhook, number=0)
    parcel = claim_one(webhook)
    assert (parcel.event.id, parcel.event.type) == (sent.json()["event_id"], "webhook.test")
