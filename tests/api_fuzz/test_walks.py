"""Calls that follow from each other: what one answers, the next one uses.

A fuzzer makes consumers, gives them cards, pushes to them and takes pushes back, in an order of its
own. The links are those that the schema says or lets guess.
"""

import os
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from schemathesis import Case
from schemathesis.generation.stateful.state_machine import APIStateMachine
from schemathesis.schemas import BaseSchema

from tests.api_fuzz.cast import Cast
from tests.books import assert_books_are_right

WALKS = int(os.environ.get("FUZZ_WALKS", "15"))


def machine_of(schema: BaseSchema, cast: Cast) -> type[APIStateMachine]:
    class Walk(schema.as_state_machine()):  # type: ignore[misc]
        def setup(self) -> None:
            self.transaction = transaction.atomic()
            self.transaction.__enter__()

        def teardown(self) -> None:
            assert_books_are_right()
            transaction.set_rollback(True)
            self.transaction.__exit__(None, None, None)

        def before_call(self, case: Case[Any]) -> None:
            cast.step_into_body(case)

        def get_call_kwargs(self, case: Case[Any]) -> dict[str, Any]:
            return {"headers": {"Authorization": f"Bearer {cast.token}"}}

    return Walk


@pytest.mark.django_db
def test_no_walk_leads_astray(schema: BaseSchema, cast: Cast) -> None:
    machine_of(schema, cast).run(
        settings=settings(
            max_examples=WALKS,
            stateful_step_count=12,
            suppress_health_check=list(HealthCheck),
            deadline=None,
            derandomize=True,
        )
    )
