"""Every kind of tampering is found, and said exactly where, in rows and in blocks."""

import pytest

from payouts.audit import sources
from payouts.audit.chain import chain_head
from payouts.audit.sources import GENESIS
from payouts.audit.verify import Verdict, verify_audit_trail
from payouts.operations import link_audit
from payouts.operations.link_audit import link_audit_trail
from tests.books import execute, select
from tests.owner import forced, triggers_asleep
from tests.payouts.audit.tampering import EDITS, SOURCES, ids_of, make_histories, undone
from tests.pushes import make_payee, push

pytestmark = pytest.mark.django_db

ALL = sorted(SOURCES)


@pytest.fixture(autouse=True)
def histories() -> None:
    make_histories()


def found(verdict: Verdict) -> list[tuple[str, str, int | None]]:
    return [(finding.kind, finding.source, finding.row_id) for finding in verdict.findings]


def assert_found(*expected: tuple[str, str, int | None]) -> None:
    """Exactly this, and nothing beside it."""
    verdict = verify_audit_trail()
    assert found(verdict) == list(expected)
    assert verdict.tampered == len(expected)
    assert not verdict.holds


def test_what_nobody_touched_holds() -> None:
    verdict = verify_audit_trail()
    assert verdict.holds
    assert verdict.rows == sum(len(ids_of(source)) for source in ALL)
    assert verdict.blocks == len(ALL)
    assert verdict.head == chain_head()
    assert verdict.waiting.rows == 0


def test_finds_an_edited_row() -> None:
    for source in ALL:
        with undone():
            row_id = ids_of(source)[1]
            forced(f"UPDATE {SOURCES[source]} SET {EDITS[source]} WHERE id = %s", row_id)
            assert_found(("edited", source, row_id))


def test_finds_a_deleted_row() -> None:
    for source in ALL:
        with undone():
            row_id = ids_of(source)[-1]
            forced(f"DELETE FROM {SOURCES[source]} WHERE id = %s", row_id)
            assert_found(("deleted", source, row_id))


def test_finds_two_rows_that_changed_places() -> None:
    for source in ALL:
        with undone():
            first, second = ids_of(source)[:2]
            swap = f"UPDATE {SOURCES[source]} SET id = %s WHERE id = %s"
            forced(swap, -1, first)
            forced(swap, first, second)
            forced(swap, second, -1)
            assert_found(("moved", source, first), ("moved", source, second))
            told = str(verify_audit_trail().findings[0])
            assert told.endswith(f"what stands there was linked as {second}")


def test_finds_a_row_that_was_inserted_where_a_number_was_left_out() -> None:
    for source in ALL:
        # A transaction that is rolled back leaves its number out.
        select(f"SELECT nextval(pg_get_serial_sequence('{SOURCES[source]}', 'id'))")
    gaps = {source: ids_of(source)[-1] + 1 for source in ALL}
    make_histories("erin", "frank")
    for source, gap in gaps.items():
        with undone():
            forced(copy_of(SOURCES[source], at=gap))
            assert_found(("inserted", source, gap))


def test_finds_a_row_below_all_numbers() -> None:
    forced(copy_of("payouts_posting", at=-5))
    assert_found(("inserted", "posting", -5))


def test_finds_a_row_above_all_numbers_that_were_given_out() -> None:
    forced(copy_of("payouts_posting", at=10**12))
    assert_found(("inserted", "posting", 10**12))


def copy_of(table: str, *, at: int) -> str:
    """SQL that inserts the table's first row again, as another one that no constraint refuses."""
    rows = select(
        f"SELECT column_name FROM information_schema.columns WHERE table_name = '{table}'"
    )
    columns = [name for (name,) in rows if name != "id"]
    copied = [OTHERWISE.get((table, name), name) for name in columns]
    return (
        f"INSERT INTO {table} (id, {', '.join(columns)})"
        f" SELECT {at}, {', '.join(copied)} FROM {table} ORDER BY id LIMIT 1"
    )


_COLUMNS = "SELECT column_name FROM information_schema.columns WHERE table_name = %s"
OTHERWISE = {
    ("payouts_event", "number"): "number + 100",
    ("payouts_journal", "kind"): "'settled'",
    ("payouts_decision", "user_id"): "user_id + 1000",
    ("payouts_approvalrequirement", "name"): "'other'",
}


def test_a_row_that_is_not_linked_yet_is_no_finding() -> None:
    push(make_payee())
    verdict = verify_audit_trail()
    assert verdict.holds
    assert verdict.waiting.rows > 0
    assert verdict.waiting.oldest_at is not None


