import pytest

from consumers.models import Partner
from payouts.models import Account
from payouts.queries import Balance, partner_balance
from tests.builders import make_partner
from tests.payouts.commands.running import refusal, run, run_json

pytestmark = pytest.mark.django_db


def test_makes_a_partner_with_empty_accounts() -> None:
    printed = run_json("createpartner", "Payroll & Co")
    partner = Partner.objects.get(pk=printed["partner_id"])
    assert printed == {"partner_id": str(partner.pk), "name": "Payroll & Co"}
    assert partner_balance(partner.pk) == Balance(0, 0)  # type: ignore[arg-type]
    assert {account.kind for account in partner.accounts.all()} == {"available", "held"}


def test_says_it_in_a_sentence() -> None:
    partner_id = run("createpartner", "Payroll").split()[-1].rstrip(".")
    assert Partner.objects.get(pk=partner_id).name == "Payroll"


def test_takes_blanks_from_around_the_name() -> None:
    assert run_json("createpartner", " Payroll ")["name"] == "Payroll"


def test_refuses_a_name_that_is_taken() -> None:
    make_partner(name="Payroll")
    accounts = Account.objects.count()
    assert refusal("createpartner", "Payroll") == "There is a partner named 'Payroll' already."
    assert (Partner.objects.count(), Account.objects.count()) == (1, accounts)


@pytest.mark.parametrize("name", ["", "  ", "x" * 121, "a\x00b", "a\nb", "\udcff"])
def test_refuses_what_is_no_name(name: str) -> None:
    assert "cannot be a partner's name" in refusal("createpartner", name)
    assert not Partner.objects.exists()


def test_names_everything_that_is_wrong() -> None:
    told = refusal("createpartner", "\x00" * 121)
    assert "cannot be printed" in told
    assert "at most 120 characters" in told
