"""The proof of a day as a PDF, for the folder of whoever keeps it."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from payouts.backoffice.day_proof_words import BANK_WORDS, BOOKS, STEPS, VERDICT_WORDS
from payouts.backoffice.sheets import Sheet, in_utc
from payouts.models import DayProof


def day_proof_pdf(proof: DayProof, *, printed_at: datetime, printed_by: str) -> bytes:
    """Draw what stands in the proof, and nothing more."""
    figures = proof.figures
    sheet = Sheet(foot=f"Proof of {proof.day}   ·   SHA-256 {proof.digest}")
    sheet.title_line(f"Proof of {proof.day:%d %b %Y}: {VERDICT_WORDS[proof.verdict].lower()}")
    sheet.fact("Whose", f"{proof.network}, {proof.acquiring_bin}, {proof.card_acceptor_id}")
    sheet.fact("At the bank", BANK_WORDS.get(figures.get("bank", ""), "not asked then"))
    sheet.fact("Files", ", ".join(figures["files"]) or "none")
    sheet.fact("Proved", in_utc(proof.made_at))
    sheet.fact("Printed", f"{in_utc(printed_at)} by {printed_by}")
    sheet.section("What the books say")
    for name, words in BOOKS:
        if name in figures:
            sheet.sums(words, *_sum(figures[name]))
    sheet.section("From what was paid to what the network says")
    for name, words, sign in STEPS:
        number, amount = _sum(figures[name])
        sheet.sums(words, number, f"{sign} {amount}")
    sheet.sums("Nobody knows why", "", _dollars(figures["unexplained"]))
    sheet.section("How to check this")
    sheet.fact("SHA-256", proof.digest)
    sheet.fact(
        "Taken over", "the figures as JSON, with sorted names and no blanks (prove_day --json)"
    )
    return bytes(sheet.output())


def _sum(one: dict[str, Any]) -> tuple[str, str]:
    return f"{one['number']:,}", _dollars(one["amount"])


def _dollars(text: str) -> str:
    return f"${Decimal(text):,.2f}"
