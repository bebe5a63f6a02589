"""What tests of the admin pages share: a browser with somebody signed in, and what a page says."""

import re
from types import SimpleNamespace
from typing import Any, Protocol

from allauth.account.internal.flows.login import record_authentication
from django.apps import apps
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from tests.pushes import make_staff

LIST = "/admin/payouts/payment/"


def browser(*roles: str, username: str = "somebody") -> Client:
    """A browser in which a new member of staff with these roles is signed in."""
    return browser_of(make_staff(username, *roles))


def browser_of(user: User, *, client: Client | None = None) -> Client:
    """A browser in which this person is signed in, second factor and all, just now."""
    client = client or Client()
    # Asked once in a process: whichever test came first would count one statement more.
    ContentType.objects.get_for_models(*apps.get_models())
    client.force_login(user)
    show_second_factor(client, user)
    return client


def show_second_factor(client: Client, user: User, **shown: Any) -> None:
    """Let the session of a browser say that its person has shown a second factor just now."""
    session = client.session
    request: Any = SimpleNamespace(session=session)
    record_authentication(request, user, **{"method": "mfa", "type": "totp", **shown})
    session.save()


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
