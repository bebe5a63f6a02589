"""The served application, as a fuzzer meets it."""

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.core.signals import request_finished, request_started
from django.db import close_old_connections

from tests.api_fuzz.cast import ELIGIBILITY, Cast, make_cast


@pytest.fixture(autouse=True)
def _connection_stays() -> Iterator[None]:
    """The server closes connections between requests; here one transaction holds all of them."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def cast(db: None, monkeypatch: pytest.MonkeyPatch) -> Cast:
    monkeypatch.setattr(settings, "CARD_ELIGIBILITY_SOURCE", ELIGIBILITY)
    return make_cast()
