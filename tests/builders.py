"""Small builders of rows for tests: valid by default, everything by keyword.

Partners and clients come from the operations. Consumers and cards are written straight, so that a
test can start from a state that no operation would make (`is_active=False`, an expired card).
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

from rest_framework.test import APIClient as HTTPClient

from consumers.cards import Pan
from consumers.ids import new_id
from consumers.models import APIClient, Consumer, Partner, PaymentCard
from consumers.operations.api_clients import ALL_SCOPES, NewClient, create_api_client, issue_token
from consumers.vault import fingerprint, key_ring_from_settings, seal
from payouts.operations.partners import create_partner

VISA_NUMBER = "4111111111111111"
MASTERCARD_NUMBER = "5555555555554444"


def make_partner(*, name: str = "", **fields: Any) -> Partner:
    """A partner with its ledger accounts and no money."""
    partner = create_partner(name or f"Partner {new_id().hex[-12:]}")
    return _changed(partner, fields)


def make_api_client(
    *,
    partner: Partner | None = None,
    name: str = "Payroll server",
    scopes: Sequence[str] = ALL_SCOPES,
) -> NewClient:
    """An API client and its secret: `.client`, `.secret`."""
    return create_api_client(partner or make_partner(), name=name, scopes=scopes)


def make_token(
    *, client: APIClient | None = None, partner: Partner | None = None, scopes: Sequence[str] = ()
) -> str:
    """A good bearer token, of a new client unless one is given."""
    if client is None:
        client = make_api_client(partner=partner, scopes=scopes or ALL_SCOPES).client
    return issue_token(client, scopes=scopes or client.scopes)


def make_http_client(*, partner: Partner, scopes: Sequence[str] = ALL_SCOPES) -> HTTPClient:
    """An HTTP client that carries a token of the partner and sends JSON."""
    http = HTTPClient(raise_request_exception=True)
    http.default_format = "json"
    http.credentials(HTTP_AUTHORIZATION=f"Bearer {make_token(partner=partner, scopes=scopes)}")
    return http


def make_consumer(*, partner: Partner | None = None, pcid: str = "", **fields: Any) -> Consumer:
    """A consumer with a name; `fields` are the model's."""
    made: dict[str, Any] = {"first_name": "Ada", "last_name": "Example", **fields}
    return Consumer.objects.create(
        partner=partner or make_partner(), pcid=pcid or f"person-{new_id().hex[-12:]}", **made
    )


def make_card(
    *,
    consumer: Consumer | None = None,
    number: str = VISA_NUMBER,
    expires: date = date(2039, 12, 31),
    **fields: Any,
) -> PaymentCard:
    """An active, sealed card that no network has been asked about; `fields` are the model's."""
    consumer = consumer or make_consumer()
    pan, ring, card_id = Pan(number), key_ring_from_settings(), new_id()
    sealed = seal(pan, card_id=card_id, partner_id=consumer.partner_id, ring=ring)
    print_of_number = fingerprint(pan, partner_id=consumer.partner_id, ring=ring)
    made: dict[str, Any] = {
        "network": pan.network,
        "cardholder_name": consumer.full_name,
        "expiration_month": expires.month,
        "expiration_year": expires.year,
        **fields,
    }
    return PaymentCard.objects.create(
        id=card_id,
        partner_id=consumer.partner_id,
        consumer=consumer,
        kek_id=sealed.kek_id,
        wrapped_key=sealed.wrapped_key,
        ciphertext=sealed.ciphertext,
        fingerprint_key_id=print_of_number.key_id,
        fingerprint=print_of_number.digest,
        bin=pan.bin,
        last4=pan.last4,
        **made,
    )


def _changed(partner: Partner, fields: dict[str, Any]) -> Partner:
    for name, value in fields.items():
        setattr(partner, name, value)
    if fields:
        partner.save(update_fields=list(fields))
    return partner
