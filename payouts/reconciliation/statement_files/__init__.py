"""Bank statements, read exactly: one module a format. Plain Python, nothing of the database.

A reader takes the whole file, which is bounded, names everything that is wrong in it and guesses
nothing. Neither which account is ours nor what an entry is about is known here.
"""

from typing import Final

from payouts.reconciliation.bank_statements import Statement
from payouts.reconciliation.statement_files import camt053, statement_csv

CAMT: Final = "camt.053"
CSV: Final = "csv"


def format_of(content: bytes) -> str:
    """Say by what is in it what a file claims to be: XML begins with `<`, the other is CSV."""
    beginning = content[:64].lstrip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n")
    return CAMT if beginning.startswith(b"<") else CSV


def read_statements(content: bytes) -> list[Statement]:
    """Read all statements in the file.

    :raises StatementRefused: naming everything that is wrong.
    """
    if format_of(content) == CAMT:
        return camt053.read(content)
    return statement_csv.read(content)
