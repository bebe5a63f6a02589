"""What the commands that import a file from outside do alike."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from django.core.management.base import CommandError, CommandParser

from payouts.management.arguments import member_of_staff
from payouts.operations.reconciliation.brought_files import File, FileUpload

_PAUSE_SECONDS: Final = 0.2


def add_import_arguments(parser: CommandParser, *, before: str, maker: str) -> None:
    """FILE, --by and --json. `before` says what waits for a second person, `maker` whose it is."""
    parser.add_argument("file", metavar="FILE", type=Path)
    parser.add_argument(
        "--by",
        metavar="USER",
        help=f"who brings it; then a second person agrees in the back office before {before}. "
        f"Without, it counts as having come from the {maker} itself",
    )
    parser.add_argument("--json", action="store_true", help="print what came of it as JSON")


def upload_from(path: Path, *, by: str | None) -> FileUpload:
    """The file at a path, brought by the member of staff of this name, or by nobody.

    :raises CommandError: there is no such person, or the file cannot be read.
    """
    person = None if by is None else member_of_staff(by)
    try:
        return FileUpload(path.name, path.read_bytes(), person)
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from error


def work_until_rest(file: File, work: Callable[[], None]) -> File:
    """Work until there is nothing left to do about the file; a worker may be at it meanwhile."""
    while True:
        work()
        file.refresh_from_db()
        if not file.is_at_work:
            return file
        time.sleep(_PAUSE_SECONDS)
