"""What the database refuses, whoever writes."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Model

from consumers.models import Consumer, Partner, PaymentCard
from tests.builders import make_card, make_consumer, make_partner
from tests.owner import owning

pytestmark = pytest.mark.django_db


def refuses(row: Model, **columns: Any) -> bool:
    rows = type(row)._default_manager.filter(pk=row.pk)
    with pytest.raises(IntegrityError), constraints_checked():
        rows.update(**columns)
    return True


@contextmanager
def constraints_checked() -> Iterator[None]:
    """Check what is deferred to the end of a transaction at the end of this block."""
    with transaction.atomic():
        yield
        connection.check_constraints()


@pytest.mark.parametrize("hours", [0, 721])
def test_approvals_last_from_an_hour_to_thirty_days(hours: int) -> None:
    assert refuses(make_partner(), approval_hours=hours)


def test_a_pcid_is_unique_within_its_partner_only() -> None:
    partner = make_partner()
    make_consumer(partner=partner, pcid="abc")
    assert refuses(make_consumer(partner=partner), pcid="abc")
    make_consumer(pcid="abc")
    assert Consumer.objects.filter(pcid="abc").count() == 2


def test_a_pcid_is_never_empty() -> None:
    assert refuses(make_consumer(), pcid="")


@pytest.mark.parametrize(
    "columns",
    [
        {"expiration_month": 0},
        {"expiration_month": 13},
        {"last4": "123"},
        {"last4": "12a4"},
        {"status": "expired"},
    ],
)
def test_a_card_is_well_formed(columns: dict[str, Any]) -> None:
    assert refuses(make_card(), **columns)


def test_a_number_is_there_once_per_consumer() -> None:
    first = make_card()
    second = make_card(consumer=first.consumer, number="5555555555554444")
    assert refuses(second, fingerprint=first.fingerprint)


def test_a_card_cannot_name_another_partner_than_its_consumer() -> None:
    assert refuses(make_card(), partner=make_partner())


def test_a_card_cannot_move_to_another_partners_consumer() -> None:
    assert refuses(make_card(), consumer=make_consumer())


@pytest.mark.parametrize("kind", [Consumer, Partner])
def test_who_has_cards_is_not_deleted(kind: type[Model]) -> None:
    card = make_card()
    keys = {Consumer: card.consumer_id, Partner: card.partner_id}
    rows = kind._default_manager.filter(pk=keys[kind])
    with pytest.raises(IntegrityError), constraints_checked(), owning():
        rows._raw_delete(using="default")
    assert PaymentCard.objects.filter(pk=card.pk).exists()
