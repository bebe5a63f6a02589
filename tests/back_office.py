"""What tests of the admin pages share: a browser with somebody signed in, and what a page says."""

import re
from typing import Protocol

from django.contrib.auth.models import User
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from tests.pushes import make_staff

LIST = "/admin/payouts/payment/"


def browser(*roles: str, username: str = "somebody") -> Client:
    """A browser in which a new member of staff with these roles is signed in."""
    return browser_of(make_staff(username, *roles))


def browser_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def superuser_browser() -> Client:
    return browser_of(User.objects.create_superuser("root"))


def page_address(row: Model, verb: str = "change") -> str:
    """The address of a row's page, or of one of its verbs."""
    address = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
    return address.removesuffix("change/") + f"{verb}/"


class Page(Protocol):
    """What the test client answers with, whatever the type checker calls it."""

    @property
    def content(self) -> bytes: ...


def text_of(response: Page) -> str:
    """What a person reads on the page, in one line."""
    html = re.sub(r"<(script|style|template).*?</\1>", " ", response.content.decode(), flags=re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())
