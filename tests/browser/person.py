"""A member of staff at a browser: signs in, and nothing that the page complains about is missed."""

from dataclasses import dataclass, field
from typing import Any, Final

from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Response,
    ViewportSize,
)

from tests.bench.product import Product

DESKTOP: Final[ViewportSize] = {"width": 1440, "height": 900}
PHONE: Final[ViewportSize] = {"width": 390, "height": 844}
PATIENCE_MS: Final = 15_000

_DEVICE: Final = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


# Not frozen: Playwright writes a mark on whose method listens.
@dataclass
class Watch:
    """What went wrong on the pages that somebody saw: errors in the console, answers of 500."""

    complaints: list[str] = field(default_factory=list)

    def over(self, page: Page) -> None:
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))
        page.on("response", self._response)

    def _console(self, message: ConsoleMessage) -> None:
        # A refusal that a test asks for is reported in the console too; `_response` judges those.
        is_status = message.text.startswith("Failed to load resource")
        if message.type == "error" and not is_status:
            self.complaints.append(f"{message.location.get('url', '')}: {message.text}")

    def _response(self, response: Response) -> None:
        if response.status >= 500:
            self.complaints.append(f"{response.url}: {response.status}")


@dataclass(frozen=True)
class Person:
    """One member of staff in a browser window of their own."""

    role: str
    page: Page
    watch: Watch
    product: Product

    def goes_to(self, path: str) -> Page:
        """Open an address of the product, given from its root."""
        self.page.goto(self.address_of(path))
        return self.page

    def address_of(self, path: str) -> str:
        return f"{self.product.localhost}{path}"

    def sees(self, text: str) -> None:
        """Wait until the text stands on the page."""
        self.page.get_by_text(text).first.wait_for(timeout=PATIENCE_MS)

    def gets_a_device(self) -> None:
        """Give this window a device that keeps passkeys, and says yes to whatever it is asked."""
        device = self.page.context.new_cdp_session(self.page)
        device.send("WebAuthn.enable")
        device.send("WebAuthn.addVirtualAuthenticator", {"options": _DEVICE})

    def adds_passkey(self, name: str) -> Page:
        """Set up a passkey on the device, and come out on the page of one's own security."""
        page = self.goes_to("/admin/security/passkeys/add/")
        page.get_by_label("Name").fill(name)
        page.get_by_role("button", name="Add a passkey").click()
        page.get_by_text(name).first.wait_for()
        return page


def window(browser: Browser, watch: Watch, **options: Any) -> Page:
    """A window that remembers nothing of any other; everything on it is watched."""
    context = browser.new_context(**{"viewport": DESKTOP, "timezone_id": "UTC", **options})
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    watch.over(page)
    return page


def sign_in(page: Page, product: Product, role: str) -> None:
    """Give password and code, as a person does who reads the code from the page of the demo."""
    page.goto(f"{product.localhost}/admin/")
    page.get_by_label("Username").or_(page.locator("input[name=login]")).first.fill(role)
    page.locator("input[name=password]").fill(product.staff[role])
    page.keyboard.press("Enter")
    code = page.locator(".po-copy").first.inner_text()
    page.locator("input[name=code]").fill(code)
    page.keyboard.press("Enter")
    page.wait_for_url("**/admin/")


def kept_session(context: BrowserContext) -> Any:
    """The cookies of somebody who is signed in, for another window of the same person."""
    return context.storage_state()
