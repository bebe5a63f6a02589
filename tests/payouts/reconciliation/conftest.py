"""A sandbox network of the test's own, and what yesterday was settled."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from consumers.models import PaymentCard
from payouts.models import Payment, SettlementFile
from tests.pushes import push_completed
from tests.sandbox import SandboxServer
from tests.statements import YESTERDAY, settled_on


@pytest.fixture
def paid(card: PaymentCard) -> Payment:
    return push_completed(card)


@pytest.fixture
def settled(card: PaymentCard) -> SettlementFile:
    """Yesterday's file: one push of $100.00."""
    return settled_on(card, YESTERDAY)


@pytest.fixture
def sandbox(tmp_path: Path, settings: Any) -> Iterator[SandboxServer]:
    with SandboxServer.started(tmp_path / "book.sqlite3", latency_ms=0) as server:
        settings.CARD_NETWORK_SANDBOX_URL = server.address
        yield server
