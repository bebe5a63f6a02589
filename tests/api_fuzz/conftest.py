"""The served application, as a fuzzer meets it."""

import os
from collections.abc import Iterator

import pytest
import schemathesis
from django.conf import settings
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from schemathesis.schemas import BaseSchema

from config.wsgi import application
from tests.api_fuzz.cast import ELIGIBILITY, Cast, make_cast

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "10"))

CONFIG = schemathesis.Config.from_dict(
    {
        "generation": {"max-examples": EXAMPLES, "deterministic": True},
        "checks": {
            # A well-formed request that cannot be done is 422 here (design/api.md §5).
            "positive_data_acceptance": {
                "expected-statuses": ["2xx", "401", "403", "404", "409", "422"]
            },
        },
    }
)


@pytest.fixture(autouse=True)
def _connection_stays() -> Iterator[None]:
    """The server closes connections between requests; here one transaction holds all of them."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture(scope="session")
def schema() -> BaseSchema:
    return schemathesis.openapi.from_wsgi("/v2/schema/", application, config=CONFIG)


@pytest.fixture
def cast(db: None, monkeypatch: pytest.MonkeyPatch) -> Cast:
    monkeypatch.setattr(settings, "CARD_ELIGIBILITY_SOURCE", ELIGIBILITY)
    return make_cast()
