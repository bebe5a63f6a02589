"""Every route of this app, and who may call it. A route that is missing here fails."""

from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern
from rest_framework.views import APIView

from consumers.api.urls import urlpatterns
from tests.builders import make_card, make_consumer, make_http_client, make_partner
from tests.eligibility import FAST

pytestmark = pytest.mark.django_db

CARD = {"number": "5555555555554444", "expiration_month": 12, "expiration_year": 2039}

# Name of the route, method, body, answer with api:read only, answer with api:write only.
TABLE: list[tuple[str, str, Any, int, int]] = [
    ("consumers", "get", None, 200, 200),
    ("consumers", "post", {"pcid": "new"}, 403, 201),
    ("consumer", "get", None, 200, 200),
    ("consumer", "put", {"pcid": "abc"}, 403, 200),
    ("consumer", "patch", {}, 403, 200),
    ("consumer-by-pcid", "get", None, 200, 200),
    ("consumer-cancel-account", "post", {}, 403, 200),
    ("consumer-cards", "get", None, 200, 200),
    ("consumer-cards", "post", CARD, 403, 201),
    ("card", "get", None, 200, 200),
    ("card", "patch", {}, 403, 200),
    ("card", "delete", None, 403, 204),
    ("card-check", "post", None, 403, 200),
]
OPEN = {("create-token", "post")}


def routes() -> set[tuple[str, str]]:
    found = set()
    for pattern in urlpatterns:
        assert isinstance(pattern, URLPattern)
        view: type[APIView] = pattern.callback.view_class  # type: ignore[attr-defined]
        methods = {"get", "post", "put", "patch", "delete"}
        found |= {(str(pattern.name), method) for method in methods if hasattr(view, method)}
    return found


def test_the_table_names_every_route() -> None:
    assert {(name, method) for name, method, *_ in TABLE} | OPEN == routes()


def address_of(name: str, consumer_id: object, card_id: object, pcid: str) -> str:
    return {
        "consumers": "/v2/consumers/",
        "consumer": f"/v2/consumers/{consumer_id}/",
        "consumer-by-pcid": f"/v2/consumers/pcid/{pcid}/",
        "consumer-cancel-account": f"/v2/consumers/{consumer_id}/cancel-account/",
        "consumer-cards": f"/v2/consumers/{consumer_id}/external-payment-cards/",
        "card": f"/v2/external-payment-cards/{card_id}/",
        "card-check": f"/v2/external-payment-cards/{card_id}/check/",
    }[name]


@pytest.mark.parametrize(("name", "method", "body", "reading", "writing"), TABLE)
def test_is_open_to_the_right_scope_of_the_right_partner_only(
    name: str, method: str, body: Any, reading: int, writing: int, settings: Any
) -> None:
    settings.CARD_ELIGIBILITY_SOURCE = FAST
    partner = make_partner()
    card = make_card(consumer=make_consumer(partner=partner, pcid="abc"))
    address = address_of(name, card.consumer_id, card.pk, "abc")

    def status(http: Any) -> int:
        code: int = getattr(http, method)(address, body).status_code
        return code

    assert status(Client()) == 401
    assert status(make_http_client(partner=partner, scopes=["api:read"])) == reading
    if name != "consumers":
        assert status(make_http_client(partner=make_partner())) == 404
    assert status(make_http_client(partner=partner, scopes=["api:write"])) == writing
