"""The linker against itself, against writers that are late, and against its own death."""

import threading
from functools import partial

import pytest
from django.db import OperationalError, connection, transaction

from consumers.audit import Act, Subject, Verb, record_act
from consumers.models import AuditEntry
from payouts.audit.sources import SOURCES, Header
from payouts.audit.verify import verify_audit_trail
from payouts.models import AuditBlock
from payouts.operations import link_audit
from payouts.operations.link_audit import Linked, link_audit_trail
from tests.books import execute, select
from tests.pushes import ask, make_payee, push_request
from tests.racing import race_mixed, returned

pytestmark = pytest.mark.django_db(transaction=True)


def note(label: str) -> None:
    record_act(Act(verb=Verb.VIEW, subject=Subject("note", label=label)))


def assert_linked_once(rows: int) -> None:
    link_audit_trail()
    verdict = verify_audit_trail(workers=2)
    assert verdict.findings == []
    assert (verdict.rows, verdict.waiting.rows) == (rows, 0)
    numbers = [row[0] for row in select("SELECT number FROM payouts_auditblock ORDER BY 1")]
    assert numbers == list(range(1, len(numbers) + 1))


def test_linkers_and_writers_at_once_link_every_row_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_audit, "ROWS_PER_BLOCK", 5)
    card = make_payee()

    def link_again_and_again() -> None:
        for _ in range(10):
            link_audit_trail()

    def push_and_note(number: int) -> None:
        ask(push_request(card, key=f"k-{number}"))
        note(str(number))

    pushing = [partial(push_and_note, number) for number in range(12)]
    returned(race_mixed(*[link_again_and_again] * 3, *pushing))
    rows = sum(select(f"SELECT count(*) FROM {source.table}")[0][0] for source in SOURCES)
    assert_linked_once(rows)


def test_a_row_that_commits_late_is_not_passed_over() -> None:
    drawn, committed = threading.Event(), threading.Event()

    def write_slowly() -> None:
        with transaction.atomic():
            note("late")
            drawn.set()
            assert committed.wait(30)

    def link_meanwhile() -> Linked:
        assert drawn.wait(30)
        note("early")
        # The late one has the smaller number and cannot be seen yet.
        linked = link_audit_trail(patience_seconds=0.2)
        committed.set()
        return linked

    linked = returned(race_mixed(write_slowly, link_meanwhile))[1]
    assert isinstance(linked, Linked)
    assert linked.rows == 0
    assert list(AuditEntry.objects.order_by("id").values_list("subject_label", flat=True)) == [
        "late",
        "early",
    ]
    assert_linked_once(2)


def test_waits_for_a_writer_that_is_soon_through() -> None:
    drawn = threading.Event()

    def write_slowly() -> None:
        with transaction.atomic():
            note("late")
            drawn.set()
            execute("SELECT pg_sleep(0.3)")

    def link_meanwhile() -> Linked:
        assert drawn.wait(30)
        return link_audit_trail(patience_seconds=30)

    linked = returned(race_mixed(write_slowly, link_meanwhile))[1]
    assert isinstance(linked, Linked)
    assert linked.rows == 1
    assert_linked_once(1)


def test_a_long_transaction_elsewhere_holds_nobody_up() -> None:
    note("a")
    holds, done = threading.Event(), threading.Event()

    def read_for_long() -> None:
        with transaction.atomic():
            select("SELECT count(*) FROM consumers_auditentry")
            execute("UPDATE consumers_partner SET name = name")
            holds.set()
            assert done.wait(30)

    def link_meanwhile() -> Linked:
        assert holds.wait(30)
        linked = link_audit_trail(patience_seconds=5)
        done.set()
        return linked

    linked = returned(race_mixed(read_for_long, link_meanwhile))[1]
    assert isinstance(linked, Linked)
    assert linked.rows == 1


def test_a_linker_that_is_killed_leaves_whole_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_audit, "ROWS_PER_BLOCK", 2)
    for label in "abcdef":
        note(label)
    written = link_audit._write

    def die_after_the_second(block: Header, marks: bytes) -> None:
        written(block, marks)
        if block.number == 2:
            execute("SELECT pg_terminate_backend(pg_backend_pid())")

    with monkeypatch.context() as dying:
        dying.setattr(link_audit, "_write", die_after_the_second)
        with pytest.raises(OperationalError):
            link_audit_trail()
    connection.close()
    assert AuditBlock.objects.count() == 1
    assert_linked_once(6)


def test_who_holds_the_lock_is_the_only_linker() -> None:
    note("a")
    locked, done = threading.Event(), threading.Event()

    def hold_the_lock() -> None:
        with transaction.atomic():
            assert link_audit._is_the_linker()
            locked.set()
            assert done.wait(30)

    def link_meanwhile() -> Linked:
        assert locked.wait(30)
        linked = link_audit_trail()
        done.set()
        return linked

    linked = returned(race_mixed(hold_the_lock, link_meanwhile))[1]
    assert isinstance(linked, Linked)
    assert linked.blocks == 0
    assert_linked_once(1)
