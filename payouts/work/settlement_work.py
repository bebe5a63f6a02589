"""Works on settlement files until there is nothing to do, and says how far each is.

Nothing here decides anything: it calls operations in turn, each of which does one bounded piece and
commits.
"""

import threading
from collections.abc import Callable
from typing import Final

from payouts.models import SettlementFile
from payouts.operations.reconciliation.act_on_settlement import act_on_next_finding
from payouts.operations.reconciliation.read_settlement import read_next_settlement

Told = Callable[[SettlementFile], None]

_stopping: Final = threading.Event()


def stop() -> None:
    """Begin nothing more: the worker is shutting down."""
    _stopping.set()


def work_on_settlements(told: Told = lambda _file: None) -> None:
    """Work until nothing is left. Call it outside of any transaction."""
    while not _stopping.is_set():
        file = read_next_settlement() or act_on_next_finding()
        if file is None:
            return
        told(file)
