"""Writes down what partners are told about consumers, cards and whatever else is not a payment.

A row of `PartnerEvent` is written in the transaction of the change, so that the event is there if
and only if the change is. Who is told, how, and in which order is for `payouts` to see to. What is
told of a person is identifiers and states: details are fetched by whoever may read them.
"""

from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.utils import timezone
from django.utils.module_loading import import_string
from psycopg.types.json import Jsonb

from consumers.ids import new_id
from consumers.models import Consumer
from consumers.statements import fetch_rows

CONSUMER_EVENTS: Final = ("created", "updated", "canceled", "reopened")
CARD_EVENTS: Final = ("created", "updated", "checked", "deactivated")

# Read from the row as the change has left it, so that the event says what is true when it commits.
_OF_CONSUMER: Final = """
INSERT INTO consumers_partnerevent (key, partner_id, type, subject_id, data, created_at)
SELECT %(key)s, partner_id, %(type)s, id,
    jsonb_build_object('id', id, 'pcid', pcid, 'kyc_status', kyc_status, 'is_active', is_active),
    %(at)s
FROM consumers_consumer WHERE id = %(id)s
RETURNING id
"""
_OF_CARD: Final = """
INSERT INTO consumers_partnerevent (key, partner_id, type, subject_id, data, created_at)
SELECT %(key)s, partner_id, %(type)s, id,
    jsonb_build_object('id', id, 'consumer_id', consumer_id, 'network', network, 'last4', last4,
                       'status', status, 'push_eligible', push_eligible),
    %(at)s
FROM consumers_paymentcard WHERE id = %(id)s
RETURNING id
"""
_OTHER: Final = """
INSERT INTO consumers_partnerevent (key, partner_id, type, subject_id, data, created_at)
VALUES (%(key)s, %(partner_id)s, %(type)s, %(id)s, %(data)s, %(at)s)
RETURNING id
"""


def tell_of_consumer(consumer: Consumer, what: str) -> None:
    """Note that `what` of `CONSUMER_EVENTS` happened to the consumer. Call it after the change."""
    assert what in CONSUMER_EVENTS
    fetch_rows(_OF_CONSUMER, _named(consumer.pk, f"consumer.{what}"))
    _ring()


def tell_of_card(card_id: UUID, what: str) -> None:
    """Note that `what` of `CARD_EVENTS` happened to the card. Call it after the change."""
    assert what in CARD_EVENTS
    fetch_rows(_OF_CARD, _named(card_id, f"card.{what}"))
    _ring()


def tell_partner(partner_id: UUID, kind: str, *, subject_id: UUID, told: Mapping[str, Any]) -> UUID:
    """Note an event of any other kind, in JSON's types; return the key of its public id."""
    named = _named(subject_id, kind)
    fetch_rows(_OTHER, {**named, "partner_id": partner_id, "data": Jsonb(dict(told))})
    _ring()
    key: UUID = named["key"]
    return key


def _ring() -> None:
    """Have partners told once this has committed. This app does not know by whom."""
    import_string(settings.EVENT_BELL)()


def _named(subject_id: UUID, kind: str) -> dict[str, Any]:
    return {"key": new_id(), "type": kind, "id": subject_id, "at": timezone.now()}
