"""Members of staff and groups: roles are given, never widened."""

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from payouts.staff import ROLES
from tests.back_office import browser, page_address, text_of
from tests.pushes import make_staff

pytestmark = pytest.mark.django_db

USERS = reverse("admin:auth_user_changelist")
GROUPS = reverse("admin:auth_group_changelist")
PASSWORD = "a long enough phrase 1"


@pytest.fixture
def admin() -> Client:
    return browser("admin")


def group(name: str) -> Group:
    return Group.objects.get(name=name)


def test_whoever_is_added_may_sign_in(admin: Client) -> None:
    form = {
        "username": "grace", "usable_password": "true", "password1": PASSWORD,
        "password2": PASSWORD,
    }  # fmt: skip
    assert admin.post(f"{USERS}add/", form).status_code == 302
    grace = User.objects.get(username="grace")
    assert (grace.is_staff, grace.is_superuser) == (True, False)
    assert Client().login(username="grace", password=PASSWORD)


def test_a_short_password_is_refused(admin: Client) -> None:
    form = {"username": "grace", "usable_password": "true", "password1": "x", "password2": "x"}
    assert admin.post(f"{USERS}add/", form).status_code == 200
    assert not User.objects.filter(username="grace").exists()


def test_a_form_gives_roles_and_nothing_else(admin: Client) -> None:
    grace = make_staff("grace")
    form = {
        "username": "grace", "is_active": "on", "groups": [str(group("maker").pk)],
        "is_superuser": "on", "user_permissions": ["1"],
    }  # fmt: skip
    assert admin.post(page_address(grace), form).status_code == 302
    grace.refresh_from_db()
    assert [role.name for role in grace.groups.all()] == ["maker"]
    assert not grace.is_superuser
    assert not grace.user_permissions.exists()


@pytest.mark.parametrize("verb", ["change", "password"])
def test_an_admin_does_not_become_a_superuser_through_one(admin: Client, verb: str) -> None:
    root = User.objects.create_superuser("root", password="never to be changed")
    form = {"username": "root", "password1": PASSWORD, "password2": PASSWORD}
    address = page_address(root, verb)
    assert admin.post(address, {**form, "usable_password": "true"}).status_code == 403
    root.refresh_from_db()
    assert root.check_password("never to be changed")


def test_nobody_is_deleted(admin: Client) -> None:
    grace = make_staff("grace")
    assert admin.post(page_address(grace, "delete"), {"post": "yes"}).status_code == 403


@pytest.mark.parametrize("verb", ["change", "delete"])
@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_a_role_stays_as_the_code_says(admin: Client, role: object, verb: str) -> None:
    target = group(role.name)  # type: ignore[attr-defined]
    before = target.permissions.count()
    form = {"name": "renamed", "permissions": ["1"], "post": "yes"}
    assert admin.post(page_address(target, verb), form).status_code == 403
    target.refresh_from_db()
    assert target.permissions.count() == before


def test_a_new_group_names_people_and_permits_nothing(admin: Client) -> None:
    form = {"name": "treasury", "permissions": ["1", "2"]}
    assert admin.post(f"{GROUPS}add/", form).status_code == 302
    assert not group("treasury").permissions.exists()


def test_groups_are_listed_with_what_they_are_for(admin: Client) -> None:
    make_staff("grace", "approver")
    page = text_of(admin.get(GROUPS))
    assert "approver Decides about pushes of others. 1" in page


@pytest.mark.parametrize("people", [1, 5])
def test_asks_a_fixed_number_of_statements(
    admin: Client, people: int, django_assert_num_queries: object
) -> None:
    for number in range(people):
        make_staff(f"member {number}", "maker", "approver")
    # Session, person, permissions (two), groups of the filter, two counts, rows, their groups;
    # then the session (three).
    with django_assert_num_queries(12):  # type: ignore[operator]
        admin.get(USERS)
