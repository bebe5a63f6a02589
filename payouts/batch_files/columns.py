"""The columns of a batch: how people may name them, and where each stands in a file."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from payouts.batch_files.findings import FileRefused

CONSUMER: Final = "consumer"
CARD: Final = "card"
AMOUNT: Final = "amount"
REFERENCE: Final = "reference"
DESCRIPTION: Final = "description"
METADATA: Final = "metadata."

TEMPLATE: Final = (CONSUMER, CARD, AMOUNT, REFERENCE, DESCRIPTION)
REQUIRED: Final = (CONSUMER, AMOUNT)
MOST_COLUMNS: Final = 32
LONGEST_METADATA_KEY: Final = 40

_NAMES: Final = {
    **{name: name for name in TEMPLATE},
    "consumer_id": CONSUMER,
    "pcid": CONSUMER,
    "external_payment_card_id": CARD,
    "card_id": CARD,
    "last4": CARD,
    "last_four": CARD,
}


@dataclass(frozen=True, slots=True)
class Layout:
    """The columns of one file, from the left; an empty name is a column without anything in it."""

    names: tuple[str, ...]

    def name_of(self, place: int) -> str:
        return self.names[place] if place < len(self.names) else f"column {place + 1}"


def layout_of(header: Sequence[str]) -> Layout:
    """Read the line that names the columns.

    :raises FileRefused: a column is unknown, missing or there twice.
    """
    names = [column_name(cell) for cell in header]
    while names and names[-1] == "":
        names.pop()
    if not names:
        raise FileRefused("no_header")
    if len(names) > MOST_COLUMNS:
        raise FileRefused("too_many_columns", most=MOST_COLUMNS)
    for name, cell in zip(names, header, strict=False):
        if name is None:
            raise FileRefused("column_unknown", column=cell.strip()[:40])
        if name and names.count(name) > 1:
            raise FileRefused("column_twice", column=name)
    for name in REQUIRED:
        if name not in names:
            raise FileRefused("column_missing", column=name)
    return Layout(tuple(name or "" for name in names))


def column_name(cell: str) -> str | None:
    """What a name in the first line stands for; empty for an empty one, None if it is unknown."""
    text = cell.strip()
    if text.lower().startswith(METADATA):
        key = text[len(METADATA) :]
        is_key = 1 <= len(key) <= LONGEST_METADATA_KEY and key.isprintable()
        return f"{METADATA}{key}" if is_key else None
    plain = text.lower().replace(" ", "_").replace("-", "_")
    return _NAMES.get(plain) if plain else ""
