"""What the API shows of consumers and cards, as plain mappings ready to be written as JSON."""

from datetime import date
from typing import Any

from consumers.models import Consumer, PaymentCard
from consumers.queries import card_status


def consumer_document(consumer: Consumer) -> dict[str, Any]:
    """The consumer; of the tax identifier only the last four characters."""
    return {
        "id": consumer.pk,
        "pcid": consumer.pcid,
        "first_name": consumer.first_name,
        "last_name": consumer.last_name,
        "email": consumer.email,
        "phone_number": consumer.phone_number,
        "date_of_birth": consumer.date_of_birth,
        "tax_id_type": consumer.tax_id_type,
        "tax_identifier": masked_tax_identifier(consumer),
        "address_line1": consumer.address_line1,
        "address_line2": consumer.address_line2,
        "address_city": consumer.address_city,
        "address_state": consumer.address_state,
        "address_zip": consumer.address_zip,
        "kyc_status": consumer.kyc_status,
        "is_active": consumer.is_active,
        "created_at": consumer.created_at,
    }


def masked_tax_identifier(consumer: Consumer) -> str:
    last4 = consumer.tax_identifier_last4
    return f"***-**-{last4}" if last4 else ""


def card_document(card: PaymentCard, *, on: date) -> dict[str, Any]:
    """The card as of the day `on`; of the number only its BIN and last four."""
    return {
        "id": card.pk,
        "consumer_id": card.consumer_id,
        "network": card.network,
        "card_type": card.card_type or None,
        "bin": card.bin,
        "last4": card.last4,
        "expiration_month": card.expiration_month,
        "expiration_year": card.expiration_year,
        "cardholder_name": card.cardholder_name,
        "postal_code": card.postal_code,
        "nickname": card.nickname,
        "status": card_status(card, on=on),
        "push": {
            "eligible": card.push_eligible,
            "speed": card.push_speed or None,
            "checked_at": card.push_checked_at,
        },
        "created_at": card.created_at,
    }
