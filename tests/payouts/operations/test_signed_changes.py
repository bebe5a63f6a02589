"""Decisions about changes by people with passkeys: signed, or not at all; and verified again."""

from dataclasses import replace

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from payouts.deciding.decision_proofs import verify_decisions
from payouts.deciding.signatures import CHANGES, FreshFactor, Proof, Signed, Statement, mark_of
from payouts.models import ChangeRequest
from payouts.operations.accept_signature import accept_signature
from payouts.operations.changes import (
    ChangeDecisionNotSigned,
    ChangeFactorNotFresh,
    SomethingElseThanChangeSigned,
    approve_change,
    reject_change,
)
from tests.back_office import browser_of, text_of
from tests.books import execute, refusal
from tests.builders import make_partner
from tests.changes import fund, state_of, two_admins
from tests.decisions import shown_by
from tests.doubts import propose, two_operators
from tests.owner import forced
from tests.passkeys import RP_ID, Passkey
from tests.payouts.backoffice.test_signing import signed as signed_form
from tests.pushes import make_payee, push_unknown

pytestmark = pytest.mark.django_db

WHY = "Looked at it"
END = f"""UPDATE payouts_changerequest SET state = 'applied', decided_at = now(),
    decided_by_id = %s, decision_reason = '{WHY}', signature_id = %s"""


@pytest.fixture
def people() -> tuple[User, User]:
    return two_admins()


@pytest.fixture
def change(people: tuple[User, User]) -> ChangeRequest:
    return fund(make_partner(), by=people[0])  # type: ignore[no-any-return]


@pytest.fixture
def passkey(people: tuple[User, User]) -> Passkey:
    made = Passkey()
    made.add_to(people[1])
    return made


def signed(change: ChangeRequest, by: User, passkey: Passkey, **other: str) -> Signed:
    said = Statement(
        user_id=by.pk,
        username=by.get_username(),
        verdict="approve",
        reason=WHY,
        marks=mark_of(change.pk, bytes(change.digest)),
        at=timezone.now().replace(microsecond=0),
        nonce="0" * 32,
        about=CHANGES,
    )
    said = replace(said, **other)  # type: ignore[arg-type]
    assertion = passkey.sign(said.challenge())
    return accept_signature(said, by=by, assertion=assertion, rp_id=RP_ID)


def approve(change: ChangeRequest, by: User, proof: Proof) -> ChangeRequest:
    return approve_change(change.pk, by=by, digest=bytes(change.digest), reason=WHY, proof=proof)


def test_a_signed_decision_counts_and_keeps_its_signature(
    change: ChangeRequest, people: tuple[User, User], passkey: Passkey
) -> None:
    decided = approve(change, people[1], signed(change, people[1], passkey))
    assert state_of(change) == "applied"
    assert decided.signature is not None
    assert "\nchanges 1\n" in decided.signature.statement
    proofs = verify_decisions()
    assert (proofs.signatures, proofs.signed, proofs.wrong) == (1, 1, 0)


def test_a_no_is_signed_too(
    change: ChangeRequest, people: tuple[User, User], passkey: Passkey
) -> None:
    proof = signed(change, people[1], passkey, verdict="reject")
    digest = bytes(change.digest)
    reject_change(change.pk, by=people[1], digest=digest, reason=WHY, proof=proof)
    assert state_of(change) == "rejected"
    assert verify_decisions().wrong == 0


def test_whoever_has_a_passkey_decides_with_nothing_else(
    change: ChangeRequest, people: tuple[User, User], passkey: Passkey
) -> None:
    with pytest.raises(ChangeDecisionNotSigned):
        approve(change, people[1], shown_by(people[1]))
    assert state_of(change) == "proposed"
    execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert refusal(END, people[1].pk, None) == "PY120"


def test_another_s_second_factor_does_not_count(
    change: ChangeRequest, people: tuple[User, User]
) -> None:
    at = timezone.now()
    with pytest.raises(ChangeFactorNotFresh):
        approve(change, people[1], FreshFactor(people[0].pk, shown_at=at, used_at=at))
    assert state_of(change) == "proposed"


@pytest.mark.parametrize("other", [{"reason": "Another"}, {"verdict": "reject"}])
def test_what_was_signed_is_what_is_decided(
    change: ChangeRequest, people: tuple[User, User], passkey: Passkey, other: dict[str, str]
) -> None:
    proof = signed(change, people[1], passkey, **other)
    with pytest.raises(SomethingElseThanChangeSigned):
        approve(change, people[1], proof)
    assert state_of(change) == "proposed"
    execute("SET CONSTRAINTS ALL IMMEDIATE")
    assert refusal(END, people[1].pk, proof.signature_id) == "PY121"


def test_verifying_finds_a_decision_that_was_not_signed_like_this(
    change: ChangeRequest, people: tuple[User, User], passkey: Passkey
) -> None:
    approve(change, people[1], signed(change, people[1], passkey))
    execute("SET CONSTRAINTS ALL IMMEDIATE")
    forced("UPDATE payouts_changerequest SET decision_reason = 'Another'")
    (finding,) = verify_decisions().findings
    assert str(change.pk) in finding.told


@pytest.mark.parametrize("kind", ["change", "resolution"])
def test_pages_ask_the_passkey_to_sign_what_is_decided(kind: str) -> None:
    proposer, decider = two_admins() if kind == "change" else two_operators()
    (passkey := Passkey()).add_to(decider)
    if kind == "change":
        change = fund(make_partner(), by=proposer)
    else:
        change = propose(push_unknown(make_payee()), by=proposer)
    client, address = browser_of(decider), f"/admin/{kind}s/{change.pk}/decide/"
    seen = bytes(change.digest).hex()
    page = client.post(address, {"verdict": "approve", "seen": seen, "reason": WHY})
    assert "Sign your approval" in text_of(page)
    assert "changes 1" in text_of(page)
    assert state_of(change) == "proposed"
    client.post(address, signed_form(page, passkey))
    assert state_of(change) == "applied"
    assert verify_decisions().wrong == 0
