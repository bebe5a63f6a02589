"""Whoever writes an event that partners are told of rings for it."""

from typing import Any

import pytest

from consumers.operations.consumers import register_consumer
from payouts.operations.inquire import record_finding
from payouts.operations.record_outcome import record_outcome
from tests.builders import make_partner
from tests.conftest import Bell
from tests.pushes import APPROVED, TIMEOUT, make_payee, push, push_submitted, push_unknown

pytestmark = pytest.mark.django_db


def test_rings_for_what_is_told_and_for_nothing_else(
    bell: Bell, django_capture_on_commit_callbacks: Any
) -> None:
    card, unknown = make_payee(), push_unknown(make_payee())
    submitted = push_submitted(card, amount="7.00")
    for deed, rings in (
        (lambda: push(card), 1),
        (lambda: record_outcome(submitted.pk, APPROVED), 1),
        (lambda: record_finding(unknown.pk, TIMEOUT), 0),
        (lambda: register_consumer(make_partner().pk, pcid="p"), 1),
    ):
        before = bell.rings_for_webhooks
        with django_capture_on_commit_callbacks(execute=True):
            deed()
        assert bell.rings_for_webhooks - before == rings
