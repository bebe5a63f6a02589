"""What a partner's servers are let in with: clients, secrets, tokens."""

import hashlib
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from consumers.models import AccessToken, APIClient, APIClientSecret
from consumers.operations.api_clients import (
    LastSecret,
    TwoSecretsAlready,
    UnknownScope,
    WrongClientCredentials,
    add_client_secret,
    client_with_credentials,
    create_api_client,
    disable_api_client,
    issue_token,
    remove_client_secret,
)
from tests.builders import make_api_client, make_partner

pytestmark = pytest.mark.django_db


def test_keeps_only_digests_of_secrets_and_tokens() -> None:
    made = make_api_client()
    token = issue_token(made.client, scopes=["api:read"])
    assert (
        bytes(APIClientSecret.objects.get().digest) == hashlib.sha256(made.secret.encode()).digest()
    )
    assert bytes(AccessToken.objects.get().digest) == hashlib.sha256(token.encode()).digest()


def test_shows_no_secret_in_its_repr() -> None:
    made = make_api_client()
    assert made.secret not in repr(made)


@pytest.mark.parametrize("scopes", [[], ["api:admin"], ["api:read", "api:admin"]])
def test_refuses_scopes_that_do_not_exist(scopes: list[str]) -> None:
    with pytest.raises(UnknownScope):
        create_api_client(make_partner(), name="Server", scopes=scopes)
    assert not APIClient.objects.exists()


def test_both_secrets_are_good_while_they_are_rotated() -> None:
    made = make_api_client()
    second = add_client_secret(made.client)
    for secret in (made.secret, second):
        assert client_with_credentials(made.client.client_id, secret) == made.client


def test_refuses_a_third_secret() -> None:
    made = make_api_client()
    add_client_secret(made.client)
    with pytest.raises(TwoSecretsAlready):
        add_client_secret(made.client)
    assert made.client.secrets.count() == 2


def test_a_removed_secret_is_refused_at_once_and_its_place_is_free() -> None:
    made = make_api_client()
    second = add_client_secret(made.client)
    remove_client_secret(made.client, slot=1)
    with pytest.raises(WrongClientCredentials):
        client_with_credentials(made.client.client_id, made.secret)
    third = add_client_secret(made.client)
    assert client_with_credentials(made.client.client_id, second)
    assert client_with_credentials(made.client.client_id, third)


def test_refuses_to_remove_the_only_secret() -> None:
    made = make_api_client()
    with pytest.raises(LastSecret):
        remove_client_secret(made.client, slot=1)
    assert client_with_credentials(made.client.client_id, made.secret)


def test_removing_an_empty_slot_changes_nothing() -> None:
    made = make_api_client()
    remove_client_secret(made.client, slot=2)
    assert made.client.secrets.count() == 1


def test_a_disabled_client_is_refused_and_keeps_its_first_time() -> None:
    made = make_api_client()
    disable_api_client(made.client)
    first = made.client.disabled_at
    disable_api_client(made.client)
    assert made.client.disabled_at == first
    with pytest.raises(WrongClientCredentials):
        client_with_credentials(made.client.client_id, made.secret)


def test_a_client_of_an_inactive_partner_is_refused() -> None:
    made = make_api_client(partner=make_partner(is_active=False))
    with pytest.raises(WrongClientCredentials):
        client_with_credentials(made.client.client_id, made.secret)


@pytest.mark.parametrize("client_id", ["", "nobody", "no\0body", "ünbekannt"])
def test_an_unknown_client_is_refused_like_a_wrong_secret(client_id: str) -> None:
    made = make_api_client()
    with pytest.raises(WrongClientCredentials) as unknown:
        client_with_credentials(client_id, made.secret)
    with pytest.raises(WrongClientCredentials) as wrong:
        client_with_credentials(made.client.client_id, "wrong")
    assert str(unknown.value) == str(wrong.value)


def test_issues_no_scope_that_the_client_lacks() -> None:
    made = make_api_client(scopes=["api:read"])
    with pytest.raises(UnknownScope):
        issue_token(made.client, scopes=["api:write"])
    assert not AccessToken.objects.exists()


def test_issuing_sweeps_expired_tokens_of_the_client_only() -> None:
    mine, other = make_api_client().client, make_api_client().client
    for client in (mine, other):
        issue_token(client, scopes=["api:read"])
    AccessToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    issue_token(mine, scopes=["api:read"])
    assert mine.tokens.count() == 1
    assert other.tokens.count() == 1


def test_the_database_refuses_a_third_slot_and_unknown_scopes() -> None:
    client = make_api_client().client
    with pytest.raises(IntegrityError), transaction.atomic():
        APIClientSecret.objects.create(client=client, slot=3, digest=bytes(32))
    with pytest.raises(IntegrityError), transaction.atomic():
        APIClient.objects.filter(pk=client.pk).update(scopes=["api:admin"])
