"""Lets a partner's servers in: clients, their secrets and their tokens (RFC 6749 §4.4).

Secrets and tokens are shown once, when they are made, and kept only as SHA-256 digests. They have
256 random bits, so a digest cannot be searched and needs neither salt nor slow hashing.
"""

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from consumers.audit import Act, Result, Subject, Verb, audited, record_act, subject_of
from consumers.models import AccessToken, APIClient, APIClientSecret, Partner

READ = "api:read"
WRITE = "api:write"
ALL_SCOPES = (READ, WRITE)

TOKEN_LIFETIME = timedelta(days=1)
SECRET_SLOTS = (1, 2)
RANDOM_BYTES = 32

# Compared against when there is no such client, so that both refusals do the same work.
_NO_DIGEST = bytes(32)


class UnknownScope(ValueError):
    """A scope that this product does not have, or none at all."""


class TwoSecretsAlready(Exception):
    """The client holds two secrets; one has to go before another is made."""


class ClientDisabled(Exception):
    """The client was disabled: it gets no more secrets."""


class LastSecret(Exception):
    """The client's only secret is not removed: disable the client instead."""


class WrongClientCredentials(Exception):
    """No enabled client has this id and secret. Never says which of the two is wrong."""


@dataclass(frozen=True, slots=True)
class NewClient:
    """A client that was just made. `secret` is shown to its owner now or never."""

    client: APIClient
    secret: str = field(repr=False)


def create_api_client(
    partner: Partner, *, name: str, scopes: Sequence[str] = ALL_SCOPES
) -> NewClient:
    """Make a client with one secret. Twice with the same name makes two clients.

    :raises UnknownScope: `scopes` is empty or names something other than api:read and api:write.
    """
    with transaction.atomic():
        client = register_api_client(partner, name=name, scopes=scopes)
        return NewClient(client, _store_secret(client, slot=SECRET_SLOTS[0]))


def register_api_client(
    partner: Partner, *, name: str, scopes: Sequence[str] = ALL_SCOPES
) -> APIClient:
    """Make a client that has no secret yet, and so cannot come in: `add_client_secret` makes one.

    :raises UnknownScope: `scopes` is empty or names something other than api:read and api:write.
    """
    if not scopes or not set(scopes) <= set(ALL_SCOPES):
        raise UnknownScope(f"Scopes are {' and '.join(ALL_SCOPES)}, at least one of them.")
    with transaction.atomic():
        client = APIClient.objects.create(
            partner=partner,
            name=name,
            client_id=f"client_{secrets.token_hex(16)}",
            scopes=[scope for scope in ALL_SCOPES if scope in scopes],
        )
        record_act(
            Act(
                verb=Verb.ADD,
                subject=subject_of(client),
                after={"name": name, "client_id": client.client_id, "scopes": client.scopes},
            )
        )
        return client


def add_client_secret(client: APIClient) -> str:
    """Make another secret and return it; the existing one stays good.

    :raises TwoSecretsAlready: also for the later of two callers at once.
    :raises ClientDisabled: a client that is disabled stays so.
    """
    with _audited(client, Verb.ADD_SECRET, TwoSecretsAlready, ClientDisabled):
        taken = _slots_taken(client)
        if APIClient.objects.filter(pk=client.pk).exclude(disabled_at=None).exists():
            raise ClientDisabled("The client is disabled.")
        free = next((slot for slot in SECRET_SLOTS if slot not in taken), None)
        if free is None:
            raise TwoSecretsAlready("Remove one of the two secrets first.")
        return _store_secret(client, slot=free)


def remove_client_secret(client: APIClient, *, slot: int) -> None:
    """Take a secret away at once; tokens that were given for it stay good until they expire.

    Removing a slot that is empty changes nothing.

    :raises LastSecret: there is no other secret.
    """
    with _audited(client, Verb.REMOVE_SECRET, LastSecret):
        taken = _slots_taken(client)
        if taken == [slot]:
            raise LastSecret("This is the only secret of the client.")
        APIClientSecret.objects.filter(client=client, slot=slot).delete()


def disable_api_client(client: APIClient) -> None:
    """End the client: its tokens and secrets are refused from the next request on.

    A client that is disabled already keeps the time at which that happened.
    """
    enabled = APIClient.objects.filter(pk=client.pk, disabled_at=None)
    with transaction.atomic():
        if enabled.update(disabled_at=timezone.now()):
            record_act(Act(verb=Verb.DISABLE, subject=subject_of(client)))
    client.refresh_from_db(fields=["disabled_at"])


def client_with_credentials(client_id: str, secret: str) -> APIClient:
    """The enabled client of an active partner that has this id and secret.

    :raises WrongClientCredentials: whatever the reason, after the same work.
    """
    client = None
    if client_id.isascii() and client_id.isprintable():
        client = (
            APIClient.objects.filter(client_id=client_id, disabled_at=None, partner__is_active=True)
            .prefetch_related("secrets")
            .first()
        )
    known = [bytes(kept.digest) for kept in client.secrets.all()] if client else []
    given = digest_of(secret)
    # A list, so that the comparison does not end with the first that fits.
    fits = [hmac.compare_digest(given, digest) for digest in known or [_NO_DIGEST]]
    if client is None or not any(fits):
        _record_stranger(client)
        raise WrongClientCredentials
    return client


def issue_token(client: APIClient, *, scopes: Sequence[str], token: str = "") -> str:
    """Store a token that is good for `TOKEN_LIFETIME` and return it.

    The client's expired tokens are swept on the way, so that no other job has to. A client may hold
    any number of good tokens. `token` is one that a library made already; empty makes one here.

    :raises UnknownScope: the client does not have one of the scopes.
    """
    if not scopes or not set(scopes) <= set(client.scopes):
        raise UnknownScope("The client does not have all of these scopes.")
    now = timezone.now()
    token = token or new_token()
    client.tokens.filter(expires_at__lt=now).delete()
    AccessToken.objects.create(
        digest=digest_of(token),
        client=client,
        scopes=list(scopes),
        expires_at=now + TOKEN_LIFETIME,
    )
    return token


def new_token() -> str:
    """A fresh token of 256 random bits; nothing is stored."""
    return f"token_{secrets.token_urlsafe(RANDOM_BYTES)}"


def digest_of(secret: str) -> bytes:
    """What is stored of a secret or token."""
    return hashlib.sha256(secret.encode()).digest()


def _record_stranger(client: APIClient | None) -> None:
    # The id that was sent may be anything, a secret too: only one of ours is kept.
    subject = Subject(APIClient._meta.label_lower) if client is None else subject_of(client)
    act = Act(verb=Verb.SIGN_IN, subject=subject, result=Result.REFUSED, reason="wrong credentials")
    record_act(act)


def _audited(
    client: APIClient, verb: Verb, *refusals: type[Exception]
) -> AbstractContextManager[None]:
    return audited(Act(verb=verb, subject=subject_of(client)), refusals=refusals)


def _store_secret(client: APIClient, *, slot: int) -> str:
    secret = f"secret_{secrets.token_urlsafe(RANDOM_BYTES)}"
    APIClientSecret.objects.create(client=client, slot=slot, digest=digest_of(secret))
    return secret


def _slots_taken(client: APIClient) -> list[int]:
    """The slots in use, with the client locked against another change of its secrets."""
    APIClient.objects.select_for_update().get(pk=client.pk)
    return list(client.secrets.values_list("slot", flat=True))
