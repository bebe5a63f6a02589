import pytest

from consumers.ids import new_id
from consumers.models import APIClient, APIClientSecret
from consumers.operations.api_clients import client_with_credentials
from tests.builders import make_partner
from tests.payouts.commands.running import refusal, run, run_json

pytestmark = pytest.mark.django_db


def test_makes_a_client_that_can_sign_in() -> None:
    partner = make_partner(name="Payroll")
    printed = run_json("createapiclient", "Payroll", "--scope", "api:write")
    client = client_with_credentials(printed["client_id"], printed["client_secret"])
    assert (client.partner, client.scopes) == (partner, ["api:write"])
    assert printed["partner_id"] == str(partner.pk)
    assert printed["scopes"] == ["api:write"]


def test_finds_the_partner_by_its_id() -> None:
    partner = make_partner()
    assert run_json("createapiclient", str(partner.pk))["partner_id"] == str(partner.pk)


def test_finds_a_partner_whose_name_looks_like_an_id() -> None:
    partner = make_partner(name=str(new_id()))
    assert run_json("createapiclient", partner.name)["partner_id"] == str(partner.pk)


def test_gives_several_scopes_and_a_name() -> None:
    make_partner(name="Payroll")
    options = ("--scope", "api:write", "--scope", "api:read", "--name", "Nightly job")
    printed = run_json("createapiclient", "Payroll", *options)
    assert (printed["scopes"], printed["name"]) == (["api:read", "api:write"], "Nightly job")


def test_gives_all_scopes_when_none_is_named() -> None:
    make_partner(name="Payroll")
    assert run_json("createapiclient", "Payroll")["scopes"] == ["api:read", "api:write"]


def test_shows_the_secret_to_people_too() -> None:
    make_partner(name="Payroll")
    words = run("createapiclient", "Payroll").split()
    client_id = next(word for word in words if word.startswith("client_") and len(word) > 20)
    secret = next(word for word in words if word.startswith("secret_"))
    assert client_with_credentials(client_id, secret)


def test_refuses_a_scope_that_does_not_exist() -> None:
    make_partner(name="Payroll")
    assert "api:read and api:write" in refusal("createapiclient", "Payroll", "--scope", "admin")
    assert not APIClient.objects.exists()
    assert not APIClientSecret.objects.exists()


@pytest.mark.parametrize("word", ["Nobody", "", "\x00", "\udcff", str(new_id())])
def test_refuses_a_partner_that_does_not_exist(word: str) -> None:
    make_partner(name="Payroll")
    assert refusal("createapiclient", word).startswith("There is no partner")
    assert not APIClient.objects.exists()


@pytest.mark.parametrize("name", [" ", "x" * 121, "a\x00b"])
def test_refuses_what_is_no_name(name: str) -> None:
    make_partner(name="Payroll")
    assert "1 to 120 characters" in refusal("createapiclient", "Payroll", "--name", name)
    assert not APIClient.objects.exists()
