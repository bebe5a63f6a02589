"""The staff's groups: one table, and rows that follow from it."""

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission, User
from django.db import models

from payouts import staff
from payouts.staff import ROLES, Role, ensure_groups
from tests.owner import owning

pytestmark = pytest.mark.django_db

MONEY = ("payment", "attempt", "event", "decision", "account", "journal", "posting")


def make_member(role: Role) -> User:
    user = User.objects.create_user(f"{role.name}.member", is_staff=True)
    user.groups.add(Group.objects.get(name=role.name))
    return user


def granted(name: str) -> set[str]:
    rows = Permission.objects.filter(group__name=name).select_related("content_type")
    return {f"{row.content_type.app_label}.{row.codename}" for row in rows}


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_migrations_alone_give_a_group_what_its_role_says(role: Role) -> None:
    assert granted(role.name) == role.permissions


def test_takes_away_what_was_added_by_hand() -> None:
    viewer = Group.objects.get(name="viewer")
    with owning():
        viewer.permissions.add(Permission.objects.get(codename="approve_payment"))
        ensure_groups()
    assert "payouts.approve_payment" not in granted("viewer")


def test_a_second_run_makes_no_rows() -> None:
    before = (Group.objects.count(), Permission.objects.count())
    ensure_groups()
    assert (Group.objects.count(), Permission.objects.count()) == before


def test_leaves_other_groups_alone() -> None:
    treasury = Group.objects.create(name="treasury")
    with owning():
        treasury.permissions.add(Permission.objects.get(codename="view_payment"))
        ensure_groups()
    assert granted("treasury") == {"payouts.view_payment"}


def test_names_only_models_that_exist() -> None:
    for role in ROLES:
        for permission in role.permissions - set(staff.VERBS):
            app_label, codename = permission.split(".")
            model = apps.get_model(app_label, codename.partition("_")[2])
            assert issubclass(model, models.Model)


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_no_role_may_write_money_rows(role: Role) -> None:
    written = {f"payouts.{verb}_{name}" for verb in ("add", "change", "delete") for name in MONEY}
    assert not role.permissions & written


def test_only_the_approver_decides() -> None:
    deciders = {role.name for role in ROLES if staff.APPROVE_PAYMENT in role.permissions}
    assert deciders == {"approver"}


def test_the_auditor_only_reads() -> None:
    reading = {one for one in staff.AUDITOR.permissions if ".view_" in one}
    beside = staff.AUDITOR.permissions - reading
    assert beside == {staff.REVEAL_CONSUMER, staff.EXPORT_PAYMENT, staff.REVEAL_EVIDENCE}


def test_permissions_reach_the_member() -> None:
    assert make_member(staff.MAKER).has_perm(staff.CANCEL_PAYMENT)
    assert not make_member(staff.VIEWER).has_perm(staff.CANCEL_PAYMENT)
