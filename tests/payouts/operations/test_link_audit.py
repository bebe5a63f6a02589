"""The linker: everything once, in order, without a gap, whatever it is stopped by."""

import logging

import pytest

from consumers.audit import Act, Subject, Verb, record_act
from payouts.audit.chain import chain_head
from payouts.audit.sources import FIRST_ID, GENESIS
from payouts.audit.verify import verify_audit_trail
from payouts.models import AuditBlock
from payouts.operations import link_audit
from payouts.operations.link_audit import link_audit_trail
from tests.books import select
from tests.payouts.audit.tampering import SOURCES, ids_of
from tests.pushes import make_payee, push

pytestmark = pytest.mark.django_db


def note(label: str) -> None:
    record_act(Act(verb=Verb.VIEW, subject=Subject("note", label=label)))


def blocks(source: str) -> list[AuditBlock]:
    return list(AuditBlock.objects.filter(source=source).order_by("number"))


def test_links_every_row_of_every_source_once() -> None:
    push(make_payee())
    linked = link_audit_trail()
    assert linked.rows == sum(len(ids_of(source)) for source in SOURCES)
    assert linked.head == chain_head()
    assert verify_audit_trail().rows == linked.rows


def test_without_new_rows_nothing_is_linked() -> None:
    push(make_payee())
    first = link_audit_trail()
    again = link_audit_trail()
    assert (again.blocks, again.rows, again.head) == (0, 0, first.head)


def test_an_empty_database_has_no_head() -> None:
    assert link_audit_trail().head is None
    assert verify_audit_trail().holds


def test_blocks_are_numbered_without_a_gap_and_chained() -> None:
    for label in "abc":
        note(label)
        link_audit_trail()
    first, second, third = blocks("entry")
    assert [one.number for one in (first, second, third)] == [1, 2, 3]
    assert bytes(first.previous_hash) == GENESIS
    assert bytes(second.previous_hash) == bytes(first.hash)
    assert bytes(third.previous_hash) == bytes(second.hash)
    assert first.from_id == FIRST_ID
    assert (second.from_id, third.from_id) == (first.to_id + 1, second.to_id + 1)


def test_many_rows_become_several_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_audit, "ROWS_PER_BLOCK", 4)
    for label in "abcdefghi":
        note(label)
    assert link_audit_trail().rows == 9
    assert [one.rows for one in blocks("entry")] == [4, 4, 1]
    assert verify_audit_trail().holds


def test_the_next_range_begins_behind_numbers_that_were_left_out() -> None:
    note("a")
    select("SELECT nextval(pg_get_serial_sequence('consumers_auditentry', 'id'))")
    link_audit_trail()
    note("b")
    link_audit_trail()
    first, second = blocks("entry")
    assert second.from_id == first.to_id + 1
    assert second.rows == 1
    assert verify_audit_trail().holds


def test_the_head_goes_into_the_log(caplog: pytest.LogCaptureFixture) -> None:
    note("a")
    with caplog.at_level(logging.INFO, logger="payouts"):
        linked = link_audit_trail()
        link_audit_trail()
    (line,) = caplog.messages
    assert line.endswith(f"head {linked.head}")


@pytest.mark.parametrize("change", ["UPDATE {} SET rows = 1", "DELETE FROM {}", "TRUNCATE {}"])
def test_the_chain_is_written_once(change: str) -> None:
    from tests.books import refusal

    note("a")
    link_audit_trail()
    assert refusal(change.format("payouts_auditblock")) == "PY001"
    assert verify_audit_trail().holds
