"""Takes pictures of every page as every role: `make screenshots`; `--help` says how to take fewer.

A product of its own is started, stocked and filled with a month of made-up pushes; nothing that is
shown is anybody's. Each page is loaded once and pictured in four ways: wide and narrow, light and
dark.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import django
import httpx
from PIL import Image
from playwright.sync_api import Page

from tests.bench.product import ROOT, Product, environment
from tests.browser import chromium
from tests.browser.doorway import Sessions, doorway
from tests.browser.pages import LEDGER, PAGES, ROLES, PageOf
from tests.browser.person import DESKTOP, PHONE, Person
from tests.browser.stock import Caller, stock

INTO: Final = ROOT / "var" / "screenshots"
DOCS: Final = ROOT / "docs" / "images"
PUSHES: Final = 6_000
SILENCE_MS: Final = 3_600_000
SIZES: Final = (("1440", DESKTOP), ("390", PHONE))
THEMES: Final = ("light", "dark")
# Longer than any list of ours; a taller picture would show nothing new.
TALLEST: Final = 4_000
COLORS: Final = 128


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture that the docs show: of which page, as whom, how."""

    file: str
    page: str
    role: str
    theme: str = "light"
    size: str = "1440"


FOR_DOCS: Final = (
    Shown("home", "home", "operations"),
    Shown("issue", "issue quoted", "maker"),
    Shown("approvals", "approvals", "approver"),
    Shown("pushes", "pushes", "operations"),
    Shown("push", "push", "operations"),
    Shown("push-phone-dark", "push", "operations", "dark", "390"),
    Shown("in-doubt", "in doubt", "operations"),
    Shown("partner", "partner tester", "admin"),
)


