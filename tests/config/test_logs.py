"""One line of JSON per record."""

import json
import logging
import sys
from types import SimpleNamespace
from typing import Any

from config.logs import JSONLines


def line(**attributes: Any) -> dict[str, Any]:
    record = logging.makeLogRecord(
        {"name": "payouts", "levelname": "INFO", "msg": "Sent %s", "args": ("it",), **attributes}
    )
    text = JSONLines().format(record)
    assert "\n" not in text
    fields: dict[str, Any] = json.loads(text)
    return fields


def test_says_when_who_and_what() -> None:
    fields = line(created=1_700_000_000.25)
    assert fields == {
        "at": "2023-11-14T22:13:20.250+00:00",
        "level": "info",
        "logger": "payouts",
        "message": "Sent it",
    }


def test_names_the_request() -> None:
    request = SimpleNamespace(request_id="req_1")
    assert line(request=request)["request_id"] == "req_1"


def test_keeps_plain_extras_and_leaves_objects_out() -> None:
    fields = line(attempt=3, network="sandbox", connection=object())
    assert (fields["attempt"], fields["network"]) == (3, "sandbox")
    assert "connection" not in fields


def test_puts_a_traceback_into_the_line() -> None:
    try:
        raise RuntimeError("the disk is full")
    except RuntimeError:
        fields = line(exc_info=sys.exc_info())
    assert fields["traceback"].endswith("RuntimeError: the disk is full")


def test_masks_a_card_number_in_an_extra() -> None:
    assert "4111111111111111" not in json.dumps(line(note="card 4111111111111111"))
