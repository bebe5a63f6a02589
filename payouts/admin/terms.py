"""The terms that pushes go out under, to be looked up: fee schedules, limits, approval rules.

Nobody changes them here. The settings of a partner do, by a proposal that somebody else approves.
"""

from typing import Any

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from consumers.admin.base import (
    ModelAdmin,
    ReadOnly,
    clipped,
    instant,
    label,
    link,
    money,
    number,
)
from consumers.admin.filters import PartnerFilter
from consumers.models import Partner
from payouts.backoffice.words import share_words
from payouts.models import ApprovalRule, FeeSchedule, Limit

_ACTIVE = {"active": "success", "off": "neutral"}


@admin.register(FeeSchedule)
class FeeScheduleAdmin(ReadOnly, ModelAdmin[FeeSchedule]):
    """What pushes cost from a day on. A schedule that has begun is history and stays as it is."""

    list_display_links = ("begins",)
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

    @admin.display(description="partner")
    def partner_shown(self, schedule: FeeSchedule) -> SafeString | str:
        return _settings_of(schedule.partner)

    @admin.display(description="from")
    def begins(self, schedule: FeeSchedule) -> SafeString | str:
        return instant(schedule.valid_from)

    @admin.display(description="fixed")
    def fixed_shown(self, schedule: FeeSchedule) -> SafeString | str:
        return money(schedule.fixed)

    @admin.display(description="basis points")
    def points_shown(self, schedule: FeeSchedule) -> SafeString:
        points = schedule.basis_points
        return format_html("{} ({})", number(points), share_words(points))

    @admin.display(description="at least")
    def minimum_shown(self, schedule: FeeSchedule) -> SafeString | str:
        return money(schedule.minimum)

    @admin.display(description="at most")
    def maximum_shown(self, schedule: FeeSchedule) -> SafeString | str:
        return money(schedule.maximum)


@admin.register(Limit)
class LimitAdmin(ReadOnly, ModelAdmin[Limit]):
    list_display = ("partner_shown", "scope_shown", "amount_shown", "count_shown")
    list_display_links = ("scope_shown",)
    list_filter = (PartnerFilter,)
    list_filter_submit = True
    autocomplete_fields = ("partner",)
    list_select_related = ("partner",)
    ordering = ("partner__name", "scope")
    sortable_by = ()
    fields = ("partner", "scope", "max_amount", "max_count")

    @admin.display(description="partner")
    def partner_shown(self, limit: Limit) -> SafeString | str:
        return _settings_of(limit.partner)

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
class ApprovalRuleAdmin(ReadOnly, ModelAdmin[ApprovalRule]):
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
                "fields": (
                    "amount_at_least",
                    "source",
                    "first_push_to_card",
                    "card_younger_than",
                    "possible_duplicate",
                ),
            },
        ),
        ("Then it needs", {"fields": ("decisions", "group")}),
    )

    @admin.display(description="rule")
    def rule_name(self, rule: ApprovalRule) -> SafeString | str:
        return clipped(rule.name)

    @admin.display(description="partner")
    def partner_name(self, rule: ApprovalRule) -> SafeString | str:
        return _settings_of(rule.partner) if rule.partner else "every partner"

    @admin.display(description="when")
    def when(self, rule: ApprovalRule) -> str:
        conditions = [
            f"${rule.amount_at_least:,.2f} or more" if rule.amount_at_least is not None else "",
            f"source is {rule.source.replace('_', ' ')}" if rule.source else "",
            _FIRST_PUSH[rule.first_push_to_card],
            f"card younger than {rule.card_younger_than}" if rule.card_younger_than else "",
            "possible duplicate" if rule.possible_duplicate else "",
        ]
        return ", ".join(filter(None, conditions)) or "always"

    @admin.display(description="needs")
    def asks_for(self, rule: ApprovalRule) -> str:
        people = f"of group {rule.group.name}" if rule.group else "of anybody who may approve"
        return f"{rule.decisions} {people}"

    @admin.display(description="state")
    def state(self, rule: ApprovalRule) -> SafeString:
        return label("active" if rule.is_active else "off", _ACTIVE)


_FIRST_PUSH: dict[Any, str] = {
    None: "",
    True: "first push to the card",
    False: "not the first push to the card",
}


def _settings_of(partner: Partner) -> SafeString:
    return link(reverse("backoffice:partner_settings", args=[partner.pk]), clipped(partner.name))
