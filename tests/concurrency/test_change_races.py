"""Two people decide about the same change, or one change twice, at the same instant."""

from decimal import Decimal
from functools import partial

import pytest

from consumers.models import APIClient
from consumers.operations.api_clients import READ
from payouts.models import ChangeRequest, Journal, Limit
from payouts.operations.change_secrets import NothingToCollect, collect_secret
from payouts.operations.changes import ChangeDecisionRefused, ChangeNotWaiting, withdraw_change
from tests.books import assert_books_are_right, available
from tests.builders import make_partner
from tests.changes import approve, fund, propose, reject, set_limit, state_of, two_admins
from tests.pushes import make_staff
from tests.racing import race, race_mixed, raised, returned

pytestmark = pytest.mark.django_db(transaction=True)


def test_two_who_approve_at_once_apply_it_once() -> None:
    ada, bea = two_admins()
    carla, partner = make_staff("carla", "approver"), make_partner()
    for number in range(5):
        change = fund(partner, by=ada, reference=f"W-{number}")
        ends = race([partial(approve, change, bea), partial(approve, change, carla)])
        assert raised(ends, ChangeNotWaiting) == 1
    assert available(partner) == Decimal("1250.00")
    assert Journal.objects.count() == 5
    assert_books_are_right()


def test_one_person_s_two_clicks_apply_it_once() -> None:
    ada, bea = two_admins()
    change = fund(make_partner(), by=ada)
    ends = race([partial(approve, change, bea)] * 3)
    assert raised(ends, ChangeNotWaiting) == 2
    assert Journal.objects.count() == 1


def test_a_yes_a_no_and_a_withdrawal_end_in_one_of_them() -> None:
    ada, bea = two_admins()
    carla = make_staff("carla", "approver")
    for number in range(5):
        partner = make_partner()
        change = fund(partner, by=ada, reference=f"W-{number}")
        no = partial(reject, change, carla)
        ends = race_mixed(
            partial(approve, change, bea), no, partial(withdraw_change, change.pk, by=ada)
        )
        assert raised(ends, ChangeNotWaiting) == 2
        was_applied = state_of(change) == "applied"
        assert available(partner) == (Decimal("250.00") if was_applied else 0)


def test_two_changes_of_one_limit_do_not_overwrite_each_other() -> None:
    ada, bea = two_admins()
    carla, partner = make_staff("carla", "approver"), make_partner()
    high = set_limit(partner, by=ada, max_amount=Decimal(900))
    low = set_limit(partner, by=ada, max_amount=Decimal(100))
    ends = race([partial(approve, high, bea), partial(approve, low, carla)])
    assert raised(ends, ChangeDecisionRefused) == 1
    (applied,) = ChangeRequest.objects.filter(state="applied")
    assert str(Limit.objects.get().max_amount) == applied.after["max_amount"]


def test_a_second_click_proposes_nothing_a_second_time() -> None:
    ada, _ = two_admins()
    partner = make_partner()
    limit = partial(set_limit, partner, by=ada, max_amount=Decimal(900))
    assert len(set(returned(race([limit] * 4)))) == 1
    assert ChangeRequest.objects.count() == 1


def test_a_secret_is_fetched_once() -> None:
    ada, bea = two_admins()
    payroll = {"name": "Payroll", "scopes": [READ]}
    change = approve(propose("api_client", payroll, by=ada, partner_id=make_partner().pk), bea)
    ends = race([partial(collect_secret, change.pk, by=ada)] * 3)
    assert raised(ends, NothingToCollect) == 2
    assert APIClient.objects.get().secrets.count() == 1
