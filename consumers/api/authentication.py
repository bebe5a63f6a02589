"""Who calls: a bearer token becomes a `Caller` with one prepared statement."""

import hashlib
import re
from dataclasses import dataclass
from typing import cast
from uuid import UUID

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from consumers.statements import fetch_row

# RFC 6750 §2.1, and a length beyond which nothing of ours is.
_BEARER = re.compile(r"(?i:bearer) +([A-Za-z0-9._~+/-]{1,256}=*) *")

_CALLER_BEHIND = """
    SELECT client.id, client.partner_id, client.name, token.scopes, client.scopes,
           partner.requires_idempotency_key
      FROM consumers_accesstoken token
      JOIN consumers_apiclient client ON client.id = token.client_id
      JOIN consumers_partner partner ON partner.id = client.partner_id
     WHERE token.digest = %(digest)s
       AND token.expires_at > clock_timestamp()
       AND client.disabled_at IS NULL
       AND partner.is_active
"""


@dataclass(frozen=True, slots=True)
class Caller:
    """The API client that makes a request, and the partner on whose behalf it does."""

    client_id: UUID
    partner_id: UUID
    client_name: str
    scopes: frozenset[str]
    requires_idempotency_key: bool

    # Django and DRF ask this of whatever stands in `request.user`.
    is_authenticated = True


class ClientTokenAuthentication(BaseAuthentication):
    """Reads `Authorization: Bearer <token>`.

    A token is good until it expires, its client is disabled or its partner becomes inactive, each
    with effect from the next request on. A scope that is taken from the client is gone at once too.
    """

    def authenticate(self, request: Request) -> tuple[Caller, Caller] | None:
        header = request.META.get("HTTP_AUTHORIZATION", "")
        if header[:6].lower() != "bearer":
            return None
        match = _BEARER.fullmatch(header)
        if match is None:
            raise _not_valid()
        caller = _caller_of(match[1])
        return caller, caller

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


def caller_of(request: Request) -> Caller:
    """The caller of a request that `HasScope` let in."""
    return cast(Caller, request.auth)


def _caller_of(token: str) -> Caller:
    digest = hashlib.sha256(token.encode()).digest()
    row = fetch_row(_CALLER_BEHIND, {"digest": digest})
    if row is None:
        raise _not_valid()
    client_id, partner_id, name, token_scopes, client_scopes, requires_key = row
    scopes = frozenset(token_scopes).intersection(client_scopes)
    return Caller(client_id, partner_id, name, scopes, requires_key)


def _not_valid() -> AuthenticationFailed:
    return AuthenticationFailed("The token is unknown or no longer good.", "invalid_token")