# What there is once a network's file and a bank's statement have come that differ from our books.
RECONCILED: Final = (
    PageOf("settlement", "backoffice:settlement", LEDGER, ("settlement",)),
    PageOf("statement", "backoffice:statement", LEDGER, ("statement",)),
    PageOf("case", "backoffice:case", LEDGER, ("case",)),
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which pictures; empty means all."""

    roles: tuple[str, ...]
    pages: tuple[str, ...]
    into: Path

    def of(self, role: str) -> Iterator[PageOf]:
        for one in (*PAGES, *RECONCILED):
            if role in one.roles and any(part in one.name for part in self.pages or ("",)):
                yield one


def main() -> None:
    arguments = _arguments()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    wanted = Wanted(tuple(arguments.role), tuple(arguments.page), arguments.into)
    if not (wanted.roles or wanted.pages):
        shutil.rmtree(wanted.into, ignore_errors=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        Product.started(Path(folder)) as product,
        chromium.started() as browser,
    ):
        sessions = Sessions(browser, product)
        with doorway(sessions) as let_in:
            blanks = stock(product, let_in)
        # After it: with one partner nobody is asked which.
        _fill(product)
        blanks |= _reconcile(product)
        _leave_in_doubt(product)
        for role in wanted.roles or ROLES:
            # Some pages open only to whoever has shown a second factor just now.
            sessions.kept.pop(role, None)
            with doorway(sessions) as let_in:
                _take_all(wanted, let_in(role), blanks)
    sys.stderr.write(f"\nThe pictures are in {wanted.into}.\n")
    if arguments.docs:
        for shown in FOR_DOCS:
            _show_in_docs(shown, wanted.into)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--role", action="append", default=[], choices=ROLES, help="only these")
    parser.add_argument("--page", action="append", default=[], help="only names with this in them")
    parser.add_argument("--into", type=Path, default=INTO, help="the folder (%(default)s)")
    parser.add_argument("--docs", action="store_true", help="also make those that the docs show")
    return parser.parse_args()


def _fill(product: Product) -> None:
    _managed(product, "seed_payments", str(PUSHES))


def _managed(product: Product, *command: str) -> str:
    """Run a command of the product and return what it prints."""
    done = subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=ROOT, env=environment(product.folder), check=True, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    return done.stdout


def _reconcile(product: Product) -> dict[str, str]:
    """Bring the settlement of the last hour and the statement about it, each with differences.

    Few pushes: the others shall be seen in lists too.
    """
    begin = f"{datetime.now(UTC) - timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"
    with Caller(product) as api:
        for cents in range(10, 16):
            api.push(f"{cents + 30}.{cents}", wait=10)
    until = _settled_until(product, begin)
    asked = {"from": begin, "until": until, "plant": _PLANTED, "each": "1"}
    settlement = _imported(product, "settlement", asked)
    statement = _imported(product, "statement", {**asked, "bank": "amount_differs,stranger"})
    case = _managed(product, "shell", "-v", "0", "-c", _SOME_CASE).strip()
    return {"settlement": settlement, "statement": statement, "case": case}


def _settled_until(product: Product, begin: str) -> str:
    """Wait until the network settles the pushes, and return up to when its file goes."""
    for _ in range(120):
        answer = httpx.get(f"{product.sandbox}/settlement", params={"from": begin}, trust_env=False)
        header, *lines = answer.raise_for_status().text.splitlines()
        if sum(line.startswith("D,") for line in lines) > len(_PLANTED.split(",")):
            return header.split(",")[7]
        time.sleep(0.5)
    raise TimeoutError("The network settles nothing.")


_PLANTED: Final = "amount_differs,return_differs,missing_here,returned"
# One about a push, if any is.
_SOME_CASE: Final = """
from payouts.models import Case
print(Case.objects.order_by("payment_id", "pk").first().pk)
"""


def _imported(product: Product, what: str, asked: Mapping[str, str]) -> str:
    answer = httpx.get(f"{product.sandbox}/{what}", params=asked, trust_env=False)
    file = product.folder / f"{what}-{asked['until'][:10]}.txt"
    file.write_bytes(answer.raise_for_status().content)
    told = json.loads(_managed(product, f"import_{what}", str(file), "--json").splitlines()[-1])
    return str(told["file"])


def _leave_in_doubt(product: Product) -> None:
    """Some pushes whose answers are lost, and a network that says nothing about them."""
    with Caller(product) as api:
        for amount in ("1200.16", "1200.15", "1200.04"):
            api.push(amount, wait=2)
    httpx.post(f"{product.sandbox}/control", json={"refuse_ms": SILENCE_MS}).raise_for_status()


def _take_all(wanted: Wanted, person: Person, blanks: Mapping[str, str]) -> None:
    for one in wanted.of(person.role):
        page = person.goes_to(one.path(blanks))
        page.wait_for_load_state("networkidle")
        _take(page, wanted.into / person.role / one.name.replace(" ", "-"))
        sys.stderr.write(".")
        sys.stderr.flush()


def _take(page: Page, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    for theme in THEMES:
        page.evaluate(f"document.documentElement.classList.toggle('dark', {theme == 'dark':d})")
        for width, size in SIZES:
            page.set_viewport_size(size)
            height = page.evaluate("document.documentElement.scrollHeight")
            page.screenshot(
                path=f"{place}-{width}-{theme}.png",
                full_page=height <= TALLEST,
                animations="disabled",
            )
    page.set_viewport_size(DESKTOP)


def _show_in_docs(shown: Shown, pictures: Path) -> None:
    """Its top, as much as a window shows, in as few colours as still look right."""
    name = f"{shown.page.replace(' ', '-')}-{shown.size}-{shown.theme}.png"
    size = dict(SIZES)[shown.size]
    place = pictures / shown.role / name
    if not place.exists():
        return
    with Image.open(place) as picture:
        top = picture.crop((0, 0, size["width"], min(size["height"], picture.height)))
        DOCS.mkdir(exist_ok=True)
        top.quantize(COLORS).save(DOCS / f"{shown.file}.png", optimize=True)


if __name__ == "__main__":
    main()
