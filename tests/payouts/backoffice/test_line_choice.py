"""Lines as people write them."""

import pytest

from payouts.backoffice.line_choice import (
    MOST_RANGES,
    UnreadableLines,
    holds,
    read_lines,
    with_lines,
    without_lines,
    written,
)


@pytest.mark.parametrize(
    ("text", "again"),
    [
        ("", ""),
        ("17, 203-210", "17, 203-210"),
        (" 5 ,3,4 ", "3-5"),
        ("10-7", "7-10"),
        ("1-5, 3-9", "1-9"),
        ("8 – 9", "8-9"),  # noqa: RUF001
    ],
)
def test_reads_what_people_write(text: str, again: str) -> None:
    assert written(read_lines(text)) == again


@pytest.mark.parametrize("text", ["x", "1-", "-3", "1 2", "\u0661", "12345678", "1;2"])
def test_refuses_what_names_no_lines(text: str) -> None:
    with pytest.raises(UnreadableLines):
        read_lines(text)


def test_refuses_more_than_a_form_may_carry() -> None:
    every_other = ",".join(str(2 * n) for n in range(MOST_RANGES + 1))
    with pytest.raises(UnreadableLines):
        read_lines(every_other)


def test_takes_lines_in_and_out() -> None:
    ranges = with_lines(read_lines("3-9"), [11, 10])
    assert written(ranges) == "3-11"
    assert written(without_lines(ranges, [3, 7, 20])) == "4-6, 8-11"
    assert holds(ranges, 11)
    assert not holds(ranges, 12)
