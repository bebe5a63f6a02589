"""What the database itself keeps about changes, whoever writes."""

import pytest

from payouts.models import ChangeRequest
from tests.books import execute, refusal
from tests.builders import make_partner
from tests.changes import GRACE, approve, fund, propose, two_admins
from tests.pushes import make_staff

pytestmark = pytest.mark.django_db

END = "UPDATE payouts_changerequest SET state = %s, decided_at = now(), decided_by_id = %s"


@pytest.fixture
def change() -> ChangeRequest:
    make_staff("carla", "approver")
    return fund(make_partner(), by=two_admins()[0])  # type: ignore[no-any-return]


@pytest.mark.parametrize("state", ["applied", "rejected"])
def test_nobody_decides_about_their_own(change: ChangeRequest, state: str) -> None:
    assert refusal(END, state, change.proposed_by_id) == "change_four_eyes"


@pytest.mark.parametrize("state", ["applied", "rejected", "withdrawn"])
def test_somebody_has_decided(change: ChangeRequest, state: str) -> None:
    assert refusal(END, state, None) == "change_four_eyes"


def test_only_staff_are_taken_on_alone(change: ChangeRequest) -> None:
    alone = "is_alone = TRUE, state = 'applied', decided_at = now()"
    assert refusal(f"UPDATE payouts_changerequest SET {alone}") == "change_four_eyes"


def test_nobody_decides_about_themselves() -> None:
    ada, bea = two_admins()
    after = {**GRACE, "username": "bea", "groups": []}
    propose("staff_member", after, by=ada, subject=str(bea.pk))
    assert refusal(END, "applied", bea.pk) == "change_not_by_whom_it_concerns"


@pytest.mark.parametrize(
    "what",
    [
        "after = '{}'", "before = '{\"x\": 1}'", "reason = 'other'", "kind = 'limit'",
        "subject = 'x'", "partner_id = NULL", "digest = 'x'", "expires_at = now()",
        "proposed_by_id = (SELECT id FROM auth_user WHERE username = 'carla')",
    ],
)  # fmt: skip
def test_what_is_proposed_stays(change: ChangeRequest, what: str) -> None:
    assert refusal(f"UPDATE payouts_changerequest SET {what}") == "PY021"


def test_what_is_decided_stays(change: ChangeRequest) -> None:
    bea = make_staff("dora", "approver")
    approve(change, bea)
    for end in ("state = 'rejected'", "result = ''", "decided_at = now() - interval '1 day'"):
        assert refusal(f"UPDATE payouts_changerequest SET {end}") == "PY022"


def test_begins_as_a_proposal(change: ChangeRequest) -> None:
    copied = ", ".join(
        str(field.column)
        for field in ChangeRequest._meta.concrete_fields
        if field.name not in ("id", "state", "decided_by", "decided_at")
    )
    insert = f"""INSERT INTO payouts_changerequest (id, state, decided_by_id, decided_at, {copied})
        SELECT gen_random_uuid(), 'applied', %s, now(), {copied} FROM payouts_changerequest"""
    assert refusal(insert, make_staff("dora", "approver").pk) == "PY020"


def test_waits_once(change: ChangeRequest) -> None:
    columns = ", ".join(
        str(field.column) for field in ChangeRequest._meta.concrete_fields if field.name != "id"
    )
    again = f"""INSERT INTO payouts_changerequest (id, {columns})
        SELECT gen_random_uuid(), {columns} FROM payouts_changerequest"""
    refused = refusal(again)
    assert refused in ("change_waits_once", "change_funding_reference_once")


def test_is_never_deleted(change: ChangeRequest) -> None:
    assert refusal("DELETE FROM payouts_changerequest") == "PY001"
    execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert refusal("TRUNCATE payouts_changerequest CASCADE") == "PY001"
    assert ChangeRequest.objects.count() == 1
