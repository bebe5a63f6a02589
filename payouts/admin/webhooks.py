"""Webhooks of partners: how they do, what became of deliveries, a test, a replay, switching off.

Another address or other types are proposed, for a second person to approve.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.contrib import admin, messages
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.safestring import SafeString

from consumers.admin.base import ReadOnly, clipped, detail_verb, instant, label
from consumers.admin.filters import PartnerFilter
from consumers.admin.lists import KeysetAdmin
from consumers.admin.verbs import NothingToFill, Question, ReasonForm, ask, back_to, sent
from consumers.statements import fetch_rows
from payouts.event_record import events_at
from payouts.models import Delivery, DeliveryState, DisabledWhy, EndpointState, WebhookEndpoint
from payouts.operations.replay_deliveries import newest_position, replay_events, replay_range
from payouts.operations.webhook_endpoints import (
    WebhookDisabled,
    WebhookRemoved,
    disable_webhook,
    send_test,
)
from payouts.staff import REPLAY_WEBHOOK

CHANGE: Final = "payouts.change_webhookendpoint"
DELIVERIES_SHOWN: Final = 50

STATE_TONES: Final = {
    "enabled": "success", "failing": "warning", "disabled": "danger", "removed": "neutral",
}  # fmt: skip
DELIVERY_TONES: Final = {
    "due": "info", "sending": "info", "delivered": "success", "parked": "danger",
}  # fmt: skip
WHY_WORDS: Final = {
    "": "",
    DisabledWhy.BY_PARTNER: "The partner switched it off.",
    DisabledWhy.BY_STAFF: "A member of staff switched it off.",
    DisabledWhy.GONE: "It answered 410: it says that it is gone for good.",
    DisabledWhy.FAILING: "For five days it gave no good answer, so we stopped asking.",
}
_OFF: Final = "It is switched off, so nothing is sent. Propose to switch it on first."


@admin.register(WebhookEndpoint)
class WebhookAdmin(ReadOnly, KeysetAdmin[WebhookEndpoint]):
    list_display = ("url_shown", "partner_shown", "state_shown", "hears", "last_good", "made_at")
    list_select_related = ("partner",)
    list_filter = (PartnerFilter,)
    autocomplete_fields = ("partner",)
    search_fields = ("partner",)
    search_help_text = "How the partner's name or the address begins"
    actions_detail = ("send_a_test", "replay_parked", "propose", "disable")
    change_form_template = "admin/payouts/webhookendpoint/page.html"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[WebhookEndpoint], search_term: str
    ) -> tuple[QuerySet[WebhookEndpoint], bool]:
        text = search_term.strip()
        if not text:
            return queryset, False
        found = Q(partner__name__istartswith=text) | Q(url__istartswith=text)
        return queryset.filter(found | Q(url__istartswith=f"https://{text}")), False

    def has_replay_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(REPLAY_WEBHOOK)

    def has_manage_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(CHANGE)

    def offered(self, request: HttpRequest, row: WebhookEndpoint) -> tuple[str, ...]:
        if row.removed_at is not None:
            return ()
        if row.state == EndpointState.DISABLED:
            return ("propose",)
        return ("send_a_test", "replay_parked", "propose", "disable")

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        webhook = context["original"]
        counts = Delivery.objects.filter(endpoint=webhook, state__in=["due", "sending", "parked"])
        by_state = dict(counts.order_by().values_list("state").annotate(Count("pk")))
        context |= {
            "title": f"Webhook of {webhook.partner.name}",
            "state": self.state_shown(webhook),
            "why": WHY_WORDS[webhook.disabled_why],
            "parked": by_state.get("parked", 0),
            "on_their_way": by_state.get("due", 0) + by_state.get("sending", 0),
            "deliveries": _newest(webhook, request.GET.get("status", "")),
            "shown": DELIVERIES_SHOWN,
            "status": request.GET.get("status", ""),
            "can_replay": self.has_replay_permission(request)
            and webhook.state == EndpointState.ENABLED,
        }
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description="address")
    def url_shown(self, webhook: WebhookEndpoint) -> SafeString | str:
        return clipped(webhook.url)

    @admin.display(description="partner")
    def partner_shown(self, webhook: WebhookEndpoint) -> SafeString | str:
        return clipped(webhook.partner.name)

    @admin.display(description="state")
    def state_shown(self, webhook: WebhookEndpoint) -> SafeString:
        return label(_state(webhook), STATE_TONES)

    @admin.display(description="hears")
    def hears(self, webhook: WebhookEndpoint) -> SafeString | str:
        return clipped(", ".join(webhook.types) or "everything")

    @admin.display(description="last good answer")
    def last_good(self, webhook: WebhookEndpoint) -> SafeString | str:
        return instant(webhook.last_success_at)

    @admin.display(description="made")
    def made_at(self, webhook: WebhookEndpoint) -> SafeString | str:
        return instant(webhook.created_at)

    @detail_verb(
        permissions=["replay"], description="Send a test", url_path="test", icon="send",
        variant="default",
    )  # fmt: skip
    def send_a_test(self, request: HttpRequest, object_id: str) -> HttpResponse:
        webhook = self.row_or_404(request, object_id)
        if request.method != "POST":
            told = (
                "An event of the type webhook.test goes to this address, and nowhere else. What "
                "it answers stands in the log below a moment later."
            )
            return self._ask(request, webhook, title="Send a test", consequences=told)
        try:
            send_test(webhook)
        except (WebhookDisabled, WebhookRemoved):
            messages.error(request, _OFF)
        else:
            messages.success(request, "On its way. Its answer will stand in the log.")
        return back_to(webhook)

    @detail_verb(
        permissions=["replay"], description="Replay", url_path="replay", icon="replay",
        variant="primary",
    )  # fmt: skip
    def replay_parked(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """One delivery if the address names it, else all that has not arrived."""
        webhook = self.row_or_404(request, object_id)
        delivery = _delivery(webhook, request.GET.get("delivery", ""))
        if request.method != "POST":
            told = "Everything that it wants to hear and has not received is sent, in order, with "
            told += "the ids that the events have. That includes what happened while it was off."
            if delivery is not None:
                told = "This one event is sent again, with the id that it has."
            return self._ask(request, webhook, title="Replay", consequences=told)
        try:
            if delivery is not None:
                done = replay_events(webhook, positions=[delivery.event_id])
            else:
                done = replay_range(webhook, after=0, to=newest_position())
        except WebhookDisabled:
            messages.error(request, _OFF)
        else:
            more = " There are more: replay again." if done.has_more else ""
            messages.success(request, f"Sending again: {done.events:,}.{more}")
        return back_to(webhook)

    @detail_verb(
        permissions=["manage"], description="Propose a change", url_path="propose", icon="edit",
        variant="default",
    )  # fmt: skip
    def propose(self, request: HttpRequest, object_id: str) -> HttpResponse:
        webhook = self.row_or_404(request, object_id)
        query = {"partner": str(webhook.partner_id), "subject": str(webhook.pk)}
        address = reverse("backoffice:propose", args=["webhook"], query=query)
        return HttpResponseRedirect(address)

    @detail_verb(
        permissions=["manage"], description="Switch off", url_path="disable", icon="block",
        variant="danger",
    )  # fmt: skip
    def disable(self, request: HttpRequest, object_id: str) -> HttpResponse:
        webhook = self.row_or_404(request, object_id)
        form = ReasonForm(sent(request))
        form.fields["reason"].help_text = "Stays in the audit trail."
        if not form.is_valid():
            told = (
                "Nothing is sent to it from now on; what is on its way is parked. The partner is "
                "told by an event. Switching it on again takes two people, or the partner."
            )
            return self._ask(
                request, webhook, form, title="Switch off", consequences=told, tone="danger"
            )
        disable_webhook(webhook, why=DisabledWhy.BY_STAFF, reason=form.cleaned_data["reason"])
        messages.success(request, "It is switched off.")
        return back_to(webhook)

    def _ask(
        self, request: HttpRequest, webhook: WebhookEndpoint, form: Any = None, **asked: Any
    ) -> HttpResponse:
        facts = [("Address", webhook.url), ("Partner", webhook.partner)]
        question = Question(facts=facts, **asked)
        form = form or NothingToFill()
        return ask(request, question, site=self.admin_site, about=webhook, form=form)


@dataclass(frozen=True, slots=True)
class Sent:
    """One event of a push on its way to one webhook. `answer` is the last, if there was one."""

    event: str
    webhook_id: UUID
    url: str
    state: SafeString
    tries: int
    answer: str
    at: datetime | None


_SENT: Final = """
SELECT told.type, endpoint.id, endpoint.url, delivery.state, delivery.tries,
    COALESCE(delivery.last_status::text, delivery.last_error), delivery.last_tried_at
