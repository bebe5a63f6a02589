import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from django.conf import settings
from kombu import Connection

from config import folder_broker

# A name that nobody else has, and one folder as long as the process lives: kombu remembers in the
# process, for all folders, which queues it has announced, and announces them once.
QUEUE = "whole-messages"


@pytest.fixture(scope="session")
def messages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("broker") / "messages"


@pytest.fixture(scope="session")
def broker(messages: Path) -> Iterator[Connection]:
    messages.mkdir()
    options = {
        "data_folder_in": str(messages),
        "data_folder_out": str(messages),
        "control_folder": str(messages.parent / "control"),
        "polling_interval": 0.01,
    }
    with Connection(
        "filesystem://localhost",
        transport="config.folder_broker:Transport",
        transport_options=options,
    ) as connection:
        yield connection


def test_brings_messages_in_the_order_in_which_they_were_sent(broker: Connection) -> None:
    queue = broker.SimpleQueue(QUEUE)
    for number in range(3):
        queue.put({"number": number})
    received = [queue.get(timeout=5) for _ in range(3)]
    assert sorted(message.payload["number"] for message in received) == [0, 1, 2]


def test_a_message_is_not_seen_before_it_is_whole(
    broker: Connection, messages: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []

    def replace(unfinished: Path, name: Path) -> Path:
        seen.append(list(messages.glob(f"*.{QUEUE}.msg")))
        seen.append(json.loads(unfinished.read_text())["body"])
        return renamed(unfinished, name)

    renamed = Path.replace
    monkeypatch.setattr(Path, "replace", replace)
    queue = broker.SimpleQueue(QUEUE)
    queue.put({"number": 1})
    assert seen[0] == []
    assert seen[1]
    assert queue.get(timeout=5).payload == {"number": 1}


def test_nobody_takes_what_is_not_finished(broker: Connection, messages: Path) -> None:
    queue = broker.SimpleQueue(QUEUE)
    (messages / f"1_0.{QUEUE}.msg.part").write_text("")
    queue.put({"number": 1})
    assert queue.get(timeout=5).payload == {"number": 1}
    assert (messages / f"1_0.{QUEUE}.msg.part").exists()


def test_development_uses_it() -> None:
    app = Celery("reads the settings", set_as_current=False)
    app.config_from_object(settings, namespace="CELERY")
    with app.connection_for_write() as connection:
        assert isinstance(connection.transport, folder_broker.Transport)
