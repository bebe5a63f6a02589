"""The terms that pushes go out under: fee schedules, limits, approval rules."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from consumers.admin.base import ModelAdmin, NoDelete, clipped, instant, label, money, number
from consumers.admin.filters import PartnerFilter
from payouts.models import ApprovalRule, FeeSchedule, Limit

_ACTIVE = {"active": "success", "off": "neutral"}


@admin.register(FeeSchedule)
class FeeScheduleAdmin(NoDelete, ModelAdmin[FeeSchedule]):
    """What pushes cost from a day on. A schedule that has begun is history and stays as it is."""

    list_display = (
        "partner_shown", "begins", "fixed_shown", "points_shown", "minimum_shown", "maximum_shown",
    )  # fmt: skip
    list_filter = (PartnerFilter,)
    list_filter_submit = True
    autocomplete_fields = ("partner",)
    list_select_related = ("partner",)
    ordering = ("partner__name", "-valid_from")
    sortable_by = ()
    fields = ("partner", "valid_from", "fixed", "basis_points", "minimum", "maximum")

    def has_change_permission(self, request: HttpRequest, obj: FeeSchedule | None = None) -> bool:
        has_begun = obj is not None and obj.valid_from <= timezone.now()
        return super().has_change_permission(request, obj) and not has_begun

    @admin.display(description="partner")
    def partner_shown(self, schedule: FeeSchedule) -> SafeString | str:
        return clipped(schedule.partner.name)

    @admin.display(description="from")
    def begins(self, schedule: FeeSchedule) -> SafeString | str:
        return instant(schedule.valid_from)

    @admin.display(description="fixed")
    def fixed_shown(self, schedule: FeeSchedule) -> SafeString | str:
        return money(schedule.fixed)

    @admin.display(description="basis points")
    def points_shown(self, schedule: FeeSchedule) -> SafeString:
        return number(schedule.basis_points)

    @admin.display(description="at least")
    def minimum_shown(self, schedule: FeeSchedule) -> SafeString | str:
        return money(schedule.minimum)

    @admin.display(description="at most")
    def maximum_shown(self, schedule: FeeSchedule) -> SafeString | str:
        return money(schedule.maximum)


@admin.register(Limit)
class LimitAdmin(NoDelete, ModelAdmin[Limit]):
    list_display = ("partner_shown", "scope_shown", "amount_shown", "count_shown")
    list_filter = (PartnerFilter,)
    list_filter_submit = True
    autocomplete_fields = ("partner",)
    list_select_related = ("partner",)
    ordering = ("partner__name", "scope")
    sortable_by = ()
    fields = ("partner", "scope", "max_amount", "max_count")

    @admin.display(description="partner")
    def partner_shown(self, limit: Limit) -> SafeString | str:
        return clipped(limit.partner.name)

    @admin.display(description="for each")
    def scope_shown(self, limit: Limit) -> str:
        return limit.scope.replace("_", " and ")

    @admin.display(description="at most (USD)")
    def amount_shown(self, limit: Limit) -> SafeString | str:
        return money(limit.max_amount)

    @admin.display(description="at most (pushes)")
    def count_shown(self, limit: Limit) -> SafeString | str:
        return "-" if limit.max_count is None else number(limit.max_count)


@admin.register(ApprovalRule)
class ApprovalRuleAdmin(NoDelete, ModelAdmin[ApprovalRule]):
    """Every active rule that matches a push applies to it; an empty condition does not narrow."""

    list_display = ("rule_name", "partner_name", "when", "asks_for", "state")
    list_filter = (PartnerFilter,)
    list_filter_submit = True
    autocomplete_fields = ("partner",)
    list_select_related = ("partner", "group")
    ordering = ("name",)
    sortable_by = ()
    fieldsets = (
        (None, {"fields": ("name", "partner", "is_active")}),
        (
            "When",
            {
                "description": "Conditions that are left empty do not narrow the rule.",
                "fields": ("amount_at_least", "source", "first_push_to_card", "card_younger_than"),
            },
        ),
        ("Then it needs", {"fields": ("decisions", "group")}),
    )

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and db_field.name == "first_push_to_card":
            field.widget.choices = _FIRST_PUSH_CHOICES
        if field is not None and db_field.name == "card_younger_than":
            field.help_text = "Days and time: 7 00:00:00 is a week."
        return field

    @admin.display(description="rule")
    def rule_name(self, rule: ApprovalRule) -> SafeString | str:
        return clipped(rule.name)

    @admin.display(description="partner")
    def partner_name(self, rule: ApprovalRule) -> SafeString | str:
        return clipped(rule.partner.name) if rule.partner else "every partner"

    @admin.display(description="when")
    def when(self, rule: ApprovalRule) -> str:
        conditions = [
            f"${rule.amount_at_least:,.2f} or more" if rule.amount_at_least is not None else "",
            f"source is {rule.source.replace('_', ' ')}" if rule.source else "",
            _FIRST_PUSH[rule.first_push_to_card],
            f"card younger than {rule.card_younger_than}" if rule.card_younger_than else "",
        ]
        return ", ".join(filter(None, conditions)) or "always"

    @admin.display(description="needs")
    def asks_for(self, rule: ApprovalRule) -> str:
        people = f"of group {rule.group.name}" if rule.group else "of anybody who may approve"
        return f"{rule.decisions} {people}"

    @admin.display(description="state")
    def state(self, rule: ApprovalRule) -> SafeString:
        return label("active" if rule.is_active else "off", _ACTIVE)


_FIRST_PUSH_CHOICES = (
    ("unknown", "It does not matter"),
    ("true", "It is the first push to the card"),
    ("false", "The card was pushed to before"),
)
_FIRST_PUSH: dict[Any, str] = {
    None: "",
    True: "first push to the card",
    False: "not the first push to the card",
}
