"""Where the demo keeps its files under `var/`, and how it writes those with secrets in them."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Places:
    """The files of the demo. `facts` is there exactly while everything answers."""

    var: Path

    @property
    def facts(self) -> Path:
        return self.var / "demo.json"

    @property
    def secrets(self) -> Path:
        return self.var / "demo-secrets.json"

    @property
    def lock(self) -> Path:
        return self.var / "demo.lock"

    @property
    def logs(self) -> Path:
        return self.var / "log"

    @property
    def broker(self) -> Path:
        return self.var / "broker"

    @property
    def database(self) -> Path:
        return self.var / "postgres"

    @property
    def book(self) -> Path:
        return self.var / "sandbox" / "book.sqlite3"


def write_private(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file that only its owner may read, whole or not at all."""
    making = path.with_suffix(".making")
    making.unlink(missing_ok=True)
    with os.fdopen(os.open(making, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(content, file, indent=2)
        file.write("\n")
    making.replace(path)


def read_if_there(path: Path) -> dict[str, Any]:
    """The content of a JSON file; empty if it is missing or was not written by us."""
    try:
        content = json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
