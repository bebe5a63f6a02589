"""The code stands on the page in the demo, and in the demo only."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management.base import CommandError
from django.test import Client

from tests.back_office import text_of
from tests.payouts.commands.running import run
from tests.staff_factors import SECOND_FACTOR, code_of, give_password

pytestmark = pytest.mark.django_db


def page() -> str:
    client = Client()
    give_password(client)
    return text_of(client.get(SECOND_FACTOR))


def test_is_shown_in_the_demo(grace: User, settings: Any) -> None:
    settings.DEMO_SHOWS_CODES = True
    assert code_of(grace) in page()


def test_is_not_shown_elsewhere(grace: User) -> None:
    assert not re.search(r"\b[0-9]{6}\b", page())


def test_is_not_shown_in_production_whatever_is_set(grace: User, settings: Any) -> None:
    settings.DEMO_SHOWS_CODES = settings.PRODUCTION = True
    assert not re.search(r"\b[0-9]{6}\b", page())


def test_a_command_prints_it(grace: User) -> None:
    assert code_of(grace) in run("staffcode", "grace")


def test_the_command_does_nothing_in_production(grace: User, settings: Any) -> None:
    settings.PRODUCTION = True
    with pytest.raises(CommandError):
        run("staffcode", "grace")
