"""Lets people in at a running product: each signs in once, and gets a window for each visit."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import Browser

from tests.bench.product import Product
from tests.browser.person import Person, Watch, kept_session, sign_in, window

Enter = Callable[..., Person]


@dataclass(frozen=True)
class Sessions:
    """The cookies of people, who sign in once: a code of the second factor works once."""

    browser: Browser
    product: Product
    kept: dict[str, Any] = field(default_factory=dict)

    def __call__(self, role: str) -> Any:
        if role not in self.kept:
            page = window(self.browser, Watch())
            sign_in(page, self.product, role)
            self.kept[role] = kept_session(page.context)
            page.context.close()
        return self.kept[role]

    def cookies(self, role: str) -> dict[str, str]:
        """The same for whoever asks without a browser."""
        return {one["name"]: one["value"] for one in self(role)["cookies"]}


@contextmanager
def doorway(sessions: Sessions) -> Iterator[Enter]:
    """Let somebody of a role in: `enter("maker")`, with options of the window if they matter.

    Whatever their pages complained about fails the `with` block at its end.
    """
    people: list[Person] = []

    def let_in(role: str, **options: Any) -> Person:
        watch = Watch()
        page = window(sessions.browser, watch, storage_state=sessions(role), **options)
        people.append(Person(role, page, watch, sessions.product))
        return people[-1]

    yield let_in
    for person in people:
        person.page.context.close()
    assert [one for person in people for one in person.watch.complaints] == []
