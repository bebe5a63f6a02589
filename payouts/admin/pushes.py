"""Pushes: the list, and the page of one. What people may do about a push is in `push_verbs`."""

from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from consumers.admin.base import ReadOnly, clipped, instant, label, money
from consumers.admin.lists import KeysetAdmin
from consumers.audit import Subject
from payouts.admin.push_list import FILTERS, PushChangeList
from payouts.admin.push_page import push_page, push_rows
from payouts.admin.push_verbs import PushVerbs
from payouts.admin.words import STATUS_TONES
from payouts.models import Payment
from payouts.operations.payment_subject import payment_subject


@admin.register(Payment)
class PaymentAdmin(ReadOnly, PushVerbs, KeysetAdmin[Payment]):
    records_views = True
    list_display = (
        "made_at", "partner_name", "consumer_name", "card_shown", "amount_shown", "fee_shown",
        "state", "source_shown", "reference_shown",
    )  # fmt: skip
    list_filter = FILTERS
    search_fields = ("id",)
    search_help_text = "Name, e-mail, last four, amount, reference, any id"
    change_form_template = "admin/payouts/payment/page.html"
    actions_detail = ("approve", "reject", "cancel")

    def get_changelist(self, request: HttpRequest, **_kwargs: Any) -> type[PushChangeList]:
        return PushChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Payment], search_term: str
    ) -> tuple[QuerySet[Payment], bool]:
        # The list itself searches, together with what else narrows it.
        return queryset, False

    def rows_for_page(self, request: HttpRequest) -> QuerySet[Payment]:
        return push_rows()

    def audited_subject(self, row: Model) -> Subject:
        assert isinstance(row, Payment)
        return payment_subject(row)

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        payment = context["original"]
        context["title"] = f"Push of ${payment.amount:,.2f}"
        context["page"] = push_page(
            payment, with_journals=request.user.has_perm("payouts.view_journal")
        )
        return super().render_change_form(request, context, *args, **kwargs)

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
            '<span class="digits">{} ···· {}</span>', card.network.capitalize(), card.last4
        )

    @admin.display(description="amount")
    def amount_shown(self, payment: Payment) -> SafeString | str:
        return money(payment.amount)

    @admin.display(description="fee")
    def fee_shown(self, payment: Payment) -> SafeString | str:
        return money(payment.fee_amount)

    @admin.display(description="status")
    def state(self, payment: Payment) -> SafeString:
        return label(payment.status, STATUS_TONES)

    @admin.display(description="source")
    def source_shown(self, payment: Payment) -> str:
        return payment.source.replace("_", " ")

    @admin.display(description="reference")
    def reference_shown(self, payment: Payment) -> SafeString | str:
        return clipped(payment.reference)
