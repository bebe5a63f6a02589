"""Words without their accents, so that `jose` finds José and `Müller` finds Muller. Plain Python.

What is stored for searching is made by the database's `consumers_plain_words`, which does the very
same (a test compares the two letter by letter); what somebody types goes through here.
"""

import re
import unicodedata
from typing import Final

_MARKS: Final = re.compile("[\u0300-\u036f]")
# Letters with a stroke, and those that stand for two, come apart in no table of Unicode.
_LETTERS: Final = str.maketrans(
    {
        **dict(zip("ØøŁłĐđĦħŦŧÐðı", "OoLlDdHhTtDdi", strict=True)),
        **dict(zip("ßẞÆæŒœÞþ", ("ss", "SS", "AE", "ae", "OE", "oe", "TH", "th"), strict=True)),
    }
)


def plain_words(text: str) -> str:
    """The text without accents, with letters that a plain keyboard has where there are such."""
    if text.isascii():
        return text
    bare = _MARKS.sub("", unicodedata.normalize("NFKD", text)).translate(_LETTERS)
    return unicodedata.normalize("NFKC", bare)
