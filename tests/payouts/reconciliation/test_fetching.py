"""Settlement files that nobody has to bring: which days are asked for, and what a refusal does."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from consumers.models import AuditEntry
from payouts.models import Payment, SettlementFile
from payouts.networks.base import SettlementUnavailable
from payouts.networks.sandbox.settlement import Window
from payouts.operations.reconciliation.prove_day import prove_what_is_new
from payouts.operations.reconciliation.take_settlement import refuse_settlement
from payouts.operations.record_outcome import record_outcome
from payouts.reconciliation.settlements import SettlementRefused
from payouts.work import settlement_fetching
from payouts.work.settlement_fetching import days_without_file, fetch_missing_settlements
from payouts.work.settlement_work import work_on_settlements
from tests.owner import forced
from tests.pushes import APPROVED, fresh, make_payee, push_submitted
from tests.settlements import line_about, settlement_of

pytestmark = pytest.mark.django_db

YESTERDAY = datetime.now(UTC).date() - timedelta(days=1)


@pytest.fixture
def paid() -> Payment:
    """A push of yesterday."""
    payment = push_submitted(make_payee())
    record_outcome(payment.pk, APPROVED)
    noon = datetime.combine(YESTERDAY, datetime.min.time(), UTC) + timedelta(hours=12)
    forced("UPDATE payouts_attempt SET created_at = %s", noon)
    forced("UPDATE payouts_payment SET completed_at = %s", noon)
    forced("UPDATE payouts_journal SET created_at = %s", noon)
    return fresh(payment)


@pytest.fixture(autouse=True)
def _new_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settlement_fetching, "_refused", {})


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, settings: Any, paid: Payment) -> list[Any]:
    """The days that the network was asked for; it gives their right files."""
    settings.FETCH_SETTLEMENTS = True
    days: list[Any] = []

    def gives(day: Any, *, largest_bytes: int) -> bytes:
        days.append(day)
        return settlement_of([line_about(paid)], window=Window.of_day(day))

    monkeypatch.setattr(settlement_fetching, "settlement_file", gives)
    return days


def test_a_day_is_fetched_once_and_proved_by_itself(asked: list[Any]) -> None:
    fetch_missing_settlements()
    fetch_missing_settlements()
    assert asked == [YESTERDAY]
    work_on_settlements()
    (proof,) = prove_what_is_new(limit=7)
    assert (proof.day, proof.verdict) == (YESTERDAY, "agrees")
    assert SettlementFile.objects.get().uploaded_by is None


def test_nothing_is_fetched_unless_it_is_wanted(settings: Any, asked: list[Any]) -> None:
    settings.FETCH_SETTLEMENTS = False
    fetch_missing_settlements()
    assert asked == []


def test_asks_again_for_what_the_network_did_not_give(
    monkeypatch: pytest.MonkeyPatch, asked: list[Any]
) -> None:
    def fails(*_: Any, **__: Any) -> bytes:
        raise SettlementUnavailable("status 503")

    with monkeypatch.context() as patch:
        patch.setattr(settlement_fetching, "settlement_file", fails)
        fetch_missing_settlements()
    assert not SettlementFile.objects.exists()
    fetch_missing_settlements()
    assert asked == [YESTERDAY]


def test_what_is_refused_is_heard_of_once_in_hours_until_it_is_mended(
    monkeypatch: pytest.MonkeyPatch, asked: list[Any]
) -> None:
    refused = AuditEntry.objects.filter(result="refused")
    with monkeypatch.context() as patch:
        patch.setattr(settlement_fetching, "settlement_file", lambda *_, **__: b"<html>")
        for _ in range(3):
            fetch_missing_settlements()
        assert refused.count() == 1
        patch.setattr(settlement_fetching, "_REFUSED_AGAIN_AFTER", timedelta(0))
        fetch_missing_settlements()
        assert refused.count() == 2
    assert not SettlementFile.objects.exists()
    fetch_missing_settlements()
    assert SettlementFile.objects.count() == 1


def test_a_file_that_people_have_refused_is_not_taken_in_again(
    asked: list[Any],
) -> None:
    fetch_missing_settlements()
    (file,) = SettlementFile.objects.all()
    refuse_settlement(file, SettlementRefused("refused_by_people"))
    for _ in range(3):
        fetch_missing_settlements()
    assert SettlementFile.objects.count() == 1


def test_asks_for_days_since_the_first_push_that_are_over(settings: Any, paid: Payment) -> None:
    midnight = datetime.combine(YESTERDAY, datetime.min.time(), UTC)
    after = timedelta(days=3)
    three = [YESTERDAY + timedelta(days=n) for n in range(3)]
    assert days_without_file(at=midnight + after + timedelta(minutes=6)) == three
    assert days_without_file(at=midnight + after + timedelta(minutes=4)) == three[:2]
    settings.ACQUIRING_BIN = "999999"
    assert days_without_file(at=midnight + after) == []
