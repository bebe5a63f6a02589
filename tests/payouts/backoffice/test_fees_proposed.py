"""Fees are proposed as a percentage or in basis points, and the form says what they would cost."""

from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from consumers.models import Partner
from payouts.backoffice.fields import ShareField
from payouts.models import ChangeRequest, FeeSchedule
from tests.back_office import browser, text_of
from tests.builders import make_partner

TYPED = {"fixed": "0.50", "basis_points": "1.25 %", "minimum": "0", "maximum": ""}


@pytest.mark.parametrize(
    ("typed", "points"),
    [
        ("1.25 %", 125), ("1.25%", 125), ("125 bp", 125), ("125bps", 125), ("0.01 percent", 1),
        ("1 basis point", 1), (" 2.50 % ", 250), ("100 %", 10_000), ("0", 0), ("0 %", 0),
    ],
)  # fmt: skip
def test_reads_shares_as_people_write_them(typed: str, points: int) -> None:
    assert ShareField().clean(typed) == points


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("25", "ambiguous"), ("0.25", "ambiguous"), ("1.255 %", "too_fine"), ("0.5 bp", "too_fine"),
        ("100.01 %", "too_large"), ("10001 bp", "too_large"), ("1,25 %", "invalid"),
        ("-1 %", "invalid"), ("much", "invalid"), ("", "required"),
    ],
)  # fmt: skip
def test_takes_no_share_that_could_be_read_otherwise(typed: str, code: str) -> None:
    with pytest.raises(ValidationError) as refused:
        ShareField().clean(typed)
    assert refused.value.code == code


@pytest.fixture
def partner() -> Partner:
    partner = make_partner(name="Northwind")
    FeeSchedule.objects.create(partner=partner, fixed=Decimal("0.25"), basis_points=20)
    return partner


def trial_of(partner: Partner, **typed: str) -> str:
    admin = browser("admin")
    address = reverse("backoffice:fee_trial", args=[partner.pk])
    return text_of(admin.get(address, {**TYPED, **typed}))


@pytest.mark.django_db
def test_says_what_the_typed_fees_would_cost(partner: Partner) -> None:
    text = trial_of(partner)
    assert "Today $0.25 + 0.20 % As typed $0.50 + 1.25 % Share 1.25 % (125 basis points)" in text
    assert "$250.00 $0.75 $3.63" in text


@pytest.mark.django_db
@pytest.mark.parametrize("typed", [{"basis_points": "25"}, {"fixed": ""}, {"minimum": "x"}])
def test_says_nothing_about_what_it_does_not_understand(
    partner: Partner, typed: dict[str, str]
) -> None:
    text = trial_of(partner, **typed)
    assert "As typed Complete the form" in text
    assert "$250.00 $0.75 -" in text


@pytest.mark.django_db
def test_the_form_begins_with_the_share_of_today(partner: Partner) -> None:
    address = reverse("backoffice:propose", args=["fee_schedule"], query={"partner": partner.pk})
    page: Any = browser("admin").get(address)
    assert page.context["form"]["basis_points"].value() == "0.20 %"
    assert "Begins (UTC)" in text_of(page)
    assert "$250.00 $0.75 -" in text_of(page)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"minimum": "30", "maximum": "25"}, "Must not be below what is charged at least."),
        ({"fixed": "1e5"}, "Write dollars and cents, like 1250.00."),
        ({"fixed": "2,5"}, "Write dollars and cents, like 1250.00."),
    ],
)
def test_says_what_is_wrong_with_fees_in_words(
    partner: Partner, typed: dict[str, str], said: str
) -> None:
    address = reverse("backoffice:propose", args=["fee_schedule"], query={"partner": partner.pk})
    form = {**TYPED, "valid_from": "", "reason": "The new contract", **typed}
    text = text_of(browser("admin").post(address, form))
    assert said in text
    assert "Constraint" not in text
    assert not ChangeRequest.objects.exists()
