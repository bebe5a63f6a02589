"""The life of a change is a history: whatever somebody does to it past the guards is found."""

import pytest

from payouts.audit import changes
from payouts.audit.verify import verify_audit_trail
from payouts.models import ChangeEvent, ChangeRequest
from payouts.operations.change_secrets import collect_secret
from payouts.operations.changes import withdraw_change
from payouts.operations.link_audit import link_audit_trail
from tests.books import execute, refusal
from tests.builders import make_partner
from tests.changes import approve, fund, propose, reject, two_admins
from tests.owner import forced, owning
from tests.payouts.audit.tampering import undone
from tests.pushes import make_staff

pytestmark = pytest.mark.django_db

EDIT = "UPDATE payouts_changerequest SET "


@pytest.fixture
def lives() -> list[ChangeRequest]:
    """One applied with its secret fetched, one rejected, one withdrawn, one that waits."""
    ada, bea = two_admins()
    partner = make_partner()
    grace = make_staff("grace", "viewer")
    password = propose("staff_password", {}, by=ada, subject=str(grace.pk))
    approve(password, bea)
    collect_secret(password.pk, by=ada)
    made = [fund(partner, by=ada, reference=f"W-{number}") for number in range(3)]
    reject(made[0], bea)
    withdraw_change(made[1].pk, by=ada)
    link_audit_trail()
    execute("SET CONSTRAINTS ALL IMMEDIATE")
    return [password, *made]


def test_every_step_is_an_event_in_the_chain(lives: list[ChangeRequest]) -> None:
    kinds = [list(one.events.order_by("number").values_list("kind", flat=True)) for one in lives]
    assert kinds == [
        ["proposed", "applied", "collected"],
        ["proposed", "rejected"],
        ["proposed", "withdrawn"],
        ["proposed"],
    ]
    assert refusal("UPDATE payouts_changeevent SET number = 9") == "PY001"
    assert refusal("DELETE FROM payouts_changeevent") == "PY001"
    assert verify_audit_trail().holds


@pytest.mark.parametrize(
    ("edit", "kind"),
    [
        (EDIT + 'after = after || \'{"amount": "9.00"}\'', "edited"),
        (EDIT + "decided_by_id = proposed_by_id", "edited"),
        (EDIT + "collected_at = now(), collected_by_id = 1", "edited"),
        (EDIT + "state = 'expired'", "edited"),
        ("DELETE FROM payouts_changerequest", "deleted"),
    ],
)
def test_finds_what_was_done_to_a_change(lives: list[ChangeRequest], edit: str, kind: str) -> None:
    with owning():
        for constraint in ("change_four_eyes", "change_collected_after_it_applied"):
            execute(f"ALTER TABLE payouts_changerequest DROP CONSTRAINT {constraint}")
    for one in lives[:2]:
        with undone():
            forced(f"{edit} WHERE id = %s", one.pk)
            findings = verify_audit_trail().findings
            assert {found.kind for found in findings} == {kind}
            assert all(str(one.pk) in found.told for found in findings)


def test_finds_a_change_that_was_put_there(lives: list[ChangeRequest]) -> None:
    every = [str(field.column) for field in ChangeRequest._meta.concrete_fields]
    columns = ", ".join(name for name in every if name not in ("id", "digest"))
    forced(
        f"""INSERT INTO payouts_changerequest (id, digest, {columns})
            SELECT gen_random_uuid(), 'x', {columns} FROM payouts_changerequest WHERE id = %s""",
        lives[1].pk,
    )
    (finding,) = verify_audit_trail().findings
    assert (finding.kind, finding.source) == ("inserted", "change")


def test_finds_a_step_that_was_taken_out(lives: list[ChangeRequest]) -> None:
    last = ChangeEvent.objects.get(change=lives[1], number=2)
    forced("DELETE FROM payouts_changeevent WHERE id = %s", last.pk)
    found = {(one.kind, one.row_id) for one in verify_audit_trail().findings}
    assert found == {("deleted", last.pk), ("edited", None)}


def test_every_column_of_a_change_is_told() -> None:
    # What is hashed stays what it was: another column takes another format of the event.
    columns = [str(field.column) for field in ChangeRequest._meta.concrete_fields]
    assert sorted([*changes.PROPOSED, *changes.ENDED, *changes.COLLECTED]) == sorted(columns)
