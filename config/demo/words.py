"""What the demo tells: to people on the screen, to scripts in `var/demo.json`."""

import json
from typing import Any, Final

from config.demo.cast import Cast

_READ_ANSWER: Final = (
    """python3 -c 'import json, sys; print(json.load(sys.stdin)["access_token"])'"""
)
_FRESH_KEY: Final = "python3 -c 'import uuid; print(uuid.uuid4())'"


def facts(cast: Cast, *, address: str, sandbox: str) -> dict[str, Any]:
    """The content of `var/demo.json`."""
    return {
        "address": address,
        "api": {"client_id": cast.client_id, "client_secret": cast.client_secret},
        "demo": {
            "consumer_id": cast.consumer_id,
            "external_payment_card_id": cast.card_id,
        },
        "staff": [
            {
                "username": member.username,
                "password": member.password,
                "role": member.role,
                "totp_secret": member.totp_secret,
            }
            for member in cast.staff
        ],
        "sandbox": {"address": sandbox},
    }


def ready_text(cast: Cast, *, address: str, sandbox: str, seconds: float) -> str:
    """One block: where everything is, how to sign in, and a push to paste."""
    width = max(len(member.username) for member in cast.staff)
    return "\n".join(
        [
            "",
            f"Ready after {seconds:.1f} s: {address}   (Ctrl-C stops it)",
            "",
            f"  Back office      {address}/admin/   sign in as one of",
            *(f"    {member.username:{width}}  {member.password}" for member in cast.staff),
            "    and type the code that the next page shows (elsewhere a phone shows it).",
            "    For scripts: .venv/bin/python manage.py staffcode viewer",
            f"    To try passkeys, open it as {address.replace('127.0.0.1', 'localhost')}/admin/",
            f"  API documents    {address}/v2/docs/",
            f"  API client       {cast.client_id}",
            f"  its secret       {cast.client_secret}",
            f"  Sandbox network  {sandbox}",
            "",
            "Push 100 USD to a demo card (paste all of it):",
            "",
            curl_text(cast, address=address),
            "",
        ]
    )


def curl_text(cast: Cast, *, address: str) -> str:
    """A line for the shell that takes a token and pushes 100 USD under a fresh key."""
    body = json.dumps(
        {
            "consumer_id": cast.consumer_id,
            "external_payment_card_id": cast.card_id,
            "amount": 100,
        }
    )
    return (
        f"curl -sS {address}/v2/payments/oct/ -H 'Content-Type: application/json' "
        f'-H "Idempotency-Key: $({_FRESH_KEY})" '
        f'-H "Authorization: Bearer $(curl -sS {address}/auth/token/ '
        f"-d grant_type=client_credentials -d scope=api:write "
        f'-d client_id={cast.client_id} -d client_secret={cast.client_secret} | {_READ_ANSWER})" '
        f"-d '{body}'"
    )
