"""API clients: looked up, and stopped. Making one, and giving it a secret, takes two people.

That is proposed on pages of the back office; only their addresses are known here.
"""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.safestring import SafeString

from consumers.admin.base import (
    ReadOnly,
    TabularInline,
    VerbAdmin,
    clipped,
    detail_verb,
    instant,
    label,
)
from consumers.admin.filters import PartnerFilter
from consumers.admin.verbs import NothingToFill, Question, ask, back_to
from consumers.models import APIClient, APIClientSecret
from consumers.operations.api_clients import (
    LastSecret,
    disable_api_client,
    remove_client_secret,
)


class SecretInline(ReadOnly, TabularInline[APIClientSecret, APIClient]):
    """Which of the two places are taken, and since when. What a secret is, nobody can show."""

    model = APIClientSecret
    verbose_name_plural = "secrets"
    fields = ("slot", "made_at")
    readonly_fields = fields
    ordering = ("slot",)
    extra = 0
    hide_title = True

    @admin.display(description="made")
    def made_at(self, secret: APIClientSecret) -> SafeString | str:
        return instant(secret.created_at)


@admin.register(APIClient)
class APIClientAdmin(ReadOnly, VerbAdmin[APIClient]):
    list_display = ("name_shown", "partner_shown", "id_shown", "permitted", "state", "made_at")
    list_select_related = ("partner",)
    list_filter = (PartnerFilter,)
    list_filter_submit = True
    autocomplete_fields = ("partner",)
    search_fields = ("name__istartswith", "client_id__startswith")
    search_help_text = "Name or client id, or how it begins"
    ordering = ("-pk",)
    sortable_by = ()
    actions_detail = ("add_secret", "remove_older_secret", "disable")
    inlines = (SecretInline,)

    def get_fields(self, request: HttpRequest, obj: APIClient | None = None) -> tuple[str, ...]:
        return ("partner", "name", "client_id", "permitted", "state", "made_at")

    def get_readonly_fields(
        self, request: HttpRequest, obj: APIClient | None = None
    ) -> tuple[str, ...]:
        return self.get_fields(request, obj)

    def offered(self, request: HttpRequest, row: APIClient) -> tuple[str, ...]:
        if row.disabled_at is not None:
            return ()
        secrets = row.secrets.count()
        return ("disable", "add_secret" if secrets < 2 else "remove_older_secret")

    def has_manage_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("consumers.change_apiclient")

    @admin.display(description="client")
    def name_shown(self, client: APIClient) -> SafeString | str:
        return clipped(client.name)

    @admin.display(description="partner")
    def partner_shown(self, client: APIClient) -> SafeString | str:
        return clipped(client.partner.name)

    @admin.display(description="client id")
    def id_shown(self, client: APIClient) -> SafeString | str:
        return clipped(client.client_id)

    @admin.display(description="may")
    def permitted(self, client: APIClient) -> str:
        return ", ".join(client.scopes)

    @admin.display(description="state")
    def state(self, client: APIClient) -> SafeString:
        state = "disabled" if client.disabled_at else "enabled"
        return label(state, {"enabled": "success", "disabled": "danger"})

    @admin.display(description="made")
    def made_at(self, client: APIClient) -> SafeString | str:
        return instant(client.created_at)

    @detail_verb(
        permissions=["manage"],
        description="Propose a secret",
        url_path="add-secret",
        icon="key",
        variant="default",
    )
    def add_secret(self, request: HttpRequest, object_id: str) -> HttpResponse:
        client = self.row_or_404(request, object_id)
        query = {"partner": str(client.partner_id), "subject": str(client.pk)}
        address = reverse("backoffice:propose", args=["api_client_secret"], query=query)
        return HttpResponseRedirect(address)

    @detail_verb(
        permissions=["manage"],
        description="Remove older secret",
        url_path="remove-older-secret",
        icon="key_off",
        variant="default",
    )
    def remove_older_secret(self, request: HttpRequest, object_id: str) -> HttpResponse:
        client = self.row_or_404(request, object_id)
        if request.method != "POST":
            return self._ask(
                request,
                client,
                title="Remove the older secret",
                consequences="No new token is given for it from now on. Tokens that it was given "
                "stay good until they expire.",
                tone="danger",
            )
        older = client.secrets.order_by("created_at").first()
        try:
            if older is not None:
                remove_client_secret(client, slot=older.slot)
        except LastSecret as refusal:
            messages.error(request, f"{refusal} Disable the client instead.")
            return back_to(client)
        self.log_change(request, client, "Removed the older secret.")
        messages.success(request, "The older secret is gone.")
        return back_to(client)

    @detail_verb(
        permissions=["manage"],
        description="Disable",
        url_path="disable",
        icon="block",
        variant="danger",
    )
    def disable(self, request: HttpRequest, object_id: str) -> HttpResponse:
        client = self.row_or_404(request, object_id)
        if request.method != "POST":
            return self._ask(
                request,
                client,
                title="Disable this client",
                consequences="Its secrets and its tokens are refused from the next request on. It "
                "cannot be enabled again; a new client can be made.",
                tone="danger",
            )
        disable_api_client(client)
        self.log_change(request, client, "Disabled.")
        messages.success(request, f"{client.name} is disabled.")
        return back_to(client)

    def _ask(
        self,
        request: HttpRequest,
        client: APIClient,
        *,
        title: str,
        consequences: str,
        tone: str = "primary",
    ) -> HttpResponse:
        question = Question(
            title=title,
            consequences=consequences,
            tone=tone,
            facts=[
                ("Client", client.name),
                ("Client id", client.client_id),
                ("Partner", client.partner),
            ],
        )
        return ask(request, question, site=self.admin_site, about=client, form=NothingToFill())
