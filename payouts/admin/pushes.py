"""Pushes: the list, and the page of one. What people may do about a push is in `push_verbs`."""

from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from consumers.admin.actors import name_actors
from consumers.admin.base import ReadOnly
from consumers.admin.lists import KeysetAdmin
from consumers.audit import Subject
from payouts.admin.push_cells import PushCells, column_method
from payouts.admin.push_list import FILTERS, PushChangeList, list_choice
from payouts.admin.push_page import push_page, push_rows
from payouts.admin.push_tools import list_tools
from payouts.admin.push_verbs import PushVerbs
from payouts.admin.webhooks import webhooks_sent
from payouts.evidence import who_looked
from payouts.finding.push_columns import USUAL
from payouts.models import Payment
from payouts.operations.payment_subject import payment_subject
from payouts.staff import EXPORT_PAYMENT


@admin.register(Payment)
class PaymentAdmin(ReadOnly, PushCells, PushVerbs, KeysetAdmin[Payment]):
    records_views = True
    list_display = tuple(column_method(name) for name in USUAL)
    list_before_template = "admin/payouts/payment/tools.html"
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

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        return tuple(column_method(name) for name in list_choice(request).columns)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not request.GET and self.has_view_permission(request):
            opens_with = list_choice(request).default_query
            if opens_with:
                return HttpResponseRedirect(f"{request.path}?{opens_with}")
        answer = super().changelist_view(request, extra_context)
        context = getattr(answer, "context_data", None)
        if context is not None and "cl" in context:
            context["tools"] = list_tools(request, context["cl"])
        return answer

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
        if request.user.has_perm("payouts.view_webhookendpoint"):
            context["webhooks"] = webhooks_sent(payment.pk)
        context["may_take_evidence"] = request.user.has_perm(EXPORT_PAYMENT)
        if request.user.has_perm("consumers.view_auditentry"):
            context["looks"] = who_looked(payment.pk)
            name_actors(context["looks"])
        return super().render_change_form(request, context, *args, **kwargs)
