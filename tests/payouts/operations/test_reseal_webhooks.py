"""Secrets of webhooks move when the keys of the vault are rotated."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from payouts.models import WebhookEndpoint
from payouts.operations.reseal_webhooks import reseal_webhook_secrets
from payouts.operations.webhook_endpoints import (
    remove_webhook,
    rotate_webhook_secret,
    webhook_keys,
)
from tests.payouts.webhooks.cast import make_webhook

pytestmark = pytest.mark.django_db

NEW = "second:" + "c2Vjb25kLWNhcmQta2V5LTMyLWJ5dGVzLWxvbmchISE="


def test_both_secrets_open_without_the_old_key_afterwards(settings: Any) -> None:
    webhook = make_webhook()
    rotate_webhook_secret(webhook, overlap=timedelta(hours=1))
    keys = webhook_keys(webhook, at=timezone.now())
    settings.CARD_ENCRYPTION_KEYS = f"{NEW},{settings.CARD_ENCRYPTION_KEYS}"
    assert reseal_webhook_secrets(is_trial=True)[1:3] == (1, 1)
    assert reseal_webhook_secrets(is_trial=False)[1:3] == (1, 0)
    assert reseal_webhook_secrets(is_trial=False)[1:3] == (0, 0)
    settings.CARD_ENCRYPTION_KEYS = NEW
    webhook.refresh_from_db()
    assert webhook_keys(webhook, at=timezone.now()) == keys


def test_one_that_was_removed_is_no_hindrance(settings: Any) -> None:
    remove_webhook(make_webhook())
    settings.CARD_ENCRYPTION_KEYS = f"{NEW},{settings.CARD_ENCRYPTION_KEYS}"
    assert reseal_webhook_secrets(is_trial=False)[1:3] == (0, 0)


def test_the_command_moves_them_and_names_what_it_cannot(settings: Any) -> None:
    make_webhook()
    broken = make_webhook()
    WebhookEndpoint.objects.filter(pk=broken.pk).update(secret=b"lost|bytes")
    settings.CARD_ENCRYPTION_KEYS = f"{NEW},{settings.CARD_ENCRYPTION_KEYS}"
    said = StringIO()
    with pytest.raises(CommandError, match=str(broken.pk)):
        call_command("rotate_card_keys", stdout=said)
    assert "1 webhook secrets moved." in said.getvalue()
