"""The demo's processes: watched while they run, and gone when they are told to be."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from config.demo import children as children_module
from config.demo.children import ChildEnded, Children, wait_until

# Modules that the tests run as `python -m`: each says something and then behaves in its way.
OBEDIENT = "import time; print('hello', flush=True); time.sleep(60)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
    "print('hello', flush=True); time.sleep(60)"
)
PARENT = "import os; os.fork(); " + STUBBORN
FAILING = "raise SystemExit('the disk is full')"


@pytest.fixture
def children(tmp_path: Path) -> Iterator[Children]:
    for name, text in {
        "obedient": OBEDIENT,
        "stubborn": STUBBORN,
        "parent": PARENT,
        "failing": FAILING,
    }.items():
        (tmp_path / f"{name}.py").write_text(text)
    children = Children(tmp_path, logs=tmp_path, environment=os.environ)
    yield children
    children.stop(is_urgent=lambda: True)


def start(children: Children, name: str, *, stop_seconds: float = 30.0) -> Path:
    log = children.start(name, name, [], stop_seconds=stop_seconds)
    wait_until(lambda: "hello" in log.read_text(), children=children, what=name, seconds=30)
    return log


def members_of(log: Path) -> list[str]:
    """The processes that have the log open: the child and whatever it started."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            files = [str(file.readlink()) for file in (place / "fd").iterdir()]
        except OSError:
            continue
        if str(log) in files and place.name != str(os.getpid()):
            found.append(place.name)
    return found


def test_stops_who_listens(children: Children) -> None:
    log = start(children, "obedient")
    children.stop(is_urgent=lambda: False)
    assert members_of(log) == []


def test_kills_who_does_not_listen_in_time(children: Children) -> None:
    log = start(children, "stubborn", stop_seconds=0.3)
    began_at = time.monotonic()
    children.stop(is_urgent=lambda: False)
    assert members_of(log) == []
    assert time.monotonic() - began_at >= 0.3


def test_kills_at_once_when_it_is_urgent(children: Children) -> None:
    log = start(children, "stubborn", stop_seconds=60)
    began_at = time.monotonic()
    children.stop(is_urgent=lambda: True)
    assert members_of(log) == []
    assert time.monotonic() - began_at < 30


def test_leaves_no_grandchild(children: Children) -> None:
    log = start(children, "parent", stop_seconds=0.3)
    assert len(members_of(log)) == 2
    children.stop(is_urgent=lambda: False)
    deadline = time.monotonic() + 10
    while members_of(log) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert members_of(log) == []


def test_says_who_has_ended_and_its_last_words(children: Children) -> None:
    start(children, "obedient")
    children.start("failing", "failing", [])
    with pytest.raises(ChildEnded, match="The failing process ended with 1") as end:
        wait_until(lambda: False, children=children, what="it", seconds=30)
    assert "the disk is full" in str(end.value)


def test_does_not_wait_for_ever(children: Children) -> None:
    start(children, "obedient")
    with pytest.raises(ChildEnded, match="The web server did not answer within 0 seconds"):
        wait_until(lambda: False, children=children, what="The web server", seconds=0)


def kill_member(log: Path) -> None:
    (pid,) = members_of(log)
    os.kill(int(pid), signal.SIGKILL)


def watch(children: Children, *, until: Callable[[], bool]) -> list[str]:
    """Do what the demo does all the time, and return what it said."""
    said: list[str] = []
    deadline = time.monotonic() + 30
    while not until() and time.monotonic() < deadline:
        children.revive_killed(say=said.append)
        time.sleep(0.05)
    return said


def test_starts_again_who_was_killed(children: Children) -> None:
    log = start(children, "obedient")
    kill_member(log)
    said = watch(children, until=lambda: log.read_text().count("hello") == 2)
    assert said == ["The obedient process was killed. It is started again."]
    assert len(members_of(log)) == 1


def test_does_not_start_again_who_ended_by_itself(children: Children) -> None:
    children.start("failing", "failing", [])
    with pytest.raises(ChildEnded, match="The failing process ended with 1"):
        watch(children, until=lambda: False)


def test_gives_up_on_who_is_killed_again_and_again(
    children: Children, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(children_module, "KILLED_AT_MOST", 0)
    log = start(children, "obedient")
    kill_member(log)
    with pytest.raises(ChildEnded, match="The obedient process ended with -9"):
        watch(children, until=lambda: False)
