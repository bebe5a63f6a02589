from datetime import datetime, timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from tests.pushes import make_staff


class Clock:
    """The time that the operations see. It stands still until it is moved."""

    def __init__(self) -> None:
        self.at = timezone.now()

    def now(self) -> datetime:
        return self.at

    def set(self, at: datetime) -> None:
        self.at = at

    def advance(self, **by: float) -> datetime:
        """Move on by so many `days`, `hours`, `minutes` or `seconds`."""
        self.at += timedelta(**by)
        return self.at


@pytest.fixture
def carla() -> User:
    """Somebody who may approve."""
    return make_staff("carla", "approver")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    stopped = Clock()
    monkeypatch.setattr(timezone, "now", stopped.now)
    return stopped
