"""Partners, to be looked up. What is set for them is proposed, and somebody else approves it."""

from typing import Any

from django.contrib import admin
from django.db.models import DecimalField, OuterRef, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString

from consumers.admin.base import ModelAdmin, ReadOnly, clipped, instant, label, link, money
from consumers.models import Partner
from payouts.models import AccountKind, AccountPart


def _balance_of(kind: AccountKind) -> Any:
    parts = AccountPart.objects.filter(account__partner=OuterRef("pk"), account__kind=kind.value)
    credits_ = parts.order_by().values("account__partner").annotate(total=-Sum("balance"))
    dollars = DecimalField(max_digits=24, decimal_places=2)
    return Coalesce(Subquery(credits_.values("total")), 0, output_field=dollars)


@admin.register(Partner)
class PartnerAdmin(ReadOnly, ModelAdmin[Partner]):
    list_display = ("name_shown", "state", "available_shown", "held_shown", "made_at")
    search_fields = ("name__istartswith",)
    search_help_text = "How the name begins"
    ordering = ("name",)
    sortable_by = ()
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[Partner]:
        return (
            super()
            .get_queryset(request)
            .annotate(
                available=_balance_of(AccountKind.AVAILABLE), held=_balance_of(AccountKind.HELD)
            )
        )

    def get_fields(self, request: HttpRequest, obj: Partner | None = None) -> tuple[str, ...]:
        terms = ("name", "is_active", "requires_idempotency_key", "approval_hours")
        sums = ("available_shown", "held_shown", "pushes")
        may_see_terms = request.user.has_perm("payouts.view_feeschedule")
        return (*terms, *sums, *(("settings",) if may_see_terms else ()), "made_at")

    def get_readonly_fields(
        self, request: HttpRequest, obj: Partner | None = None
    ) -> tuple[str, ...]:
        return self.get_fields(request, obj)

    @admin.display(description="partner")
    def name_shown(self, partner: Partner) -> SafeString | str:
        return clipped(partner.name)

    @admin.display(description="state")
    def state(self, partner: Partner) -> SafeString:
        state = "active" if partner.is_active else "inactive"
        return label(state, {"active": "success", "inactive": "neutral"})

    @admin.display(description="available")
    def available_shown(self, partner: Partner) -> SafeString | str:
        return money(partner.available)  # type: ignore[attr-defined]

    @admin.display(description="held")
    def held_shown(self, partner: Partner) -> SafeString | str:
        return money(partner.held)  # type: ignore[attr-defined]

    @admin.display(description="since")
    def made_at(self, partner: Partner) -> SafeString | str:
        return instant(partner.created_at)

    @admin.display(description="pushes")
    def pushes(self, partner: Partner) -> SafeString:
        query = {"partner": str(partner.pk)}
        return link(
            reverse("admin:payouts_payment_changelist", query=query), "Pushes of this partner"
        )

    @admin.display(description="settings")
    def settings(self, partner: Partner) -> SafeString:
        address = reverse("backoffice:partner_settings", args=[partner.pk])
        return link(address, "Fees, limits, rules and API clients")
