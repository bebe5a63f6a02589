"""What the pages are looked at with: the demo's people, and one of everything that can exist.

All of it comes about as in earnest, through the API and the pages, once for all tests.
"""

import re
import secrets
from collections.abc import Callable, Mapping
from typing import Any, Final, Self

import httpx

from tests.bench.product import Product
from tests.browser.pages import ADMIN, AUDITOR, MAKER
from tests.browser.person import Person

# What each does is in docs/sandbox.md.
APPROVED: Final = "100.00"
WAITS: Final = "6000.00"
HIDDEN_LONG: Final = "1200.16"
# What the worker does beside everything else.
WORKER_MS: Final = 60_000

_LISTS: Final = {
    "account": "payouts/account",
    "journal": "payouts/journal",
    "partner": "consumers/partner",
    "client": "consumers/apiclient",
    "schedule": "payouts/feeschedule",
    "limit": "payouts/limit",
    "rule": "payouts/approvalrule",
    "group": "auth/group",
    "entry": "consumers/auditentry",
}
_LINES: Final = """consumer,card,amount,reference,description
demo-ada,,12.50,salary-1,November
demo-bela,,13.75,salary-2,November
nobody,,14.00,salary-3,November
"""


def stock(product: Product, enter: Callable[[str], Person]) -> dict[str, str]:
    """Make what is missing and return what fills the blanks of `tests.browser.pages`."""
    return {
        # First: whoever has just signed in is not asked for a second factor again.
        "passkey": _passkey(enter(AUDITOR)),
        **_pushes(product),
        **_first_rows(enter(ADMIN)),
        "change": _proposed(enter(ADMIN)),
        "batch": _uploaded(enter(MAKER)),
        "export": _exported(enter(AUDITOR)),
        # What stands for itself in an address.
        "app": "payouts",
        "csv": "csv",
        "number": "1",
        **{f"kind {name}": name for name in _KINDS},
    }


_KINDS: Final = (
    *("partner", "fund_partner", "fee_schedule", "limit", "approval_rule"),
    *("api_client", "api_client_secret", "webhook", "staff_member", "staff_password"),
)


class Caller:
    """An integrator with the credentials of the demo's client. For a `with` block."""

    def __init__(self, product: Product) -> None:
        self._product = product
        self._client = httpx.Client(base_url=product.address, trust_env=False, timeout=30)

    def __enter__(self) -> Self:
        grant = {"grant_type": "client_credentials", "scope": "api:write"}
        data = {**grant, **self._product.facts["api"]}
        answer = self._client.post("/auth/token/", data=data).raise_for_status()
        self._client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def push(self, amount: str, *, wait: int = 0) -> dict[str, Any]:
        """Push dollars to the demo's card; what is final within the seconds is so in the answer."""
        answer = self._client.post(
            "/v2/payments/oct/",
            headers={"Prefer": f"wait={wait}", "Idempotency-Key": secrets.token_hex(16)},
            json={**self._product.facts["demo"], "amount": amount},
        )
        payment: dict[str, Any] = answer.raise_for_status().json()
        return payment

    def status_of(self, payment_id: str) -> str:
        payment = self._client.get(f"/v2/payments/oct/{payment_id}/").raise_for_status().json()
        return str(payment["status"])

    def webhook(self) -> dict[str, Any]:
        """A webhook that hears what happens rarely, so that little is sent to nowhere."""
        body = {"url": "https://hooks.example.com/payouts", "event_types": ["card.*"]}
        made: dict[str, Any] = (
            self._client.post("/v2/webhooks/", json=body).raise_for_status().json()
        )
        return made


def _pushes(product: Product) -> dict[str, str]:
    demo: Mapping[str, str] = product.facts["demo"]
    with Caller(product) as api:
        return {
            "consumer": demo["consumer_id"],
            "card": demo["external_payment_card_id"],
            "payment": api.push(APPROVED, wait=10)["id"],
            "unknown": api.push(HIDDEN_LONG)["id"],
            "waiting": api.push(WAITS)["id"],
            "webhook": api.webhook()["id"],
        }


def _first_rows(admin: Person) -> dict[str, str]:
    """The first row of each list, and a member of the staff who is somebody else."""
    found = {name: _first_of(model, admin) for name, model in _LISTS.items()}
    return {**found, "member": _first_of("auth/user", admin, query="?q=viewer")}


def _first_of(model: str, admin: Person, query: str = "") -> str:
    text = admin.page.request.get(admin.address_of(f"/admin/{model}/{query}")).text()
    row = re.search(rf'/admin/{model}/([^/"?]+)/change/', text)
    assert row is not None, f"{model}/{query} lists nothing"
    return row[1]


def _proposed(admin: Person) -> str:
    """A change that waits for a second person."""
    page = admin.goes_to("/admin/consumers/partner/")
    page.get_by_role("link", name="Demo Partner").first.click()
    partner = page.url.rstrip("/").split("/")[-2]
    admin.goes_to(f"/admin/settings/propose/fund_partner/?partner={partner}")
    page.get_by_label("Amount").fill("25000")
    page.get_by_label("The bank's reference").fill(f"WIRE-{secrets.token_hex(4)}")
    page.get_by_label("Reason").fill("The wire of today")
    page.get_by_role("button", name="Propose").click()
    page.wait_for_url(re.compile("/admin/changes/[0-9a-f-]{36}/"))
    return _last_part(page.url)


def _uploaded(maker: Person) -> str:
    """A batch of three lines, one of them bad, that waits to be issued."""
    page = maker.goes_to("/admin/batches/new/")
    page.get_by_label("File", exact=True).set_input_files(
        {"name": "salaries.csv", "mimeType": "text/csv", "buffer": _LINES.encode()}
    )
    page.get_by_role("button", name="Upload and check").click()
    page.get_by_role("button", name="Issue 2 pushes").wait_for(timeout=WORKER_MS)
    return _last_part(page.url)


def _exported(auditor: Person) -> str:
    """A file of pushes that is done."""
    page = auditor.goes_to("/admin/payouts/payment/")
    page.get_by_text("Export", exact=True).click()
    page.get_by_role("button", name="CSV", exact=True).click()
    link = page.get_by_role("link", name="Download").first
    link.wait_for(timeout=WORKER_MS)
    return str(link.get_attribute("href")).split("/")[-3]


def _passkey(auditor: Person) -> str:
    auditor.gets_a_device()
    page = auditor.adds_passkey("Work laptop")
    address = page.get_by_role("link", name="Rename Work laptop").first.get_attribute("href")
    return str(address).split("/")[-3]


def _last_part(address: str) -> str:
    return address.rstrip("/").split("/")[-1]
