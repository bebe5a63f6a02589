"""What the chain covers, and that the bytes that it hashes stay what they are."""

import hashlib
from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.apps import apps

from payouts.audit import sources
from payouts.audit.sources import GENESIS, Header, read_marks

HEADER = Header(
    number=7,
    source="event",
    format=1,
    from_id=11,
    to_id=20,
    rows=9,
    digest=bytes(range(32)),
    marks_digest=bytes(32),
    previous_hash=GENESIS,
    linked_at=datetime(2026, 3, 1, 12, 0, 0, 5, tzinfo=UTC),
)


@pytest.mark.parametrize("source", sources.SOURCES, ids=lambda source: source.name)
def test_every_column_of_a_covered_table_is_in_its_newest_format(source: sources.Source) -> None:
    (model,) = (m for m in apps.get_models() if m._meta.db_table == source.table)
    columns = {field.column for field in model._meta.concrete_fields} - {"id"}
    assert set(source.formats[-1]) == columns, "give the source another format at the end"


def test_the_first_formats_are_as_they_were() -> None:
    # Blocks exist that were made like this. A changed tuple would make all of them tampered with.
    assert {one.name: one.formats[0] for one in sources.SOURCES} == {
        "entry": (
            "created_at", "verb", "result", "actor", "user_id", "client_id", "ip_address", "agent",
            "request_id", "subject_type", "subject_id", "subject_label", "partner_id", "before",
            "after", "reason",
        ),
        "event": (
            "payment_id", "number", "kind", "from_status", "to_status", "actor", "details",
            "request_id", "created_at",
        ),
        "journal": ("kind", "payment_id", "description", "actor", "created_at"),
        "posting": ("journal_id", "account_id", "part", "amount"),
        "requirement": ("payment_id", "name", "decisions", "group_id"),
        "decision": ("payment_id", "user_id", "verdict", "reason", "digest", "created_at"),
        "signature": (
            "user_id", "verdict", "reason", "statement", "marks", "challenge", "passkey",
            "credential_id", "public_key", "authenticator_data", "client_data", "signature",
            "is_user_verified", "created_at",
        ),
        "change": (
            "change_id", "number", "kind", "user_id", "format", "row_digest", "created_at",
        ),
        "edit": ("subject_id", "user_id", "edited_at"),
        "renaming": ("subject_id", "was", "until"),
    }  # fmt: skip


def test_a_hash_can_be_computed_by_hand() -> None:
    lines = f"""payouts audit block 1
number 7
source event 1
ids 11 20
rows 9
digest {bytes(range(32)).hex()}
marks {"00" * 32}
previous {"00" * 32}
linked at 2026-03-01T12:00:00.000005+00:00"""
    assert HEADER.hash() == hashlib.sha256(lines.encode()).digest()


def test_a_hash_does_not_depend_on_the_zone_that_an_instant_is_told_in() -> None:
    elsewhere = HEADER.linked_at.astimezone(timezone(timedelta(hours=5)))
    told = {name: getattr(HEADER, name) for name in HEADER.__dataclass_fields__}
    assert Header(**{**told, "linked_at": elsewhere}).hash() == HEADER.hash()


def test_marks_are_ids_and_beginnings_of_digests() -> None:
    marks = (5).to_bytes(8, "big") + b"abcd" + (-6).to_bytes(8, "big", signed=True) + b"wxyz"
    assert list(read_marks(marks)) == [(5, b"abcd"), (-6, b"wxyz")]