FROM payouts_event event
JOIN payouts_outboxevent told ON told.source = 'payment' AND told.source_id = event.id
JOIN payouts_delivery delivery ON delivery.position = told.position
JOIN payouts_webhookendpoint endpoint
    ON endpoint.id = delivery.endpoint_id AND endpoint.partner_id = told.partner_id
WHERE event.payment_id = %(id)s
ORDER BY told.position, delivery.id LIMIT 200
"""


def webhooks_sent(payment_id: UUID) -> list[Sent]:
    """What of a push was sent to whom, and what came of it: one statement."""
    rows = fetch_rows(_SENT, {"id": payment_id})
    return [
        Sent(event, key, url, label(state, DELIVERY_TONES), tries, said, at)
        for event, key, url, state, tries, said, at in rows
    ]


def _state(webhook: WebhookEndpoint) -> str:
    if webhook.removed_at is not None:
        return "removed"
    if webhook.state == EndpointState.ENABLED and webhook.failing_since is not None:
        return "failing"
    return webhook.state


def _newest(webhook: WebhookEndpoint, state: str) -> list[dict[str, Any]]:
    rows = Delivery.objects.filter(endpoint=webhook).order_by("-event")
    if state in DeliveryState.values:
        rows = rows.filter(state=state)
    found = list(rows[:DELIVERIES_SHOWN])
    events = events_at([row.event_id for row in found])
    return [
        {"row": row, "event": events[row.event_id], "state": label(row.state, DELIVERY_TONES)}
        for row in found
    ]


def _delivery(webhook: WebhookEndpoint, key: str) -> Delivery | None:
    if not (key.isascii() and key.isdigit() and len(key) <= 18):
        return None
    return Delivery.objects.filter(endpoint=webhook, pk=int(key)).first()
