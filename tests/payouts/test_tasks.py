"""Each task by the name under which beat and the bell know it."""

import pytest
from celery import current_app
from django.conf import settings
from pytest_django import Settings

from payouts import dispatch, tasks
from payouts.states import Status
from payouts.work import drain
from tests.books import execute
from tests.pushes import make_payee, push_for_approval, push_submitted, status_of

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_is_rung_and_scheduled_is_there() -> None:
    named = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert {*named, dispatch.SEND_DUE_PAYMENTS, dispatch.WORK_ON_BATCHES} <= set(current_app.tasks)


def test_the_sweep_gives_up_lost_senders_before_it_asks(
    monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    settings.SENDER_LOST_SECONDS = 0
    payment = push_submitted(make_payee())
    asked: list[Status] = []
    monkeypatch.setattr(drain, "inquire_unknown_payments", lambda: asked.append(status_of(payment)))
    tasks.inquire_unknown_payments()
    assert asked == [Status.UNKNOWN]


def test_undecided_payments_expire() -> None:
    payment = push_for_approval(make_payee())
    execute("UPDATE payouts_payment SET due_at = now(), approval_expires_at = now()")
    tasks.expire_undecided()
    assert status_of(payment) is Status.EXPIRED


def test_a_bell_drains(monkeypatch: pytest.MonkeyPatch) -> None:
    drained: list[str] = []
    monkeypatch.setattr(drain, "send_due_payments", lambda: drained.append("yes"))
    tasks.send_due_payments()
    assert drained == ["yes"]
