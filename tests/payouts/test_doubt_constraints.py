"""What the database refuses about resolutions, evidence and cases, whatever wrote it."""

import pytest
from django.contrib.auth.models import User

from payouts.actors import staff
from payouts.approvals import Source
from payouts.doubts import Way
from payouts.models import Case, ChangeRequest, EvidenceFile, Payment
from payouts.operations.record_outcome import record_outcome
from payouts.states import Status
from tests.books import execute, refusal
from tests.doubts import approve_closing, propose, propose_closing, resolve, the_case, two_operators
from tests.pushes import APPROVED, make_payee, make_staff, push_unknown

pytestmark = pytest.mark.django_db


@pytest.fixture
def proposed() -> ChangeRequest:
    return propose(push_unknown(make_payee()), by=two_operators()[0])


@pytest.fixture
def case() -> Case:
    payment = push_unknown(make_payee())
    resolve(payment, Status.FAILED)
    record_outcome(payment.pk, APPROVED)
    return the_case()


_DECIDE = """UPDATE payouts_changerequest SET state = 'applied', decided_at = now(),
    decided_by_id = %s WHERE id = %s"""


def test_its_proposer_does_not_decide(proposed: ChangeRequest) -> None:
    assert refusal(_DECIDE, proposed.proposed_by_id, proposed.pk) == "change_four_eyes"


def test_the_maker_does_not_decide() -> None:
    mia = make_staff("mia", "maker", "operations")
    actor = staff(mia.pk, mia.username)
    payment = push_unknown(make_payee(), source=Source.BACK_OFFICE, actor=actor)
    change = propose(payment, by=two_operators()[0])
    assert refusal(_DECIDE, mia.pk, change.pk) == "change_not_by_whom_it_concerns"


_COPY = """
INSERT INTO payouts_changerequest (id, kind, partner_id, subject, label, concerns_user_id, before,
    after, digest, reason, proposed_by_id, proposed_at, expires_at, state, is_alone,
    decision_reason, result)
SELECT gen_random_uuid(), kind, partner_id, %s, label, %s, before, {after}, digest || '\\x00',
    reason, %s, proposed_at, expires_at, 'proposed', FALSE, '', ''
FROM payouts_changerequest WHERE id = %s
"""


def _other_payment(proposed: ChangeRequest) -> Payment:
    return push_unknown(Payment.objects.get(pk=proposed.subject).card)


def test_a_proposal_needs_evidence_about_this_push(proposed: ChangeRequest) -> None:
    other = _other_payment(proposed)
    copy = _COPY.format(after="after")
    by = proposed.proposed_by_id
    assert refusal(copy, str(other.pk), None, by, proposed.pk) == "PY143"


def test_a_proposal_says_which_file(proposed: ChangeRequest) -> None:
    copy = _COPY.format(after="jsonb_set(after, '{sha256}', '\"00\"')")
    execute("UPDATE payouts_changerequest SET state = 'withdrawn', decided_at = now(), "
            "decided_by_id = proposed_by_id WHERE id = %s", proposed.pk)  # fmt: skip
    by = proposed.proposed_by_id
    assert refusal(copy, proposed.subject, None, by, proposed.pk) == "PY143"


def test_a_second_proposal_does_not_wait(proposed: ChangeRequest) -> None:
    by = User.objects.get(username="otto").pk
    found = refusal(_COPY.format(after="after"), proposed.subject, None, by, proposed.pk)
    assert found == "change_one_resolution_waits"


def test_the_maker_does_not_propose(proposed: ChangeRequest) -> None:
    mia = make_staff("mia", "maker")
    actor = staff(mia.pk, mia.username)
    card = Payment.objects.get(pk=proposed.subject).card
    payment = push_unknown(card, amount="7.00", source=Source.BACK_OFFICE, actor=actor)
    copy = _COPY.format(after="after")
    assert refusal(copy, str(payment.pk), mia.pk, mia.pk, proposed.pk) == "PY142"
    assert refusal(copy, str(payment.pk), None, proposed.proposed_by_id, proposed.pk) == "PY142"


@pytest.mark.parametrize(
    "column", ["after = '{}'", "before = '{}'", "reason = 'x'", "subject = 'x'", "digest = '\\x00'"]
)
def test_what_is_proposed_is_frozen(proposed: ChangeRequest, column: str) -> None:
    sql = f"UPDATE payouts_changerequest SET {column} WHERE id = %s"
    assert refusal(sql, proposed.pk) == "PY021"


@pytest.mark.parametrize("column", ["name = 'x'", "sha256 = '\\x00'", "created_at = now()"])
def test_evidence_is_frozen(proposed: ChangeRequest, column: str) -> None:
    assert refusal(f"UPDATE payouts_evidencefile SET {column}") == "PY140"


def test_evidence_and_cases_stay(case: Case) -> None:
    execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert EvidenceFile.objects.exists()
    assert refusal("DELETE FROM payouts_evidencefile") == "PY001"
    assert refusal("TRUNCATE payouts_evidencefile") == "PY001"
    assert refusal("DELETE FROM payouts_case") == "PY001"
    assert refusal("TRUNCATE payouts_case CASCADE") == "PY001"


@pytest.mark.parametrize("column", ["amount = 1", "ours = '{}'", "theirs = '{}'", "subject = 'x'"])
def test_what_a_case_is_about_is_frozen(case: Case, column: str) -> None:
    assert refusal(f"UPDATE payouts_case SET {column}") == "PY145"


_CLOSE = """UPDATE payouts_case SET state = 'closed', way = 'nothing', closing_reason = 'x',
    closed_at = now(), closed_by_id = %s, change_id = %s"""


def test_one_person_closes_no_case_with_money_in_it(case: Case) -> None:
    by = User.objects.get(username="opal").pk
    assert refusal(_CLOSE, by, None) == "case_closed_by_two"


def test_a_case_is_closed_by_its_own_change(case: Case) -> None:
    opal = User.objects.get(username="opal")
    other = ChangeRequest.objects.get(kind="resolve_unknown")
    assert refusal(_CLOSE, opal.pk, other.pk) == "PY146"
    booked = propose_closing(case, Way.HOUSE_BEARS, by=opal)
    assert refusal(_CLOSE, opal.pk, booked.pk) == "PY146"


def test_a_closed_case_is_frozen(case: Case) -> None:
    opal, otto = User.objects.get(username="opal"), User.objects.get(username="otto")
    approve_closing(propose_closing(case, Way.NOTHING, by=opal), otto)
    assert refusal("UPDATE payouts_case SET owner_id = %s", opal.pk) == "PY144"
