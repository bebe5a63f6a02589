"""The audit trail: who did what. Read-only for everybody; looking at it leaves an entry too."""

from dataclasses import dataclass
from typing import Any, Final

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import NoReverseMatch, URLPattern, path, reverse
from django.utils.safestring import SafeString

from consumers.admin.actors import name_actors
from consumers.admin.base import ReadOnly, clipped, instant, label, link
from consumers.admin.filters import PartnerFilter
from consumers.admin.lists import KeysetAdmin
from consumers.admin.zone import viewer_zone
from consumers.audit import Act, Subject, Verb, record_act
from consumers.models import AuditEntry
from payouts.admin.audit_export import EXPORTED_AT_MOST, as_csv, as_xlsx, is_exportable
from payouts.admin.audit_list import FILTERS, words
from payouts.admin.words import masked, pretty
from payouts.audit.search import find_entries
from payouts.audit.state import chain_state
from payouts.models import AuditBlock

_TRAIL: Final = AuditEntry._meta.label_lower
_RESULTS: Final = {"refused": "warning", "failed": "danger"}
_EXPORTS: Final = {"csv": as_csv, "xlsx": as_xlsx}


@dataclass(frozen=True, slots=True)
class ChangedField:
    """A field as it was and as it became; empty where it was not there."""

    name: str
    before: str
    after: str


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnly, KeysetAdmin[AuditEntry]):
    records_views = True
    list_display = (
        "made_at", "actor_shown", "verb_shown", "subject_shown", "result_shown", "partner_shown",
        "from_where",
    )  # fmt: skip
    list_filter = (*FILTERS, PartnerFilter)
    list_select_related = ("partner",)
    search_fields = ("subject_id",)
    search_help_text = (
        "The id of an object or how what it is called begins, who acted, a request id"
    )
    list_before_template = "admin/consumers/auditentry/chain.html"
    change_form_template = "admin/consumers/auditentry/page.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[AuditEntry]:
        return super().get_queryset(request).select_related("partner")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AuditEntry], search_term: str
    ) -> tuple[QuerySet[AuditEntry], bool]:
        if not search_term.strip():
            return queryset, False
        found = find_entries(search_term, among=queryset)
        if not found.is_complete:
            messages.info(request, "More match than can be shown, so these are the newest.")
        return queryset.filter(pk__in=found.ids), False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        shown = {"chain": chain_state(), "query_string": request.GET.urlencode()}
        answer = super().changelist_view(request, {**shown, **(extra_context or {})})
        if answer.status_code == 200:
            _record(Verb.VIEW, request)
        return answer

    def get_changelist_instance(self, request: HttpRequest) -> ChangeList:
        changes = super().get_changelist_instance(request)
        name_actors(changes.result_list)
        return changes

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.export_view)
        name = "consumers_auditentry_export"
        return [path("export/<str:kind>/", view, name=name), *super().get_urls()]

    def export_view(self, request: HttpRequest, kind: str) -> HttpResponseBase:
        """What the list shows under the same filters, as a file; leaves an entry."""
        if kind not in _EXPORTS or not self.has_view_permission(request):
            raise Http404
        entries = self.get_changelist_instance(request).get_queryset(request)
        if not is_exportable(entries):
            messages.error(
                request,
                f"More than {EXPORTED_AT_MOST:,} entries match. Narrow it down, by days for "
                "example, and export it in parts.",
            )
            address = reverse("admin:consumers_auditentry_changelist")
            return HttpResponseRedirect(f"{address}?{request.GET.urlencode()}")
        _record(Verb.EXPORT, request, kind)
        return _EXPORTS[kind](entries.select_related("partner"), zone=viewer_zone())

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        entry: AuditEntry = context["original"]
        context["title"] = f"Audit entry {entry.pk}"
        name_actors([entry])
        context["who"] = _who(entry)
        context["changed"] = _changed_fields(entry)
        context["subject"] = self.subject_shown(entry)
        context["result"] = self.result_shown(entry)
        context["verb"] = self.verb_shown(entry)
        # Templates keep the name `block` for themselves.
        block = context["linked_in"] = _block_of(entry)
        context["linked_hash"] = bytes(block.hash).hex() if block else ""
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description="when")
    def made_at(self, entry: AuditEntry) -> SafeString | str:
        return instant(entry.created_at)

    @admin.display(description="who")
    def actor_shown(self, entry: AuditEntry) -> SafeString | str:
        return clipped(_who(entry))

    @admin.display(description="did")
    def verb_shown(self, entry: AuditEntry) -> str:
        return words(entry.verb)

    @admin.display(description="to what")
    def subject_shown(self, entry: AuditEntry) -> SafeString | str:
        name = entry.subject_label or entry.subject_id or entry.subject_type
        try:
            place = entry.subject_type.replace(".", "_")
            return link(reverse(f"admin:{place}_change", args=[entry.subject_id]), name)
        except NoReverseMatch:
            return clipped(name)

    @admin.display(description="result")
    def result_shown(self, entry: AuditEntry) -> SafeString:
        return label(entry.result, _RESULTS)

    @admin.display(description="partner")
    def partner_shown(self, entry: AuditEntry) -> SafeString | str:
        return clipped(entry.partner.name) if entry.partner else "-"

    @admin.display(description="from")
    def from_where(self, entry: AuditEntry) -> str:
        return entry.ip_address or "-"


def _who(entry: AuditEntry) -> str:
    """The words that `name_actors` has found."""
    return str(getattr(entry, "actor_words", entry.actor))


def _record(verb: Verb, request: HttpRequest, kind: str = "") -> None:
    """What somebody looked for in the trail belongs into it."""
    narrowed = {name: request.GET[name] for name in request.GET}
    after = {"as": kind, **narrowed} if kind else narrowed
    record_act(Act(verb=verb, subject=Subject(_TRAIL, "", "audit trail"), after=after))


def _changed_fields(entry: AuditEntry) -> list[ChangedField]:
    names = dict.fromkeys((*entry.before, *entry.after))
    return [
        ChangedField(words(name), _text(entry.before.get(name)), _text(entry.after.get(name)))
        for name in names
    ]


def _text(value: Any) -> str:
    if value is None or value == "":
        return ""
    return str(masked(value)) if isinstance(value, str | int) else pretty(value)


def _block_of(entry: AuditEntry) -> AuditBlock | None:
    """The block that covers the entry; None while it waits to be linked."""
    blocks = AuditBlock.objects.filter(source="entry", to_id__gte=entry.pk).order_by("to_id")
    return blocks.defer("marks").first()
