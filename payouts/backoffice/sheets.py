"""What every PDF of the back office looks like, in the typeface of the admin's theme."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from django.contrib.staticfiles import finders
from fpdf import FPDF
from fpdf.enums import WrapMode, XPos, YPos
from fpdf.fonts import TTFFont

_FONTS: Final = "unfold/fonts/inter"
_FONT: Final = "Inter"
_LABEL_MM: Final = 46
_LINE_MM: Final = 5.2
_GREY: Final = 110
_WORDS_MM: Final = 84
_NUMBER_MM: Final = 44


class Sheet(FPDF):
    """A4 with a line about what it is, and the page's number, at the foot of each page."""

    def __init__(self, foot: str) -> None:
        super().__init__(format="A4")
        self.foot = foot
        self.set_margins(18, 16, 18)
        self.set_auto_page_break(auto=True, margin=18)
        for style, weight in (("", "Regular"), ("B", "SemiBold")):
            self.add_font(_FONT, style, _font_file(f"Inter-{weight}.woff2"))
        for font in self.fonts.values():
            # The web's packing of the file is not a PDF's.
            if isinstance(font, TTFFont):
                font.ttfont.flavor = None
        self.set_font(_FONT, size=9)
        self.add_page()

    def footer(self) -> None:
        self.set_y(-12)
        self.set_font(_FONT, size=7)
        self.set_text_color(_GREY)
        self.cell(0, 4, f"{self.foot}   ·   page {self.page_no()}", align="C")

    def title_line(self, text: str) -> None:
        self.set_font(_FONT, "B", 16)
        self.multi_cell(0, 8, self.drawable(text), new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.set_font(_FONT, size=9)

    def section(self, title: str) -> None:
        if self.get_y() > self.h - 45:
            self.add_page()
        self.ln(4)
        self.set_font(_FONT, "B", 11)
        self.cell(0, 7, title, new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self.set_draw_color(200)
        self.line(self.l_margin, self.get_y(), self.w - self.r_margin, self.get_y())
        self.ln(1.5)
        self.set_font(_FONT, size=9)

    def fact(self, name: str, value: str) -> None:
        self.set_text_color(_GREY)
        self.cell(_LABEL_MM, _LINE_MM, self.drawable(name)[:40])
        self.set_text_color(0)
        text = self.drawable(value) or "-"
        self.multi_cell(0, _LINE_MM, text, align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT,
                        wrapmode=WrapMode.CHAR)  # fmt: skip

    def sums(self, *cells: str) -> None:
        """A line of a table: words, then numbers to the right."""
        words, *numbers = cells
        self.cell(_WORDS_MM, _LINE_MM, self.drawable(words))
        for number in numbers:
            self.cell(_NUMBER_MM, _LINE_MM, self.drawable(number), align="R")
        self.ln(_LINE_MM)

    def drawable(self, text: str) -> str:
        """The text with what the typeface lacks spelled by its number, so that nothing is lost."""
        font = self.fonts[_FONT.lower()]
        assert isinstance(font, TTFFont)
        return "".join(c if c == "\n" or ord(c) in font.cmap else f"[U+{ord(c):04X}]" for c in text)


def in_utc(at: datetime) -> str:
    """An instant as documents write it, to the second."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _font_file(name: str) -> Path:
    found = finders.find(f"{_FONTS}/{name}")
    assert isinstance(found, str), "The admin's theme ships its typeface."
    return Path(found)
