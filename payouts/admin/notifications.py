"""What networks have told us by themselves: all of it, what came of it, and what nobody could use.

What was posted is shown without card numbers. Whoever may, has one used again that was set aside.
"""

from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import orjson
from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.safestring import SafeString

from consumers.admin.base import ReadOnly, detail_verb, instant, label, link
from consumers.admin.filters import DayFilter
from consumers.admin.lists import KeysetAdmin
from consumers.admin.verbs import NothingToFill, Question, ask, back_to
from consumers.audit.masking import masked_text
from consumers.search import uuid_or_none
from consumers.vault import TextUnreadable
from payouts.admin.words import CAME_TO_WORDS, MEANING_WORDS, pretty
from payouts.backoffice.pages import me
from payouts.models import NetworkNotification
from payouts.operations.replay_notification import (
    NotSetAside,
    ReplayNotPermitted,
    replay_notification,
)
from payouts.operations.take_notification import FORGED_BYTES_KEPT, body_of
from payouts.staff import REPLAY_NOTIFICATION

if TYPE_CHECKING:
    from django.contrib.admin import SimpleListFilter as DropdownFilter
else:
    from unfold.contrib.filters.admin import DropdownFilter

_LONGEST_LINE: Final = 1_000
# What a filter offers, and the rows that it means. Of each there is an index, or nearly all rows.
_STATES: Final = {
    "waiting": ("Waits to be used", Q(due_at__isnull=False)),
    "aside": ("Set aside", Q(set_aside_at__isnull=False)),
    "used": ("Used", Q(used_at__isnull=False)),
}
_SIGNED: Final = {
    "yes": ("Signed", Q(is_genuine=True)),
    "no": ("Not signed", Q(is_genuine=False)),
}
_STATE_TONES: Final = {"waiting": "info", "set aside": "danger", "used": "success"}
_SIGNED_TONES: Final = {"signed": "success", "not signed": "warning"}


class _ChoiceFilter(DropdownFilter):
    """One of a few conditions, by name."""

    offered: dict[str, tuple[str, Q]]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, words) for name, (words, _) in self.offered.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        name = self.value()
        if not name:
            return queryset
        if name not in self.offered:
            raise IncorrectLookupParameters(self.parameter_name)
        return queryset.filter(self.offered[name][1])


class StateFilter(_ChoiceFilter):
    title = "what became of it"
    parameter_name = "state"
    offered = _STATES


class SignedFilter(_ChoiceFilter):
    title = "signature"
    parameter_name = "signed"
    offered = _SIGNED


@admin.register(NetworkNotification)
class NotificationAdmin(ReadOnly, KeysetAdmin[NetworkNotification]):
    records_views = True
    list_display = (
        "came_at", "network", "signed_shown", "says", "state_shown", "came_to_shown", "push_shown",
    )  # fmt: skip
    list_filter = (StateFilter, SignedFilter, DayFilter)
    search_fields = ("id",)
    search_help_text = "The id of a push, or of a notification"
    actions_detail = ("use_again",)
    change_form_template = "admin/payouts/networknotification/page.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[NetworkNotification]:
        return super().get_queryset(request).defer("sealed")

    def rows_for_page(self, request: HttpRequest) -> QuerySet[NetworkNotification]:
        return NetworkNotification.objects.all()

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[NetworkNotification], search_term: str
    ) -> tuple[QuerySet[NetworkNotification], bool]:
        text = search_term.strip()
        if not text:
            return queryset, False
        wanted = uuid_or_none(text)
        if wanted is None:
            return queryset.none(), False
        return queryset.filter(Q(payment_id=wanted) | Q(pk=wanted)), False

    def has_replay_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(REPLAY_NOTIFICATION)

    def offered(self, request: HttpRequest, row: NetworkNotification) -> tuple[str, ...]:
        return () if row.set_aside_at is None else ("use_again",)

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        row = context["original"]
        context |= {
            "title": f"Notification of {row.network}",
            "state": self.state_shown(row),
            "signed": self.signed_shown(row),
            "says": MEANING_WORDS.get(row.meaning, ""),
            "came_to": CAME_TO_WORDS.get(row.came_to, ""),
            "body": _shown(row),
            "is_cut": not row.is_genuine and row.size_bytes > FORGED_BYTES_KEPT,
        }
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description="came")
    def came_at(self, row: NetworkNotification) -> SafeString | str:
        return instant(row.received_at, is_exact=True)

    @admin.display(description="signature")
    def signed_shown(self, row: NetworkNotification) -> SafeString:
        return label("signed" if row.is_genuine else "not signed", _SIGNED_TONES)

    @admin.display(description="says")
    def says(self, row: NetworkNotification) -> str:
        return MEANING_WORDS.get(row.meaning, "-")

    @admin.display(description="state")
    def state_shown(self, row: NetworkNotification) -> SafeString:
        return label(_state(row), _STATE_TONES)

    @admin.display(description="came to")
    def came_to_shown(self, row: NetworkNotification) -> str:
        return CAME_TO_WORDS.get(row.came_to, "-")

    @admin.display(description="push")
    def push_shown(self, row: NetworkNotification) -> SafeString | str:
        return "-" if row.payment_id is None else link(_push(row.payment_id), "The push")

    @detail_verb(
        permissions=["replay"], description="Use it again", url_path="use-again", icon="replay",
        variant="primary",
    )  # fmt: skip
    def use_again(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.row_or_404(request, object_id)
        if request.method != "POST":
            told = (
                "A worker makes of it what it says, as if it had just come. If it fails again, it "
                "is tried as often as before."
            )
            facts = [("Network", row.network), ("Came", instant(row.received_at, is_exact=True))]
            question = Question(title="Use it again", consequences=told, facts=facts)
            form = NothingToFill()
            return ask(request, question, site=self.admin_site, about=row, form=form)
        try:
            replay_notification(row.pk, by=me(request))
        except ReplayNotPermitted as refusal:
            raise PermissionDenied from refusal
        except NotSetAside:
            messages.error(request, "It is not set aside any more: look at what came of it.")
        else:
            messages.success(request, "A worker uses it now. Load the page again in a moment.")
        return back_to(row)


def _state(row: NetworkNotification) -> str:
    if row.set_aside_at is not None:
        return "set aside"
    return "waiting" if row.used_at is None else "used"


def _push(payment_id: UUID) -> str:
    return reverse("admin:payouts_payment_change", args=[payment_id])


def _shown(row: NetworkNotification) -> str | None:
    """What was posted, for reading, without card numbers; None if its key is gone."""
    try:
        body = body_of(row)
    except TextUnreadable:
        return None
    try:
        text = pretty(orjson.loads(body))
    except orjson.JSONDecodeError:
        text = body.decode("utf-8", "replace")
    # Twice masked: by the names of fields, and any row of digits that could be a card.
    return "\n".join(masked_text(line, longest=_LONGEST_LINE) for line in text.splitlines())
