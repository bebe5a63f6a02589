"""The broker in a folder, for development and the demo: Celery's own, with two steps made whole.

The original creates a message's file empty and writes it afterwards, and does the same with the
list of queues. A worker that looks in between cannot read what it finds, and ends with an error.
Here a message appears whole, and the list is read and written by one process at a time.
"""

import fcntl
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kombu.transport import filesystem
from kombu.utils.json import dumps


class Channel(filesystem.Channel):
    """A channel of the folder."""

    def _put(self, queue: str, payload: dict[str, Any], **_options: Any) -> None:  # type: ignore[override]
        folder = Path(self.data_folder_out)
        # Readers take files that end with the queue's name, the oldest name first.
        name = f"{round(time.monotonic() * 1000)}_{uuid.uuid4()}.{queue}.msg"
        unfinished = folder / f"{name}.part"
        unfinished.write_text(dumps(payload), encoding="utf-8")
        unfinished.replace(folder / name)

    def _queue_bind(self, *binding: Any) -> None:
        with self._alone():
            super()._queue_bind(*binding)

    def get_table(self, exchange: str) -> list[Any]:
        with self._alone():
            table: list[Any] = super().get_table(exchange)
            return table

    @contextmanager
    def _alone(self) -> Iterator[None]:
        folder = Path(self.control_folder)
        folder.mkdir(exist_ok=True)
        with (folder / "lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


class Transport(filesystem.Transport):
    """What `CELERY_BROKER_TRANSPORT` names."""

    Channel = Channel
