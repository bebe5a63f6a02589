"""Finds Debian's Chromium, installs it where that may be done without asking, and starts it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from playwright.sync_api import Browser, sync_playwright

PLACES: Final = ("chromium", "chromium-browser", "google-chrome")
# Nothing beyond the page itself: the machine may have no network, and updates are not our business.
QUIET: Final = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
# A machine that reaches no archive is told so soon.
_IMPATIENT: Final = ("-o", "Acquire::Retries=1", "-o", "Acquire::http::Timeout=20")
_ASKS_NOTHING: Final = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}


class ChromiumMissing(Exception):
    """There is no browser and it may not be installed; the text says what to do."""


@contextmanager
def started() -> Iterator[Browser]:
    """A browser without a window.

    Raises:
        ChromiumMissing: if there is none and only somebody else may install it.
    """
    place = _found() or _installed()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=place, args=list(QUIET))
        try:
            yield browser
        finally:
            browser.close()


def _found() -> str | None:
    return next(filter(None, map(shutil.which, PLACES)), None)


def _installed() -> str:
    if shutil.which("apt-get") and os.geteuid() == 0:
        sys.stderr.write("Chromium is missing: installing Debian's.\n")
        for command in (["update", "-qq"], ["install", "-y", "-qq", "chromium"]):
            subprocess.run(
                ["apt-get", *_IMPATIENT, *command],
                env=_ASKS_NOTHING,
                check=False,
                stdout=sys.stderr,
            )
    place = _found()
    if place is None:
        raise ChromiumMissing(
            "NOT TESTED IN A BROWSER: there is no Chromium here, and it could not be installed. "
            "On Debian, as root: apt-get install chromium"
        )
    return place
