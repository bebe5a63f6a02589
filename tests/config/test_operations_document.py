"""docs/operations.md names every variable and every finding: nobody has to read the code."""

import ast
import re
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent.parent
DOCUMENT: Final = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


def variables_read() -> set[str]:
    """The first argument of each reader of `config/env.py` that the settings call."""
    trees = [ast.parse(place.read_text(encoding="utf-8")) for place in ROOT.glob("config/*.py")]
    return {
        call.args[0].value
        for tree in trees
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == "env"
        and isinstance(call.args[0], ast.Constant)
        and isinstance(call.args[0].value, str)
    }


def test_names_every_variable_that_the_settings_read() -> None:
    read = variables_read()
    assert {"DATABASE_URL", "STEP_UP_SECONDS"} <= read
    assert sorted(name for name in read if f"`{name}`" not in DOCUMENT) == []


def test_names_every_finding() -> None:
    code = (ROOT / "config" / "checks.py").read_text(encoding="utf-8")
    given = set(re.findall(r"payouts\.[EW]\d{3}", code))
    assert given == set(re.findall(r"`(payouts\.[EW]\d{3})`", DOCUMENT))
