"""Works on bank statements until there is nothing to do, and says how far each is.

Nothing here decides anything: it calls operations in turn, each of which does one bounded piece and
commits.
"""

import threading
from collections.abc import Callable
from typing import Final

from payouts.models import StatementFile
from payouts.operations.reconciliation.act_on_statement import act_on_next_entry
from payouts.operations.reconciliation.read_statement import read_next_statement

Told = Callable[[StatementFile], None]

_stopping: Final = threading.Event()


def stop() -> None:
    """Begin nothing more: the worker is shutting down."""
    _stopping.set()


def work_on_statements(told: Told = lambda _file: None) -> None:
    """Work until nothing is left. Call it outside of any transaction."""
    while not _stopping.is_set():
        file = read_next_statement() or act_on_next_entry()
        if file is None:
            return
        told(file)
