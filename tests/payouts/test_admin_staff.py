"""Members of staff and groups: roles are given, never widened."""

import re

import pytest
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from consumers.audit import subject_of
from consumers.models import AuditEntry
from payouts.operations.count_tries import (
    LockedOut,
    count_try,
    factor_key,
    lock_if_last,
    password_key,
)
from payouts.operations.second_factors import unlock
from payouts.staff import ROLES
from tests.back_office import browser, browser_of, page_address, superuser_browser, text_of
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


@pytest.mark.parametrize("role", ["admin", "superuser"])
def test_nobody_changes_somebody_by_a_form(role: str) -> None:
    client = superuser_browser() if role == "superuser" else browser(role)
    grace = make_staff("grace")
    form = {
        "username": "grace", "is_active": "on", "groups": [str(group("admin").pk)],
        "is_superuser": "on", "password1": PASSWORD, "password2": PASSWORD,
    }  # fmt: skip
    assert client.post(page_address(grace), form).status_code == 403
    # There is no such page: the admin site takes the address for a row's key.
    client.post(page_address(grace, "password"), form, follow=True)
    assert client.post(f"{USERS}add/", {**form, "username": "eve"}).status_code == 403
    grace.refresh_from_db()
    assert (grace.is_superuser, grace.groups.count()) == (False, 0)
    assert not grace.check_password(PASSWORD)
    assert not User.objects.filter(username="eve").exists()


def offered(client: Client, user: User) -> set[str]:
    html = client.get(page_address(user)).content.decode()
    return set(re.findall(r"/(propose-change|propose-password|switch-off)/", html))


def test_a_member_s_page_offers_what_can_be_done(admin: Client) -> None:
    grace, root = make_staff("grace"), User.objects.create_superuser("root")
    assert offered(admin, grace) == {"propose-change", "propose-password", "switch-off"}
    assert offered(admin, root) == set()
    assert offered(admin, User.objects.get(username="somebody")) == {"propose-change"}
    for verb, kind in (("propose-change", "staff_member"), ("propose-password", "staff_password")):
        answer = admin.get(page_address(grace, verb))
        address = f"/admin/settings/propose/{kind}/?subject={grace.pk}"
        assert answer.headers["Location"] == address


def test_one_admin_switches_somebody_off(admin: Client) -> None:
    grace = make_staff("grace", "maker")
    theirs = browser_of(grace)
    assert "Why" not in text_of(admin.post(page_address(grace, "switch-off"), {"reason": ""}))
    assert User.objects.get(pk=grace.pk).is_active
    admin.post(page_address(grace, "switch-off"), {"reason": "Lost the laptop"})
    assert not User.objects.get(pk=grace.pk).is_active
    assert theirs.get("/admin/").status_code == 302
    entry = AuditEntry.objects.get(verb="disable")
    assert (entry.actor, entry.subject_id, entry.reason) == (
        "staff:somebody", str(grace.pk), "Lost the laptop",
    )  # fmt: skip


def test_nobody_switches_themselves_or_a_superuser_off(admin: Client) -> None:
    myself, root = User.objects.get(username="somebody"), User.objects.create_superuser("root")
    for person in (myself, root):
        admin.post(page_address(person, "switch-off"), {"reason": "Because"})
        assert User.objects.get(pk=person.pk).is_active
    assert AuditEntry.objects.filter(verb="disable", result="refused").count() == 2


@pytest.mark.parametrize("role", ["viewer", "maker", "approver", "operations", "auditor"])
def test_only_admins_switch_off(role: str) -> None:
    grace = make_staff("grace")
    answer = browser(role).post(page_address(grace, "switch-off"), {"reason": "Because"})
    assert answer.status_code == 403
    assert User.objects.get(pk=grace.pk).is_active


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
    assert "approver Decides about pushes of others, and about changes" in page


@pytest.mark.parametrize("key", ["password", "second factor"])
def test_says_who_is_locked_after_wrong_tries(admin: Client, key: str) -> None:
    grace = make_staff("grace", "maker")
    keys = {"password": password_key("Grace"), "second factor": factor_key(grace.pk)}
    for _ in range(settings.SIGN_IN_TRIES):
        count_try(keys[key], subject=subject_of(grace))
    page = text_of(admin.get(USERS))
    assert "locked after wrong tries" not in page
    with pytest.raises(LockedOut):
        lock_if_last(keys[key], subject=subject_of(grace))
    for address in (USERS, page_address(grace)):
        assert "locked after wrong tries until" in text_of(admin.get(address))
    unlock(grace, reason="It is her")
    assert "locked" not in text_of(admin.get(USERS))


@pytest.mark.parametrize("people", [1, 5])
def test_asks_a_fixed_number_of_statements(
    admin: Client, people: int, django_assert_num_queries: object
) -> None:
    for number in range(people):
        make_staff(f"member {number}", "maker", "approver")
    # Session, person, permissions (two), groups of the filter, two counts, rows, their groups,
    # their locks; then the session (three).
    with django_assert_num_queries(13):  # type: ignore[operator]
        admin.get(USERS)


@pytest.mark.parametrize("query", ["jose", "García", "GARCIA jo", "jg", "jose@exam"])
def test_finds_people_whatever_accents_are_typed(query: str, admin: Client) -> None:
    make_staff("grace")
    make_staff("jg7")
    who = {"first_name": "José", "last_name": "García", "email": "jose@example.com"}
    User.objects.filter(username="jg7").update(**who)
    found = admin.get(USERS, {"q": query}).context["cl"].result_list
    assert [person.username for person in found] == ["jg7"]


def test_finds_everybody_without_a_word(admin: Client) -> None:
    assert len(admin.get(USERS, {"q": " "}).context["cl"].result_list) == 1
    assert list(admin.get(USERS, {"q": "<>"}).context["cl"].result_list) == []
