"""A passkey in software: it is added and signs as a device does, under keys of its own."""

import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any, Final

from allauth.mfa.models import Authenticator
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from django.contrib.auth.models import User
from fido2.cose import ES256
from fido2.utils import websafe_decode, websafe_encode
from fido2.webauthn import (
    Aaguid,
    AttestationObject,
    AttestedCredentialData,
    AuthenticatorData,
    CollectedClientData,
)

RP_ID: Final = "testserver"
ORIGIN: Final = f"https://{RP_ID}"
PRESENT: Final = AuthenticatorData.FLAG.UP
VERIFIED: Final = AuthenticatorData.FLAG.UP | AuthenticatorData.FLAG.UV


@dataclass
class Passkey:
    """One key pair. `add_to` gives it to a person, `sign` answers a challenge."""

    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(16))

    def add_to(self, user: User, *, name: str = "Work laptop") -> Authenticator:
        made: Authenticator = Authenticator.objects.create(
            user=user,
            type=Authenticator.Type.WEBAUTHN,
            data={"name": name, "credential": self.registration(b"c" * 32)},
        )
        return made

    def registration(self, challenge: bytes, *, origin: str = ORIGIN) -> dict[str, Any]:
        """What a browser answers when the passkey is made."""
        held = AttestedCredentialData.create(Aaguid.NONE, self.credential_id, _public(self.key))
        shown = AuthenticatorData.create(
            _digest(RP_ID.encode()), VERIFIED | AuthenticatorData.FLAG.AT, 0, bytes(held)
        )
        made = AttestationObject.create("none", shown, {})
        said = CollectedClientData.create(CollectedClientData.TYPE.CREATE, challenge, origin)
        return self._answer(clientDataJSON=bytes(said), attestationObject=bytes(made))

    def sign(
        self,
        challenge: bytes,
        *,
        origin: str = ORIGIN,
        rp_id: str = RP_ID,
        flags: AuthenticatorData.FLAG = VERIFIED,
        purpose: CollectedClientData.TYPE = CollectedClientData.TYPE.GET,
    ) -> dict[str, Any]:
        """What a browser answers when the passkey has signed."""
        said = bytes(CollectedClientData.create(purpose, challenge, origin))
        shown = bytes(AuthenticatorData.create(_digest(rp_id.encode()), flags, 1))
        signature = self.key.sign(shown + _digest(said), ec.ECDSA(SHA256()))
        return self._answer(clientDataJSON=said, authenticatorData=shown, signature=signature)

    def sign_options(self, options: str) -> str:
        """The answer to the options that a page carries, as its form sends it."""
        challenge = json.loads(options)["publicKey"]["challenge"]
        return json.dumps(self.sign(_bytes(challenge)))

    def _answer(self, **response: bytes) -> dict[str, Any]:
        key_id = websafe_encode(self.credential_id)
        return {
            "id": key_id,
            "rawId": key_id,
            "type": "public-key",
            "response": {name: websafe_encode(value) for name, value in response.items()},
            "clientExtensionResults": {},
        }


def _public(key: ec.EllipticCurvePrivateKey) -> ES256:
    made: ES256 = ES256.from_cryptography_key(key.public_key())  # type: ignore[no-untyped-call]
    return made


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


def _bytes(text: str) -> bytes:

    return websafe_decode(text)
