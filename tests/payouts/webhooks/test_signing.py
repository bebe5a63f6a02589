"""The signatures: vectors that anybody can compute, and the standard's own verifier."""

import base64
import hashlib
import hmac
import itertools
import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from standardwebhooks import Webhook, WebhookVerificationError

from payouts.webhooks.signing import new_secret, signature_headers

# The standard's published example.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
EVENT_ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
BODY = b'{"test": 2432232314}'
SENT_AT = datetime.fromtimestamp(1614265330, UTC)


def signed(body: bytes = BODY, *keys: str, at: datetime | None = None) -> dict[str, str]:
    return signature_headers(EVENT_ID, body, keys=keys or (SECRET,), at=at or timezone.now())


def test_is_the_signature_that_the_standard_publishes() -> None:
    headers = signed(at=SENT_AT)
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert headers["webhook-timestamp"] == "1614265330"


def test_is_the_other_scheme_as_anybody_computes_it() -> None:
    digest = hmac.new(SECRET.encode(), b"1614265330." + BODY, hashlib.sha256).hexdigest()
    assert signed(at=SENT_AT)["Upwardli-Signature"] == f"t=1614265330,v1={digest}"


def test_the_time_is_unix_whatever_zone_the_clock_names() -> None:
    elsewhere = SENT_AT.astimezone(ZoneInfo("Asia/Tokyo"))
    assert signed(at=elsewhere) == signed(at=SENT_AT)


def test_the_standards_verifier_accepts_what_we_send() -> None:
    assert Webhook(SECRET).verify(BODY, signed()) == json.loads(BODY)


def test_both_secrets_verify_during_a_rotation() -> None:
    old, new = new_secret(), new_secret()
    headers = signed(BODY, new, old)
    for key in (old, new):
        Webhook(key).verify(BODY, headers)
    assert headers["Upwardli-Signature"].count("v1=") == 2
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify(BODY, headers)


def test_every_bit_of_the_body_counts() -> None:
    headers, verifier = signed(), Webhook(SECRET)
    for place, bit in itertools.product(range(len(BODY)), range(7)):
        tampered = bytearray(BODY)
        tampered[place] ^= 1 << bit
        with pytest.raises(WebhookVerificationError):
            verifier.verify(bytes(tampered), headers)


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_every_header_counts(name: str) -> None:
    headers = signed()
    changed = {"webhook-timestamp": str(int(headers["webhook-timestamp"]) + 1)}.get(
        name, headers[name][:5] + ("B" if headers[name][5] == "A" else "A") + headers[name][6:]
    )
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(BODY, {**headers, name: changed})


@pytest.mark.parametrize("seconds", [-302, 302])
def test_old_and_early_ones_are_refused(seconds: int) -> None:
    headers = signed(at=timezone.now() + timedelta(seconds=seconds))
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRET).verify(BODY, headers)


def test_secrets_have_256_random_bits() -> None:
    made = {new_secret() for _ in range(50)}
    assert len(made) == 50
    assert {len(base64.b64decode(one.removeprefix("whsec_"))) for one in made} == {32}
