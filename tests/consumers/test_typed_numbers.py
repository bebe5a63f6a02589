"""Card numbers in texts that people give us, and what only looks like one."""

import pytest

from consumers.typed_numbers import held_card_number, with_last_fours
from tests.builders import VISA_NUMBER


@pytest.mark.parametrize(
    "text",
    [
        VISA_NUMBER,
        f"Ada {VISA_NUMBER}, please",
        "4111 1111 1111 1111",
        "3 x 4111-1111-1111-1111 12/28",
        f"+{VISA_NUMBER}",
        "+4111 1111 1111 1111",
        f"call +49 1512 3450996, card {VISA_NUMBER}",
    ],
)
def test_finds_the_number(text: str) -> None:
    assert held_card_number(text) == VISA_NUMBER


@pytest.mark.parametrize(
    "text",
    [
        "+4915123450996",
        "+49 1512 3450996",
        "call +49-1512-3450996 before 5",
        "01a20502-2efb-7158-8079-4ab23a6d5772",
        "4111 1111 1111 1112",
    ],
)
def test_leaves_phone_numbers_ids_and_wrong_check_digits(text: str) -> None:
    assert held_card_number(text) is None


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (VISA_NUMBER, "1111"),
        ("Ada 4111-1111 1111 1111, $100", "Ada 1111, $100"),
        ("4111 1111 1111 1111 5555555555554444", "1111 4444"),
        ("3 x 4111 1111 1111 1111 12/28", "3 x 1111 12/28"),
        ("+49 1512 3450996", "+49 1512 3450996"),
        ("ada 1111 $100.00", "ada 1111 $100.00"),
        ("", ""),
    ],
)
def test_keeps_the_last_four_of_each_number(text: str, kept: str) -> None:
    assert with_last_fours(text) == kept
