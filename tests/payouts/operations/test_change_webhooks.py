"""Staff change webhooks in pairs; a new one's secret is fetched once by whoever proposed it."""

from typing import Any

import pytest
from django.utils import timezone

from payouts.models import WebhookEndpoint
from payouts.operations.change_kinds import NotAChange
from payouts.operations.change_secrets import NothingToCollect, collect_secret
from payouts.operations.changes import ChangeByProposer, ChangeOutdated, ProposalNotPermitted
from payouts.operations.webhook_endpoints import change_webhook, webhook_keys
from tests.changes import approve, propose, two_admins
from tests.payouts.webhooks.cast import URL, make_webhook
from tests.pushes import make_funded_partner, make_staff

pytestmark = pytest.mark.django_db

WISH: dict[str, Any] = {"url": URL, "description": "", "types": ["card.*"], "is_active": True}
OTHER = "https://other.test-partner.com/"


def of(webhook: WebhookEndpoint) -> dict[str, Any]:
    return {"partner_id": webhook.partner_id, "subject": str(webhook.pk)}


def test_a_new_one_takes_two_people_and_its_secret_is_shown_once() -> None:
    ada, bea = two_admins()
    partner = make_funded_partner()
    change = propose("webhook", WISH, by=ada, partner_id=partner.pk)
    assert not WebhookEndpoint.objects.exists()
    with pytest.raises(ChangeByProposer):
        approve(change, ada)
    change = approve(change, bea)
    endpoint = WebhookEndpoint.objects.get()
    assert (endpoint.url, endpoint.types, endpoint.partner) == (URL, ["card.*"], partner)
    secret = collect_secret(change.pk, by=ada).secret
    endpoint.refresh_from_db()
    assert webhook_keys(endpoint, at=timezone.now()) == [secret]
    with pytest.raises(NothingToCollect):
        collect_secret(change.pk, by=ada)


def test_another_address_takes_two_people() -> None:
    ada, bea = two_admins()
    webhook = make_webhook()
    change = propose("webhook", {**WISH, "url": OTHER}, by=ada, **of(webhook))
    webhook.refresh_from_db()
    assert webhook.url == URL
    approve(change, bea)
    webhook.refresh_from_db()
    assert webhook.url == OTHER
    with pytest.raises(NothingToCollect):
        collect_secret(change.pk, by=ada)


def test_what_the_partner_changed_meanwhile_is_not_overwritten() -> None:
    ada, bea = two_admins()
    webhook = make_webhook()
    change = propose("webhook", {**WISH, "url": OTHER}, by=ada, **of(webhook))
    change_webhook(webhook, description="Ours")
    with pytest.raises(ChangeOutdated):
        approve(change, bea)
    webhook.refresh_from_db()
    assert (webhook.url, webhook.description) == (URL, "Ours")


def test_switches_off_and_on_again() -> None:
    ada, bea = two_admins()
    webhook = make_webhook(types=["card.*"])
    for is_active in (False, True):
        approve(propose("webhook", {**WISH, "is_active": is_active}, by=ada, **of(webhook)), bea)
        webhook.refresh_from_db()
        assert (webhook.state == "enabled") is is_active


@pytest.mark.parametrize("url", ["https://10.0.0.1/", "http://hooks.partner.com/", ""])
def test_refuses_an_address_that_is_none(url: str) -> None:
    ada, _ = two_admins()
    with pytest.raises(NotAChange) as refused:
        propose("webhook", {**WISH, "url": url}, by=ada, partner_id=make_funded_partner().pk)
    assert list(refused.value.problems) == ["url"]


def test_another_partners_is_not_found() -> None:
    ada, _ = two_admins()
    named = {**of(make_webhook()), "partner_id": make_funded_partner().pk}
    with pytest.raises(NotAChange):
        propose("webhook", WISH, by=ada, **named)


def test_is_not_for_operations() -> None:
    with pytest.raises(ProposalNotPermitted):
        propose(
            "webhook", WISH, by=make_staff("otto", "operations"),
            partner_id=make_funded_partner().pk,
        )  # fmt: skip