def test_finds_an_edited_block() -> None:
    for edit in (
        "rows = rows + 1",
        "digest = sha256('')",
        "marks = marks || marks",
        "hash = sha256('')",
        "linked_at = linked_at - interval '1 day'",
        "to_id = to_id + 1",
        "source = 'other'",
        "format = 9",
    ):
        with undone():
            forced(f"UPDATE payouts_auditblock SET {edit} WHERE number = 3")
            assert ("edited", "block", 3) in found(verify_audit_trail()), edit


def test_finds_a_deleted_block() -> None:
    forced("DELETE FROM payouts_auditblock WHERE number = 3")
    assert_found(("deleted", "block", 3))


def test_finds_a_block_below_the_first() -> None:
    forced("ALTER TABLE payouts_auditblock DROP CONSTRAINT audit_block_holds_rows")
    forced(
        """INSERT INTO payouts_auditblock SELECT 0, source, format, from_id, to_id + 1000, rows,
               digest, marks, hash, hash, linked_at FROM payouts_auditblock WHERE number = 7"""
    )
    assert_found(("inserted", "block", 0))


def test_finds_a_block_that_was_made_to_fit_an_edited_row() -> None:
    row_id = ids_of("event")[0]
    forced("UPDATE payouts_event SET actor = 'nobody' WHERE id = %s", row_id)
    number = rewritten("event")
    assert_found(("edited", "block", number + 1))


def test_finds_a_chain_that_was_written_anew_by_the_head_that_was_kept() -> None:
    kept = chain_head()
    assert kept is not None
    forced("DELETE FROM payouts_auditblock")
    forced("UPDATE payouts_posting SET amount = amount * 2")
    link_audit_trail()
    # By itself the new chain is without a fault.
    assert verify_audit_trail().holds
    verdict = verify_audit_trail(kept=[kept])
    assert found(verdict) == [("edited", "block", kept.number)]


def test_finds_a_chain_that_was_cut_off_by_the_head_that_was_kept() -> None:
    kept = chain_head()
    assert kept is not None
    forced("DELETE FROM payouts_auditblock WHERE number = %s", kept.number)
    assert found(verify_audit_trail(kept=[kept])) == [("edited", "block", kept.number)]


def test_believes_the_blocks_below_the_first_that_is_asked_for() -> None:
    row_id = ids_of("entry")[0]
    forced("UPDATE consumers_auditentry SET actor = 'nobody' WHERE id = %s", row_id)
    push(make_payee())
    link_audit_trail()
    verdict = verify_audit_trail(first=len(ALL) + 1)
    assert verdict.holds
    assert 0 < verdict.blocks < len(ALL)
    assert not verify_audit_trail().holds


def test_counts_all_findings_and_tells_some(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("payouts.audit.verify.NAMED_AT_MOST", 2)
    forced("UPDATE payouts_posting SET amount = amount + 1")
    verdict = verify_audit_trail()
    assert verdict.tampered == len(ids_of("posting"))
    assert len(verdict.findings) == 2


def test_tells_how_far_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, int, int]] = []
    verdict = verify_audit_trail(told=lambda *fact: told.append(fact))
    assert ("blocks", verdict.blocks, verdict.blocks) in told
    assert told[-1] == ("rows", verdict.rows, verdict.rows)


def test_the_row_is_named_whichever_block_it_is_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link_audit, "ROWS_PER_BLOCK", 2)
    for _ in range(3):
        push(make_payee())
    link_audit_trail()
    rows = ids_of("posting")
    forced("DELETE FROM payouts_posting WHERE id IN (%s, %s)", rows[-1], rows[-4])
    assert_found(("deleted", "posting", rows[-4]), ("deleted", "posting", rows[-1]))


def rewritten(source: str) -> int:
    """Make the source's newest block anew over its rows as they are now, hash and all."""
    number: int
    ((number, previous),) = select(
        """SELECT number, previous_hash FROM payouts_auditblock WHERE source = %s
           ORDER BY number DESC LIMIT 1""",
        source,
    )
    later = select("SELECT count(*) FROM payouts_auditblock WHERE number > %s", number)
    assert later[0][0] > 0
    with triggers_asleep():
        execute(
            "CREATE TEMP TABLE rest AS SELECT * FROM payouts_auditblock WHERE number >= %s", number
        )
        execute("DELETE FROM payouts_auditblock WHERE number >= %s", number)
        (covered,) = (one for one in sources.SOURCES if one.name == source)
        (to_id,) = (row[0] for row in select("SELECT to_id FROM rest WHERE number = %s", number))
        block = link_audit._link_next(covered, to_id)
        assert block is not None
        assert (block.number, block.previous_hash) == (number, bytes(previous))
        assert previous != GENESIS
        execute("INSERT INTO payouts_auditblock SELECT * FROM rest WHERE number > %s", number)
    return number
