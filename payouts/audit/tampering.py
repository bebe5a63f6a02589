"""What a verification of the audit trail can find. Plain Python."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["edited", "deleted", "inserted", "moved"]


@dataclass(frozen=True, slots=True)
class Tampering:
    """One thing that is not as it was linked: a row of `source`, or a block of the chain itself.

    `block` is the number of the block that covers it.
    """

    kind: Kind
    source: str
    block: int
    row_id: int | None = None
    told: str = ""

    def __str__(self) -> str:
        row = "" if self.row_id is None else f" {self.row_id}"
        where = "" if self.source == "block" or not self.block else f" (block {self.block})"
        return f"{self.source}{row} was {self.kind}{where}" + (
            f": {self.told}" if self.told else ""
        )
