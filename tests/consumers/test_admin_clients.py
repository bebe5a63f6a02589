"""API clients on the admin site: made and ended by operations, a secret shown once."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from consumers.models import APIClient, APIClientSecret
from consumers.operations.api_clients import (
    WrongClientCredentials,
    add_client_secret,
    client_with_credentials,
    disable_api_client,
)
from tests.back_office import browser, page_address, superuser_browser, text_of
from tests.builders import make_api_client, make_partner

pytestmark = pytest.mark.django_db

LIST = reverse("admin:consumers_apiclient_changelist")


@pytest.fixture
def admin() -> Client:
    return browser("admin")


def offered(client: Client, row: APIClient) -> set[str]:
    html = client.get(page_address(row)).content.decode()
    return set(re.findall(r"/(add-secret|remove-older-secret|disable)/", html))


def test_nobody_makes_one_by_a_form(admin: Client) -> None:
    form = {"partner": str(make_partner().pk), "name": "Payroll", "scopes": ["api:read"]}
    for client in (admin, superuser_browser()):
        assert client.post(f"{LIST}add/", form).status_code == 403
    assert not APIClient.objects.exists()


def test_another_secret_is_proposed(admin: Client) -> None:
    made = make_api_client()
    assert offered(admin, made.client) == {"add-secret", "disable"}
    answer = admin.post(page_address(made.client, "add-secret"))
    assert answer.headers["Location"].startswith("/admin/settings/propose/api_client_secret/?")
    assert made.client.secrets.count() == 1


def test_the_older_secret_is_removed_by_one_person(admin: Client) -> None:
    made = make_api_client()
    second = add_client_secret(made.client)
    assert offered(admin, made.client) == {"remove-older-secret", "disable"}
    admin.post(page_address(made.client, "remove-older-secret"))
    assert client_with_credentials(made.client.client_id, second) == made.client
    with pytest.raises(WrongClientCredentials):
        client_with_credentials(made.client.client_id, made.secret)


def test_the_only_secret_is_not_removed(admin: Client) -> None:
    made = make_api_client()
    page = admin.post(page_address(made.client, "remove-older-secret"), follow=True)
    assert "Disable the client instead" in text_of(page)
    assert made.client.secrets.count() == 1


def test_disabling_ends_it(admin: Client) -> None:
    made = make_api_client(name="Payroll")
    assert "refused from the next request on" in text_of(
        admin.get(page_address(made.client, "disable"))
    )
    page = admin.post(page_address(made.client, "disable"), follow=True)
    assert "Payroll is disabled." in text_of(page)
    with pytest.raises(WrongClientCredentials):
        client_with_credentials(made.client.client_id, made.secret)
    assert offered(admin, made.client) == set()


@pytest.mark.parametrize("verb", ["remove-older-secret", "disable"])
def test_asking_does_nothing(admin: Client, verb: str) -> None:
    made = make_api_client()
    add_client_secret(made.client)
    before = list(APIClientSecret.objects.values_list("digest", flat=True))
    assert admin.get(page_address(made.client, verb)).status_code == 200
    assert list(APIClientSecret.objects.values_list("digest", flat=True)) == before
    assert APIClient.objects.get().disabled_at is None


@pytest.mark.parametrize("verb", ["add-secret", "remove-older-secret", "disable"])
@pytest.mark.parametrize("role", ["viewer", "maker", "approver", "operations", "auditor"])
def test_only_admins_do_it(role: str, verb: str) -> None:
    made = make_api_client()
    add_client_secret(made.client)
    client = browser(role)
    assert client.get(page_address(made.client, verb)).status_code == 403
    assert client.post(page_address(made.client, verb)).status_code == 403
    assert (made.client.secrets.count(), APIClient.objects.get().disabled_at) == (2, None)


@pytest.mark.parametrize("verb", ["change", "delete"])
def test_nobody_edits_one(verb: str) -> None:
    made = make_api_client(name="Payroll")
    form = {"name": "Other", "client_id": "x", "scopes": ["api:write"], "post": "yes"}
    assert superuser_browser().post(page_address(made.client, verb), form).status_code == 403
    assert APIClient.objects.get().name == "Payroll"


def test_never_shows_a_digest(admin: Client) -> None:
    made = make_api_client()
    digest = bytes(APIClientSecret.objects.get().digest)
    html = admin.get(page_address(made.client)).content.decode()
    assert digest.hex() not in html
    assert repr(digest) not in html


@pytest.mark.parametrize("rows", [1, 4])
def test_asks_a_fixed_number_of_statements(
    admin: Client, rows: int, django_assert_num_queries: Any
) -> None:
    made = [make_api_client().client for _ in range(rows)]
    disable_api_client(made[0])
    # Session, person, permissions (two), two counts, rows; then the session (three).
    with django_assert_num_queries(10):
        admin.get(LIST)
