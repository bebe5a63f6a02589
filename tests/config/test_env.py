"""Settings from the environment: what a person typed is taken as meant, or refused by name."""

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import env


@pytest.mark.parametrize(("word", "meaning"), [("yes", True), ("ON", True), ("0", False)])
def test_reads_a_boolean(monkeypatch: pytest.MonkeyPatch, word: str, meaning: object) -> None:
    monkeypatch.setenv("SWITCH", word)
    assert env.boolean("SWITCH", default=not meaning) is meaning


@pytest.mark.parametrize("default", [True, False])
def test_takes_an_empty_boolean_as_not_set(
    monkeypatch: pytest.MonkeyPatch, default: object
) -> None:
    monkeypatch.setenv("SWITCH", "")
    assert env.boolean("SWITCH", default=bool(default)) is default


def test_refuses_a_boolean_that_is_neither_yes_nor_no(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SWITCH", "maybe")
    with pytest.raises(ImproperlyConfigured, match="SWITCH must be yes or no, not 'maybe'"):
        env.boolean("SWITCH", default=False)


def test_refuses_a_number_with_a_unit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECONDS", "10s")
    with pytest.raises(ImproperlyConfigured, match="SECONDS must be a whole number"):
        env.integer("SECONDS", 5)


def test_takes_the_first_choice_when_none_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PLACE", raising=False)
    assert env.choice("PLACE", ("here", "there")) == "here"


def test_refuses_a_misspelt_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLACE", "prod")
    with pytest.raises(ImproperlyConfigured, match="development or production, not 'prod'"):
        env.choice("PLACE", ("development", "production"))


def test_splits_words_at_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOSTS", " one.example , two.example,, ")
    assert env.words("HOSTS") == ["one.example", "two.example"]


def test_reads_a_secret_from_the_file_that_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "key").write_text("from the file\n")
    monkeypatch.setenv("KEY_FILE", str(tmp_path / "key"))
    assert env.secret("KEY", "default") == "from the file"


def test_refuses_a_secret_and_its_file_together(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "key").write_text("one")
    monkeypatch.setenv("KEY_FILE", str(tmp_path / "key"))
    monkeypatch.setenv("KEY", "two")
    with pytest.raises(ImproperlyConfigured, match="KEY and KEY_FILE are both set"):
        env.secret("KEY")


def test_names_the_variable_of_a_secret_file_that_is_not_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("KEY_FILE", str(tmp_path / "missing"))
    with pytest.raises(ImproperlyConfigured, match="KEY_FILE names a file that cannot be read"):
        env.secret("KEY", "default")


def test_reads_a_database_address_as_libpq_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "DATABASE_URL", "postgresql://ann:se%20cret@db.example:6432/money?sslmode=verify-full"
    )
    database = env.database("DATABASE_URL", unset=str)
    assert database["NAME"] == "money"
    assert database["PASSWORD"] == "se cret"
    assert (database["HOST"], database["PORT"]) == ("db.example", "6432")
    options = database["OPTIONS"]
    assert isinstance(options, dict)
    assert options["sslmode"] == "verify-full"


def test_asks_for_the_embedded_database_only_when_there_is_no_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def start() -> str:
        raise AssertionError("a server was started")

    monkeypatch.setenv("DATABASE_URL", "postgresql:///elsewhere")
    assert env.database("DATABASE_URL", unset=start)["NAME"] == "elsewhere"


def test_does_not_repeat_a_database_address_that_it_cannot_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DATABASE_URL", "host=db.example password=hunter2 nonsense")
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL is not") as refusal:
        env.database("DATABASE_URL", unset=str)
    assert "hunter2" not in str(refusal.value)
    assert refusal.value.__suppress_context__
