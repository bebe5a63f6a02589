"""Secrets that a change lets its proposer have: made when fetched, once, kept by nobody."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from consumers.models import APIClient, AuditEntry
from consumers.operations.api_clients import (
    READ,
    client_with_credentials,
    disable_api_client,
)
from payouts.models import ChangeRequest
from payouts.operations.change_kinds import NotAChange
from payouts.operations.change_secrets import NothingToCollect, collect_secret
from tests.builders import make_api_client, make_partner
from tests.changes import GRACE, approve, propose, state_of, two_admins
from tests.owner import triggers_asleep
from tests.pushes import make_staff

pytestmark = pytest.mark.django_db

PAYROLL = {"name": "Payroll", "scopes": [READ]}


@pytest.fixture
def people() -> tuple[User, User]:
    return two_admins()


def new_client(by: User) -> ChangeRequest:
    return propose("api_client", PAYROLL, by=by, partner_id=make_partner().pk)


def test_a_client_is_made_without_a_secret(people: tuple[User, User]) -> None:
    approve(new_client(people[0]), people[1])
    made = APIClient.objects.get()
    assert (made.name, made.scopes, made.secrets.count()) == ("Payroll", [READ], 0)


def test_its_proposer_fetches_the_secret_once(people: tuple[User, User]) -> None:
    change = approve(new_client(people[0]), people[1])
    fetched = collect_secret(change.pk, by=people[0])
    assert client_with_credentials(fetched.opens, fetched.secret) == APIClient.objects.get()
    assert fetched.secret not in repr(fetched)
    with pytest.raises(NothingToCollect):
        collect_secret(change.pk, by=people[0])
    assert APIClient.objects.get().secrets.count() == 1
    kept = str(list(ChangeRequest.objects.values())) + str(list(AuditEntry.objects.values()))
    assert fetched.secret not in kept
    assert AuditEntry.objects.filter(verb="collect", result="done").count() == 1


def test_nobody_else_fetches_it(people: tuple[User, User]) -> None:
    change = approve(new_client(people[0]), people[1])
    for person in (people[1], User.objects.create_superuser("root")):
        with pytest.raises(NothingToCollect):
            collect_secret(change.pk, by=person)
    assert APIClient.objects.get().secrets.count() == 0


def test_there_is_none_before_somebody_said_yes(people: tuple[User, User]) -> None:
    change = new_client(people[0])
    with pytest.raises(NothingToCollect):
        collect_secret(change.pk, by=people[0])
    assert not APIClient.objects.exists()


def test_there_is_none_after_three_days(people: tuple[User, User]) -> None:
    change = approve(new_client(people[0]), people[1])
    with triggers_asleep():
        ChangeRequest.objects.update(decided_at=timezone.now() - timedelta(days=3))
    with pytest.raises(NothingToCollect):
        collect_secret(change.pk, by=people[0])
    assert APIClient.objects.get().secrets.count() == 0


def another_secret(client: APIClient, *, by: User) -> Any:
    return propose(
        "api_client_secret", {}, by=by, partner_id=client.partner_id, subject=str(client.pk)
    )


def test_a_second_secret_leaves_the_first_one_good(people: tuple[User, User]) -> None:
    made = make_api_client()
    change = approve(another_secret(made.client, by=people[0]), people[1])
    fetched = collect_secret(change.pk, by=people[0])
    for secret in (made.secret, fetched.secret):
        assert client_with_credentials(made.client.client_id, secret) == made.client
    with pytest.raises(NotAChange):
        another_secret(made.client, by=people[0])


def test_a_client_that_was_disabled_meanwhile_gets_none(people: tuple[User, User]) -> None:
    made = make_api_client()
    change = approve(another_secret(made.client, by=people[0]), people[1])
    disable_api_client(made.client)
    with pytest.raises(NothingToCollect):
        collect_secret(change.pk, by=people[0])
    assert made.client.secrets.count() == 1
    with pytest.raises(NotAChange):
        another_secret(made.client, by=people[0])


def test_a_new_member_comes_in_with_a_password_that_is_shown_once(
    people: tuple[User, User],
) -> None:
    change = approve(propose("staff_member", GRACE, by=people[0]), people[1])
    grace = User.objects.get(username="grace")
    assert not grace.has_usable_password()
    assert (grace.is_staff, grace.is_superuser) == (True, False)
    assert list(grace.groups.values_list("name", flat=True)) == ["maker"]
    fetched = collect_secret(change.pk, by=people[0])
    assert (fetched.opens, len(fetched.secret) >= 15) == ("grace", True)
    assert Client().login(username="grace", password=fetched.secret)


def test_new_roles_come_without_a_password(people: tuple[User, User]) -> None:
    grace = make_staff("grace", "maker")
    after = {**GRACE, "groups": ["maker", "viewer"]}
    change = propose("staff_member", after, by=people[0], subject=str(grace.pk))
    approve(change, people[1])
    assert grace.groups.count() == 2
    with pytest.raises(NothingToCollect):
        collect_secret(change.pk, by=people[0])


def test_a_new_password_takes_two_people(people: tuple[User, User]) -> None:
    grace = make_staff("grace", "approver")
    grace.set_password("the password before")
    grace.save()
    change = propose("staff_password", {}, by=people[0], subject=str(grace.pk))
    approve(change, people[1])
    assert Client().login(username="grace", password="the password before")
    fetched = collect_secret(change.pk, by=people[0])
    assert not Client().login(username="grace", password="the password before")
    assert Client().login(username="grace", password=fetched.secret)


@pytest.mark.parametrize("kind", ["staff_member", "staff_password"])
def test_an_admin_proposes_nothing_about_a_superuser(kind: str, people: tuple[User, User]) -> None:
    root = User.objects.create_superuser("root")
    after = {**GRACE, "username": "root"} if kind == "staff_member" else {}
    with pytest.raises(NotAChange):
        propose(kind, after, by=people[0], subject=str(root.pk))
    assert not ChangeRequest.objects.exists()


class TestTheFirstAdmin:
    def test_takes_on_the_second_one_alone(self) -> None:
        root = User.objects.create_superuser("root")
        change = propose("staff_member", {**GRACE, "groups": ["admin"]}, by=root)
        assert (state_of(change), change.is_alone, change.decided_by) == ("applied", True, None)
        grace = User.objects.get(username="grace")
        assert grace.has_perm("payouts.decide_changerequest")
        assert collect_secret(change.pk, by=root).opens == "grace"

    def test_is_alone_with_nothing_else(self) -> None:
        root = User.objects.create_superuser("root")
        assert state_of(new_client(root)) == "proposed"

    def test_does_not_become_alone_by_switching_the_other_one_off(self) -> None:
        ada, bea = two_admins()
        User.objects.filter(pk=bea.pk).update(is_active=False)
        assert state_of(propose("staff_member", GRACE, by=ada)) == "proposed"
        assert not User.objects.filter(username="grace").exists()
