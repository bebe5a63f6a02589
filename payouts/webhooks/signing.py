"""Signs what is sent, in two ways side by side, so that either of them can be verified.

Standard Webhooks (standardwebhooks.com, version 1.0.0): `webhook-id`, `webhook-timestamp`,
`webhook-signature`, made by the standard's own library. And `Upwardli-Signature`, which reads
`t=<unix>,v1=<hex>`: the HMAC-SHA256 over `<t>.<body>`, whose key is the secret as it is shown,
`whsec_` included. During a rotation there is a signature for either secret, the newer first.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from standardwebhooks import Webhook

SECRET_PREFIX: Final = "whsec_"  # noqa: S105  # what secrets begin with, and no secret
_SECRET_BYTES: Final = 32


def new_secret() -> str:
    """A fresh secret: 256 random bits, which nobody can guess and the standard allows."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def signature_headers(
    event_id: str, body: bytes, *, keys: Sequence[str], at: datetime
) -> dict[str, str]:
    """The headers that prove that `body` is ours and was sent at `at`."""
    seconds = int(at.timestamp())
    # The library takes the clock's reading for UTC, whatever zone it names.
    instant = datetime.fromtimestamp(seconds, UTC)
    signed = [Webhook(key).sign(event_id, instant, body.decode()) for key in keys]
    plain = f"{seconds}.".encode() + body
    digests = [hmac.new(key.encode(), plain, hashlib.sha256).hexdigest() for key in keys]
    return {
        "webhook-id": event_id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": " ".join(signed),
        "Upwardli-Signature": ",".join([f"t={seconds}", *(f"v1={one}" for one in digests)]),
    }
