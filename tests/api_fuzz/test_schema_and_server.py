"""What the served schema says and what the server does agree, whatever a fuzzer thinks of.

Seeded, so that a failure comes again. `make faults` looks further: FUZZ_EXAMPLES says how far.
"""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from django.urls import URLResolver, get_resolver
from hypothesis import HealthCheck, settings
from schemathesis import Case
from schemathesis.core.result import Ok
from schemathesis.pytest.lazy import get_all_tests
from schemathesis.schemas import BaseSchema

from tests.api_fuzz.cast import Cast

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def _operations(resolver: URLResolver, prefix: str = "/") -> Iterator[str]:
    """What is served, in the schema's words."""
    for one in resolver.url_patterns:
        address = prefix + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", str(one.pattern))
        if isinstance(one, URLResolver):
            yield from _operations(one, address)
        elif address.startswith(("/v2/", "/auth/")):
            view = getattr(one.callback, "cls", object)
            yield from (
                f"{method} {address}" for method in METHODS if hasattr(view, method.lower())
            )


def _is_about_the_schema(operation: str) -> bool:
    return operation.endswith((" /v2/schema/", " /v2/docs/"))


OPERATIONS = [one for one in _operations(get_resolver()) if not _is_about_the_schema(one)]


def test_every_operation_is_served_and_every_route_is_in_the_schema(schema: BaseSchema) -> None:
    found = [one.ok().label for one in schema.get_all_operations() if isinstance(one, Ok)]
    assert sorted(OPERATIONS) == sorted(found)


@settings(suppress_health_check=list(HealthCheck), deadline=None)
def _agree(case: Case[Any], cast: Cast) -> None:
    with transaction.atomic():
        cast.step_into(case)
        case.call_and_validate(headers={"Authorization": f"Bearer {cast.token}"})
        # Each example meets the same rows.
        transaction.set_rollback(True)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_agree(operation: str, schema: BaseSchema, cast: Cast) -> None:
    # Thought of only where it runs: that takes seconds, and every process of a run collects it.
    only = schema.include(name=operation)
    (made,) = get_all_tests(schema=only, test_func=_agree, settings=None, given_kwargs=None)
    assert isinstance(made, Ok)
    _, test = made.ok()
    test(cast=cast)
