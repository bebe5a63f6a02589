"""API clients on the admin site: made and ended by operations, a secret shown once."""

import re
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from consumers.models import APIClient, APIClientSecret
from consumers.operations.api_clients import (
    WrongClientCredentials,
    add_client_secret,
    client_with_credentials,
    disable_api_client,
)
from payouts.models import StaffSession
from tests.back_office import Page, browser, page_address, superuser_browser, text_of
from tests.builders import make_api_client, make_partner

pytestmark = pytest.mark.django_db

LIST = reverse("admin:consumers_apiclient_changelist")


@pytest.fixture
def admin() -> Client:
    return browser("admin")


def secret_on(page: Page) -> str:
    found = re.search(r"secret_[\w-]{43}", page.content.decode())
    assert found is not None
    return found[0]


def offered(client: Client, row: APIClient) -> set[str]:
    html = client.get(page_address(row)).content.decode()
    return set(re.findall(r"/(add-secret|remove-older-secret|disable)/", html))


def new_client_form(**changes: Any) -> dict[str, Any]:
    partner = str(make_partner().pk)
    return {"partner": partner, "name": "Payroll", "scopes": ["api:read"], **changes}


def test_making_one_shows_its_secret(admin: Client) -> None:
    page = admin.post(f"{LIST}add/", new_client_form())
    made = APIClient.objects.get()
    assert (made.name, made.scopes) == ("Payroll", ["api:read"])
    assert made.client_id in text_of(page)
    assert client_with_credentials(made.client_id, secret_on(page)) == made
    assert "no-store" in page.headers["Cache-Control"]


def test_a_secret_is_nowhere_afterwards(admin: Client) -> None:
    page = admin.post(f"{LIST}add/", new_client_form())
    secret, made = secret_on(page), APIClient.objects.get()
    kept = str(page.cookies) + str(
        [session.get_decoded() for session in StaffSession.objects.all()]
    )
    kept += str(list(LogEntry.objects.values()))
    kept += admin.get(page_address(made)).content.decode() + admin.get(LIST).content.decode()
    assert secret not in kept


@pytest.mark.parametrize("changes", [{"scopes": []}, {"scopes": ["api:all"]}, {"name": ""}])
def test_a_form_that_makes_no_sense_makes_no_client(admin: Client, changes: dict[str, Any]) -> None:
    assert admin.post(f"{LIST}add/", new_client_form(**changes)).status_code == 200
    assert not APIClient.objects.exists()


def test_a_second_secret_lets_the_partner_change_over(admin: Client) -> None:
    made = make_api_client()
    assert offered(admin, made.client) == {"add-secret", "disable"}
    assert "shown once" in text_of(admin.get(page_address(made.client, "add-secret")))
    second = secret_on(admin.post(page_address(made.client, "add-secret")))
    assert offered(admin, made.client) == {"remove-older-secret", "disable"}
    admin.post(page_address(made.client, "remove-older-secret"))
    assert client_with_credentials(made.client.client_id, second) == made.client
    with pytest.raises(WrongClientCredentials):
        client_with_credentials(made.client.client_id, made.secret)


def test_a_third_secret_is_refused(admin: Client) -> None:
    made = make_api_client()
    add_client_secret(made.client)
    page = admin.post(page_address(made.client, "add-secret"), follow=True)
    assert "Remove one of the two secrets first." in text_of(page)
    assert made.client.secrets.count() == 2


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


@pytest.mark.parametrize("verb", ["add-secret", "remove-older-secret", "disable"])
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
