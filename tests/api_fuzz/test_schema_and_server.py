"""What the served schema says and what the server does agree, whatever a fuzzer thinks of.

Seeded, so that a failure comes again. `FUZZ_EXAMPLES=1000 pytest tests/api_fuzz` looks further.
"""

import os
from typing import Any

import schemathesis
from django.db import transaction
from hypothesis import HealthCheck, settings
from schemathesis import Case

from config.wsgi import application
from tests.api_fuzz.cast import Cast

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "30"))

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
schema = schemathesis.openapi.from_wsgi("/v2/schema/", application, config=CONFIG)


@schema.parametrize()
@settings(suppress_health_check=list(HealthCheck), deadline=None)
def test_agree(case: Case[Any], cast: Cast) -> None:
    with transaction.atomic():
        cast.step_into(case)
        case.call_and_validate(headers={"Authorization": f"Bearer {cast.token}"})
        # Each example meets the same rows.
        transaction.set_rollback(True)
