"""Verifies what a passkey has signed about decisions, and keeps it to be verified again."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final, NamedTuple

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone
from fido2.cbor import encode
from fido2.server import Fido2Server
from fido2.utils import websafe_encode
from fido2.webauthn import (
    AttestedCredentialData,
    AuthenticationResponse,
    PublicKeyCredentialRpEntity,
    UserVerificationRequirement,
)

from consumers.audit import Act, Result, Verb, record_act, subject_of
from payouts.deciding.signatures import Signed, Statement
from payouts.models import DecisionSignature
from payouts.models.approvals import Verdict
from payouts.operations.check_factor import WrongFactor, checked

_VERBS: Final = {Verdict.APPROVE.value: Verb.APPROVE, Verdict.REJECT.value: Verb.REJECT}


class SignatureRefused(Exception):
    """The signature is not this person's under this statement, or comes too late."""


class Passkey(NamedTuple):
    """A passkey as it is stored, and what it has shown when it was added."""

    authenticator: Authenticator
    held: AttestedCredentialData


def passkeys_of(user: User) -> list[Passkey]:
    """The person's passkeys, with what each has shown when it was added."""
    mine = Authenticator.objects.filter(user=user, type=Authenticator.Type.WEBAUTHN)
    return [Passkey(one, one.wrap().authenticator_data.credential_data) for one in mine]


def accept_signature(
    statement: Statement, *, by: User, assertion: Mapping[str, Any], rp_id: str
) -> Signed:
    """Verify and keep a passkey's signature under what `by` decides.

    Sent again, or twice at once, it is kept once and answered alike, as long as it is fresh
    (`STEP_UP_SECONDS`): what has come of the decisions does not change by it. `assertion` is the
    browser's answer to the challenge, as WebAuthn's JSON; `rp_id` the name of our site, to which
    passkeys are bound.

    :raises SignatureRefused: nothing is kept but an entry in the audit trail.
    :raises LockedOut: after too many that were wrong.
    """
    now = timezone.now()
    age = now - statement.at
    # A second of the other clock's rounding; the moment on the statement has no fractions.
    if not timedelta(seconds=-1) <= age <= timedelta(seconds=settings.STEP_UP_SECONDS):
        _record_refusal(statement, by)
        raise SignatureRefused(by.pk)
    passkeys = passkeys_of(by)
    signer: list[Passkey] = []

    def look() -> Authenticator | None:
        signer.extend(_signer(statement, passkeys, assertion, rp_id))
        return signer[0].authenticator if signer and statement.user_id == by.pk else None

    try:
        checked(by, look=look)
    except WrongFactor as wrong:
        _record_refusal(statement, by)
        raise SignatureRefused(by.pk) from wrong
    return Signed(_kept(statement, signer[0], assertion))


def _signer(
    statement: Statement, passkeys: list[Passkey], assertion: Mapping[str, Any], rp_id: str
) -> list[Passkey]:
    """The passkey that has signed; nothing if none of these has."""
    server = Fido2Server(PublicKeyCredentialRpEntity(id=rp_id, name="Payouts"))
    state = {
        "challenge": websafe_encode(statement.challenge()),
        "user_verification": UserVerificationRequirement.REQUIRED,
    }
    try:
        held = server.authenticate_complete(state, [one.held for one in passkeys], assertion)
    except (ValueError, KeyError, TypeError, IndexError, AttributeError):
        # Bytes of anybody's making: what cannot be read has signed nothing.
        return []
    return [one for one in passkeys if one.held.credential_id == held.credential_id]


def _kept(statement: Statement, signer: Passkey, assertion: Mapping[str, Any]) -> int:
    response = AuthenticationResponse.from_dict(assertion).response
    row = DecisionSignature(
        user_id=statement.user_id,
        verdict=statement.verdict,
        reason=statement.reason,
        statement=statement.text(),
        marks=statement.marks,
        challenge=statement.challenge(),
        passkey=signer.authenticator.wrap().name,
        credential_id=bytes(signer.held.credential_id),
        public_key=encode(dict(signer.held.public_key)),
        authenticator_data=bytes(response.authenticator_data),
        client_data=bytes(response.client_data),
        signature=bytes(response.signature),
        is_user_verified=response.authenticator_data.is_user_verified(),
        created_at=timezone.now(),
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
            signer.authenticator.record_usage()
    except IntegrityError:
        # The same statement: it was sent twice. Whoever has signed it was verified both times.
        return DecisionSignature.objects.only("pk").get(challenge=row.challenge).pk
    return int(row.pk)


def _record_refusal(statement: Statement, by: User) -> None:
    act = Act(verb=_VERBS[statement.verdict], subject=subject_of(by), result=Result.REFUSED)
    record_act(act.refused("SignatureRefused"))
