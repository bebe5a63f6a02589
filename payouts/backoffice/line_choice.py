"""Lines of a file as people write them, `17, 203-210`: read, written, changed by ticked boxes."""

import re
from collections.abc import Iterable
from typing import Final

# As much as a form or an address may carry.
MOST_RANGES: Final = 500
_ONE: Final = re.compile(r"\s*([0-9]{1,7})\s*(?:[-–]\s*([0-9]{1,7})\s*)?", re.ASCII)  # noqa: RUF001

Range = tuple[int, int]


class UnreadableLines(ValueError):
    """The text names no lines, or too many separate ones."""


def read_lines(text: str) -> list[Range]:
    """The ranges that the text names, both ends included, from the first, apart from each other.

    :raises UnreadableLines: it cannot be read.
    """
    ranges = []
    for part in filter(str.strip, text.split(",")):
        found = _ONE.fullmatch(part)
        if found is None:
            raise UnreadableLines(text)
        first = int(found[1])
        ranges.append((first, int(found[2] or first)))
    return _joined(ranges)


def written(ranges: Iterable[Range]) -> str:
    """The text that `read_lines` reads."""
    return ", ".join(f"{a}" if a == b else f"{a}-{b}" for a, b in ranges)


def with_lines(ranges: Iterable[Range], lines: Iterable[int]) -> list[Range]:
    """The ranges and these lines.

    :raises UnreadableLines: there are too many separate ones.
    """
    return _joined([*ranges, *((line, line) for line in lines)])


def without_lines(ranges: Iterable[Range], lines: Iterable[int]) -> list[Range]:
    """The ranges but for these lines."""
    kept = list(ranges)
    for line in lines:
        cut: list[Range] = []
        for a, b in kept:
            if not a <= line <= b:
                cut.append((a, b))
                continue
            cut += [(x, y) for x, y in ((a, line - 1), (line + 1, b)) if x <= y]
        kept = cut
    return _joined(kept)


def holds(ranges: Iterable[Range], line: int) -> bool:
    return any(a <= line <= b for a, b in ranges)


def _joined(ranges: Iterable[Range]) -> list[Range]:
    joined: list[Range] = []
    for a, b in sorted((min(pair), max(pair)) for pair in ranges):
        if joined and a <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(b, joined[-1][1]))
        else:
            joined.append((a, b))
    if len(joined) > MOST_RANGES:
        raise UnreadableLines("too many")
    return joined
