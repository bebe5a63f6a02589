"""What must not be kept is not kept: by name, by type, and whatever people type."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from consumers.audit.masking import HIDDEN, masked, masked_text, one_line
from consumers.ids import new_id
from tests.builders import MASTERCARD_NUMBER, VISA_NUMBER

ID = UUID("0192f0c1-7e57-7abc-8def-0123456789ab")


@pytest.mark.parametrize(
    "name",
    ["number", "pan", "cvv", "password", "password1", "new_password", "client_secret", "token",
     "fingerprint", "ciphertext", "wrapped_key", "digest", "tax_identifier", "tax_identifier_last4",
     "tax_identifier_sealed", "date_of_birth", "ssn", "pin", "Password"],
)  # fmt: skip
def test_hides_what_has_a_secret_name(name: str) -> None:
    assert masked({name: "x1234"}) == {name: HIDDEN}
    assert masked({name: ""}) == {name: ""}


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        (b"sealed", HIDDEN),
        (memoryview(b"sealed"), HIDDEN),
        (None, None),
        (True, True),
        (12, 12),
        (Decimal("12.50"), "12.50"),
        (date(2026, 3, 1), "2026-03-01"),
        (datetime(2026, 3, 1, tzinfo=UTC), "2026-03-01 00:00:00+00:00"),
        (ID, str(ID)),
        (["a", Decimal(1)], ["a", "1"]),
        ({"token": "x", "b": 1}, {"token": HIDDEN, "b": 1}),
        (int(VISA_NUMBER), "[card ending 1111]"),
    ],
)
def test_keeps_the_rest_as_json(value: Any, kept: Any) -> None:
    assert masked({"field": value}) == {"field": kept}


@pytest.mark.parametrize(
    "typed",
    [
        VISA_NUMBER,
        f"the card is {MASTERCARD_NUMBER}, please",
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        "4111 - 1111 - 1111 - 1111",
        "0004111111111111111",
        "+4111 1111 1111 1111",
    ],
)
def test_finds_card_numbers_in_what_people_type(typed: str) -> None:
    text = masked_text(typed)
    assert "[card ending " in text
    assert "1111 1111" not in text.replace("-", " ")
    assert "411111" not in text
    assert "55555" not in text


@pytest.mark.parametrize(
    "harmless",
    [
        "4111111111111112",
        "2026-03-01 12:00:00",
        "1250.00",
        "0190" * 8,
        "(555) 010-9999",
        "+4915123450996",
    ],
)
def test_leaves_other_digits_alone(harmless: str) -> None:
    assert masked_text(harmless) == harmless


def test_keeps_ids_as_they_are() -> None:
    for _ in range(200):
        text = str(new_id())
        assert masked_text(text) == text


def test_cuts_what_is_too_long_and_drops_what_no_database_stores() -> None:
    assert masked_text("a\0b\nc\ud800") == "ab\nc"
    assert len(masked_text("x" * 9_999)) == 500


def test_nobody_begins_another_line() -> None:
    assert one_line("agent\r\n2026 INFO all is well\0") == "agent??2026 INFO all is well?"
