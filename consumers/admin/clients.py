"""API clients: made, given secrets and disabled by operations only; a secret is shown once."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString

from consumers.admin.base import (
    NoDelete,
    ReadOnly,
    TabularInline,
    VerbAdmin,
    clipped,
    detail_verb,
    instant,
    label,
)
from consumers.admin.filters import PartnerFilter
from consumers.admin.verbs import NothingToFill, Question, ask, back_to, page_of
from consumers.models import APIClient, APIClientSecret
from consumers.operations.api_clients import (
    ALL_SCOPES,
    LastSecret,
    TwoSecretsAlready,
    add_client_secret,
    create_api_client,
    disable_api_client,
    remove_client_secret,
)

if TYPE_CHECKING:
    from django.forms import CheckboxSelectMultiple as Checkboxes

    ClientForm = forms.ModelForm[APIClient]
else:
    from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget as Checkboxes

    ClientForm = forms.ModelForm

_SCOPES = {"api:read": "api:read: may read", "api:write": "api:write: may do everything"}


class NewClientForm(ClientForm):
    scopes = forms.MultipleChoiceField(
        choices=[(scope, _SCOPES[scope]) for scope in ALL_SCOPES],
        initial=list(ALL_SCOPES),
        widget=Checkboxes,
    )

    class Meta:
        model = APIClient
        fields = ("partner", "name", "scopes")


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
class APIClientAdmin(NoDelete, VerbAdmin[APIClient]):
    added_by_operation = frozenset({"partner", "name", "scopes"})
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
        if obj is None:
            return ("partner", "name", "scopes")
        return ("partner", "name", "client_id", "permitted", "state", "made_at")

    def get_readonly_fields(
        self, request: HttpRequest, obj: APIClient | None = None
    ) -> tuple[str, ...]:
        return () if obj is None else self.get_fields(request, obj)

    def get_form(self, request: HttpRequest, obj: Any = None, *args: Any, **kwargs: Any) -> Any:
        if obj is None:
            kwargs["form"] = NewClientForm
        return super().get_form(request, obj, *args, **kwargs)

    def get_inlines(self, request: HttpRequest, obj: APIClient | None) -> Any:
        return () if obj is None else self.inlines

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody edits a client; it is made anew. `has_manage_permission` lets people use verbs."""
        return False

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

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        # After a client is made its secret is shown, whichever button was pressed.
        context.update(show_save_and_add_another=False, show_save_and_continue=False)
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(self, request: HttpRequest, obj: APIClient, form: Any, change: Any) -> None:
        made = create_api_client(obj.partner, name=obj.name, scopes=form.cleaned_data["scopes"])
        # From here on the page speaks of the row that the operation made.
        obj.pk, obj.client_id = made.client.pk, made.client.client_id
        request.new_secret = made.secret  # type: ignore[attr-defined]

    def response_add(
        self, request: HttpRequest, obj: APIClient, post_url_continue: str | None = None
    ) -> HttpResponse:
        return self._show_secret(request, obj, request.new_secret)  # type: ignore[attr-defined]

    @detail_verb(
        permissions=["manage"],
        description="Add a secret",
        url_path="add-secret",
        icon="key",
        variant="default",
    )
    def add_secret(self, request: HttpRequest, object_id: str) -> HttpResponse:
        client = self.row_or_404(request, object_id)
        if request.method != "POST":
            return self._ask(
                request,
                client,
                title="Add a secret",
                consequences="A second secret is made and shown once. The first stays good, so "
                "that the partner can change over without a break.",
            )
        try:
            secret = add_client_secret(client)
        except TwoSecretsAlready as refusal:
            messages.error(request, str(refusal))
            return back_to(client)
        self.log_change(request, client, "Added a secret.")
        return self._show_secret(request, client, secret)

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

    def _show_secret(self, request: HttpRequest, client: APIClient, secret: str) -> HttpResponse:
        """The one answer that holds the secret: no redirect, so that no cookie or session does."""
        context = {
            **self.admin_site.each_context(request),
            "title": "The secret, once",
            "client": client,
            "secret": secret,
            "object_address": page_of(client),
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/consumers/apiclient/secret.html", context)
