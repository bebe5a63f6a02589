"""What a line asks for: payee, card, amount, texts, and all that is wrong with their form."""

import re
import unicodedata
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final
from uuid import UUID

from payouts.batch_files.columns import (
    AMOUNT,
    CARD,
    CONSUMER,
    DESCRIPTION,
    METADATA,
    REFERENCE,
    Layout,
)
from payouts.batch_files.findings import Finding, problem
from payouts.batch_files.lines import Line
from payouts.money import NotAnAmount, parse_amount

LONGEST_CONSUMER: Final = 128
LONGEST_REFERENCE: Final = 64
LONGEST_DESCRIPTION: Final = 500
LONGEST_METADATA_VALUE: Final = 500
MOST_METADATA: Final = 20
_SHOWN_OF_A_CELL: Final = 40

# One way to read it: 1,250 and 1.250 are a thousand and a quarter to one, and one and a quarter to
# another. Three digits after the only point or comma are therefore refused.
_AMOUNT: Final = re.compile(
    r"\$?\s?([0-9]{1,3}(?:,[0-9]{3})+\.[0-9]{1,2}|[0-9]{1,30}(?:\.[0-9]{1,2})?)", re.ASCII
)
_LAST_FOUR: Final = re.compile(r"(?:[xX*•·. ]{0,15})([0-9]{1,4})", re.ASCII)
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)
_NEVER_TEXT: Final = frozenset({"Cc", "Cs"})


@dataclass(slots=True, kw_only=True)
class LineWish:
    """One line, understood as far as its form goes.

    `card_id` and `last4` are both None if the line names no card: then it means the only one.
    """

    line: int
    cells: dict[str, str]
    consumer_ref: str = ""
    card_id: UUID | None = None
    last4: str | None = None
    amount: Decimal | None = None
    reference: str = ""
    description: str = ""
    metadata: dict[str, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def wish_of(line: Line, layout: Layout) -> LineWish:
    """Read a line by the columns of its file."""
    given = zip(layout.names, line.cells, strict=False)
    cells = {name: cell for name, cell in given if name and cell.strip()}
    beyond = [
        cell
        for place, cell in enumerate(line.cells)
        if cell.strip() and (place >= len(layout.names) or not layout.names[place])
    ]
    wish = LineWish(line=line.number, cells=cells, findings=list(line.findings))
    if beyond:
        wish.findings.append(problem("too_many_cells"))
    unread = {one.details.get("column") for one in line.findings}
    _read_consumer(wish)
    _read_card(wish)
    if AMOUNT not in unread:
        _read_amount(wish)
    _read_texts(wish)
    return wish


def wish_of_stored(line: int, cells: dict[str, str]) -> LineWish:
    """Read a stored line again: who is meant does not need the file."""
    wish = LineWish(line=line, cells=cells)
    _read_consumer(wish)
    _read_card(wish)
    return wish


def _read_consumer(wish: LineWish) -> None:
    text = wish.cells.get(CONSUMER, "").strip()
    if not text:
        wish.findings.append(problem("consumer_missing"))
    elif len(text) > LONGEST_CONSUMER:
        wish.findings.append(problem("text_too_long", column=CONSUMER, most=LONGEST_CONSUMER))
    else:
        wish.consumer_ref = text


def _read_card(wish: LineWish) -> None:
    text = wish.cells.get(CARD, "").strip()
    if not text:
        return
    if _UUID.fullmatch(text):
        wish.card_id = UUID(text)
    elif last4 := _LAST_FOUR.fullmatch(text):
        # Spreadsheets take the zeros in front away.
        wish.last4 = last4[1].rjust(4, "0")
    else:
        wish.findings.append(problem("card_unclear", given=text[:_SHOWN_OF_A_CELL]))


def _read_amount(wish: LineWish) -> None:
    text = wish.cells.get(AMOUNT, "").strip()
    if not text:
        wish.findings.append(problem("amount_missing"))
        return
    written = _AMOUNT.fullmatch(text)
    if written is None:
        wish.findings.append(problem("amount_unclear", given=text[:_SHOWN_OF_A_CELL]))
        return
    try:
        wish.amount = parse_amount(written[1].replace(",", ""))
    except NotAnAmount as error:
        wish.findings.append(problem(f"amount_{error.code}"))


def _read_texts(wish: LineWish) -> None:
    wish.reference = _text(wish, REFERENCE, LONGEST_REFERENCE)
    wish.description = _text(wish, DESCRIPTION, LONGEST_DESCRIPTION, lines=True)
    for name in wish.cells:
        if name.startswith(METADATA):
            key = name.removeprefix(METADATA)
            wish.metadata[key] = _text(wish, name, LONGEST_METADATA_VALUE, lines=True)
    if len(wish.metadata) > MOST_METADATA:
        wish.findings.append(problem("metadata_too_many", most=MOST_METADATA))
        wish.metadata = {}


def _text(wish: LineWish, column: str, longest: int, *, lines: bool = False) -> str:
    text = wish.cells.get(column, "")
    if len(text) > longest:
        wish.findings.append(problem("text_too_long", column=column, most=longest))
        return ""
    allowed = "\n\t" if lines else ""
    text = text.replace("\r\n", "\n") if lines else text
    if not text.isprintable() and any(
        unicodedata.category(c) in _NEVER_TEXT and c not in allowed for c in text
    ):
        wish.findings.append(problem("control_characters", column=column))
        return ""
    return text
