"""How the columns of the list of pushes look; what they hold: `payouts.finding.push_columns`."""

from typing import Final

from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString

from consumers.admin.base import clipped, instant, label, money
from payouts.admin.words import DISPUTE_TONES, DISPUTE_WORDS, STATUS_TONES
from payouts.finding.push_columns import COLUMN_NAMED, maker_of, value_words
from payouts.models import Payment

# Those of the first hour keep the names that the style sheet knows.
_METHODS: Final = {
    "asked_at": "made_at", "partner": "partner_name", "consumer": "consumer_name",
    "card": "card_shown", "amount": "amount_shown", "fee": "fee_shown", "status": "state",
    "source": "source_shown", "reference": "reference_shown", "total": "total_shown",
    "maker": "maker_shown", "pcid": "pcid_shown", "description": "description_shown",
    "failure": "failure_shown", "network_code": "network_code_shown", "paid_at": "paid_at_shown",
    "rrn": "rrn_shown", "request_id": "request_id_shown", "id": "id_shown",
}  # fmt: skip


def column_method(name: str) -> str:
    """The method that shows a column."""
    return _METHODS[name]


class PushCells:
    """Mixed into the admin of pushes."""

    @admin.display(description="asked for")
    def made_at(self, payment: Payment) -> SafeString | str:
        return instant(payment.created_at)

    @admin.display(description="partner")
    def partner_name(self, payment: Payment) -> SafeString | str:
        return clipped(payment.partner.name)

    @admin.display(description="consumer")
    def consumer_name(self, payment: Payment) -> SafeString | str:
        return clipped(str(payment.consumer))

    @admin.display(description="card")
    def card_shown(self, payment: Payment) -> SafeString:
        card = payment.card
        return format_html(
            '<span class="digits">{} ···· {}</span>', value_words(card.network), card.last4
        )

    @admin.display(description="amount")
    def amount_shown(self, payment: Payment) -> SafeString | str:
        return money(payment.amount)

    @admin.display(description="fee")
    def fee_shown(self, payment: Payment) -> SafeString | str:
        return money(payment.fee_amount)

    @admin.display(description="total")
    def total_shown(self, payment: Payment) -> SafeString | str:
        return money(payment.amount + payment.fee_amount)

    @admin.display(description="status")
    def state(self, payment: Payment) -> SafeString:
        return status_shown(payment)

    @admin.display(description="source")
    def source_shown(self, payment: Payment) -> str:
        return value_words(payment.source)

    @admin.display(description="maker")
    def maker_shown(self, payment: Payment) -> SafeString | str:
        return clipped(maker_of(payment))

    @admin.display(description="reference")
    def reference_shown(self, payment: Payment) -> SafeString | str:
        return clipped(payment.reference)

    @admin.display(description="pcid")
    def pcid_shown(self, payment: Payment) -> SafeString | str:
        return clipped(payment.consumer.pcid)

    @admin.display(description="description")
    def description_shown(self, payment: Payment) -> SafeString | str:
        return clipped(payment.description)

    @admin.display(description="failure")
    def failure_shown(self, payment: Payment) -> SafeString | str:
        return clipped(value_words(payment.failure_code))

    @admin.display(description="network code")
    def network_code_shown(self, payment: Payment) -> SafeString | str:
        return _digits(payment.network_code)

    @admin.display(description="paid")
    def paid_at_shown(self, payment: Payment) -> SafeString | str:
        return instant(payment.completed_at)

    @admin.display(description="RRN")
    def rrn_shown(self, payment: Payment) -> SafeString | str:
        return _digits(str(COLUMN_NAMED["rrn"].cell(payment)))

    @admin.display(description="Request-Id")
    def request_id_shown(self, payment: Payment) -> SafeString | str:
        return clipped(payment.request_id)

    @admin.display(description="push")
    def id_shown(self, payment: Payment) -> SafeString | str:
        return clipped(str(payment.pk))


def status_shown(payment: Payment) -> SafeString:
    """The status in its colour, and what cases say beyond it."""
    status = label(payment.status, STATUS_TONES)
    if not payment.moved_otherwise:
        return status
    beside = label(DISPUTE_WORDS[payment.moved_otherwise], DISPUTE_TONES)
    return format_html("{} {}", status, beside)


def _digits(text: str) -> SafeString | str:
    return format_html('<span class="digits">{}</span>', text) if text else "-"
