"""A maker at work, a card to push to, and what a page asks of the database."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils import timezone

from consumers.models import PaymentCard
from tests.back_office import browser_of
from tests.pushes import make_payee, make_staff


class StatementLog(list[str]):
    def __str__(self) -> str:
        return "\n".join(self)


@contextmanager
def _logged() -> Iterator[StatementLog]:
    log = StatementLog()

    def note(execute: Any, sql: str, params: Any, many: Any, context: Any) -> Any:
        log.append(sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield log


@pytest.fixture
def statements() -> Callable[[], AbstractContextManager[StatementLog]]:
    return _logged


@pytest.fixture
def mia() -> User:
    return make_staff("mia", "maker")


@pytest.fixture
def client(mia: User) -> Client:
    return browser_of(mia)


@pytest.fixture
def card() -> PaymentCard:
    return make_payee(push_eligible=True, push_speed="fast_funds", push_checked_at=timezone.now())
