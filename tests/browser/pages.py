"""Every page of the back office: where it is, and who may open it.

The tests open each as each role, and `make screenshots` takes pictures of them.
"""

from dataclasses import dataclass
from typing import Final

import httpx

from tests.bench.product import Product

VIEWER, MAKER, APPROVER, OPERATIONS, ADMIN, AUDITOR = ROLES = (
    *("viewer", "maker", "approver", "operations"),
    *("admin", "auditor"),
)
EVERYBODY: Final = frozenset(ROLES)


@dataclass(frozen=True, slots=True)
class PageOf:
    """A page: its name in pictures, its address with blanks for what exists, who may open it."""

    name: str
    path: str
    roles: frozenset[str] = EVERYBODY


def _of(name: str, path: str, *roles: str) -> PageOf:
    return PageOf(name, path, frozenset(roles) or EVERYBODY)


PAGES: Final = (
    _of("home", "/admin/"),
    _of("pushes", "/admin/payouts/payment/"),
    _of("push", "/admin/payouts/payment/{payment}/change/"),
    _of("issue", "/admin/issue/", MAKER),
    _of("approvals", "/admin/approvals/"),
    _of("batches", "/admin/batches/"),
    _of("new batch", "/admin/batches/new/", MAKER),
    _of("consumers", "/admin/consumers/consumer/"),
    _of("consumer", "/admin/consumers/consumer/{consumer}/change/"),
    _of("cards", "/admin/consumers/paymentcard/"),
    _of("card", "/admin/consumers/paymentcard/{card}/change/"),
    _of("accounts", "/admin/payouts/account/"),
    _of("journals", "/admin/payouts/journal/"),
    _of("webhooks", "/admin/payouts/webhookendpoint/", OPERATIONS, ADMIN, AUDITOR),
)


def addresses(product: Product) -> dict[str, str]:
    """What fills the blanks: the demo's people, and a push of its own made through the API."""
    facts = product.facts
    return {
        "consumer": facts["demo"]["consumer_id"],
        "card": facts["demo"]["external_payment_card_id"],
        "payment": push_by_api(product, amount="100")["id"],
    }


def push_by_api(product: Product, *, amount: str) -> dict[str, str]:
    """What the demo's curl does: push to the demo's card, and wait until that is final."""
    api, demo = product.facts["api"], product.facts["demo"]
    with httpx.Client(base_url=product.address, trust_env=False, timeout=30) as client:
        grant = {"grant_type": "client_credentials", "scope": "api:write", **api}
        token = client.post("/auth/token/", data=grant).raise_for_status().json()["access_token"]
        answer = client.post(
            "/v2/payments/oct/",
            headers={"Authorization": f"Bearer {token}", "Prefer": "wait=5"},
            json={**demo, "amount": amount},
        )
    payment: dict[str, str] = answer.raise_for_status().json()
    return payment
