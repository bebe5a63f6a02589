"""Secrets of webhooks move when the keys of the vault are rotated."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from consumers.operations.rotate_keys import rotate_keys
from payouts.models import WebhookEndpoint
from payouts.operations.sealed_kinds import SEALED_KINDS
from payouts.operations.webhook_endpoints import (
    remove_webhook,
    rotate_webhook_secret,
    webhook_keys,
)
from tests.payouts.webhooks.cast import make_webhook
from tests.vault_keys import use_keys

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _old_keys(settings: Any) -> None:
    use_keys(settings, "kek1")


def moved() -> tuple[int, int]:
    """How many newer and how many previous secrets a rotation moves."""
    rotation = rotate_keys(SEALED_KINDS, told=lambda _: None)
    return rotation.moved["webhook secrets"], rotation.moved["previous webhook secrets"]


def test_both_secrets_open_without_the_old_key_afterwards(settings: Any) -> None:
    webhook = make_webhook()
    rotate_webhook_secret(webhook, overlap=timedelta(hours=1))
    keys = webhook_keys(webhook, at=timezone.now())
    use_keys(settings, "kek2", "kek1")
    assert [moved(), moved()] == [(1, 1), (0, 0)]
    use_keys(settings, "kek2")
    webhook.refresh_from_db()
    assert webhook_keys(webhook, at=timezone.now()) == keys


def test_one_that_was_removed_is_no_hindrance(settings: Any) -> None:
    remove_webhook(make_webhook())
    use_keys(settings, "kek2", "kek1")
    assert moved() == (0, 0)


def test_the_command_moves_them_and_names_what_it_cannot(settings: Any) -> None:
    make_webhook()
    broken = make_webhook()
    WebhookEndpoint.objects.filter(pk=broken.pk).update(secret=b"lost|bytes")
    use_keys(settings, "kek2", "kek1")
    said = StringIO()
    with pytest.raises(CommandError, match=f"Webhook secrets that cannot be opened: {broken.pk}"):
        call_command("rotate_card_keys", stdout=said)
    assert "1 webhook secrets" in said.getvalue()
