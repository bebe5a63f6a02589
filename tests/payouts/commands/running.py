"""Runs a management command as a script would, and says what it printed."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError


def run(command: str, *words: str, **options: Any) -> str:
    """What the command printed on standard output; what it said on standard error is dropped."""
    out = StringIO()
    call_command(command, *words, stdout=out, stderr=StringIO(), **options)
    return out.getvalue()


def run_json(command: str, *words: str) -> dict[str, Any]:
    """The one object that the command printed with `--json`."""
    printed: dict[str, Any] = json.loads(run(command, *words, "--json"))
    return printed


def refusal(command: str, *words: str) -> str:
    """The sentence with which the command refuses; it ends the process with 1."""
    with pytest.raises(CommandError) as raised:
        run(command, *words)
    assert raised.value.returncode == 1
    return str(raised.value)
