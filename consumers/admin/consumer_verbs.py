"""What staff do to consumers: add, edit, close, open again, look at what is masked, add a card.

Each reads a form and calls one operation, which records itself. A form is shown again with all that
was typed but card numbers and tax identifiers.
"""

from typing import Any, Final

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.views.decorators.debug import sensitive_post_parameters

from consumers.admin.base import VerbAdmin, detail_verb, me
from consumers.admin.person_forms import (
    CloseForm,
    ConsumerEditForm,
    NewCardForm,
    NewConsumerForm,
    WhyForm,
    seen_mark,
)
from consumers.admin.verbs import Question, ask, back_to, page_of, sent
from consumers.eligibility import eligibility_source
from consumers.models import Consumer
from consumers.operations.cards import (
    AddedCard,
    CardNotAcceptable,
    EligibilityUnavailable,
    add_card,
    check_card,
)
from consumers.operations.consumers import (
    ClosedByPartner,
    ConsumerExists,
    ConsumerInactive,
    cancel_consumer_account,
    register_consumer,
    reopen_consumer_account,
    reveal_identity,
    update_consumer,
)

ADD: Final = "consumers.add_consumer"
CHANGE: Final = "consumers.change_consumer"
ADD_CARD: Final = "consumers.add_paymentcard"
REVEAL: Final = "consumers.reveal_consumer"

_TAKEN: Final = "The partner has a consumer with this pcid already."
_CLOSED: Final = "The account is closed, so nothing about it changes."
_CHANGED_MEANWHILE: Final = (
    "Somebody changed this consumer while you did. Nothing of yours is saved: look again."
)


class ConsumerVerbs(VerbAdmin[Consumer]):
    actions_detail = ("edit", "add_card", "reveal", "close", "reopen")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(ADD)

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """The admin's own form writes nothing. `has_manage_permission` lets people use verbs."""
        return False

    def has_manage_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(CHANGE)

    def has_add_card_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(ADD_CARD)

    def has_reveal_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm(REVEAL)

    def offered(self, request: HttpRequest, row: Consumer) -> list[str]:
        verbs = ["edit", "add_card", "close"] if row.is_active else []
        if not row.is_active and row.closed_by_user_id is not None:
            verbs.append("reopen")
        if row.date_of_birth is not None or row.tax_identifier_last4:
            verbs.append("reveal")
        return verbs

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        return _add_page(request, self.admin_site)

    @detail_verb(
        permissions=["manage"], description="Edit", url_path="edit", icon="edit", variant="primary"
    )
    def edit(self, request: HttpRequest, object_id: str) -> HttpResponse:
        consumer = self.row_or_404(request, object_id)
        if not consumer.is_active:
            messages.error(request, _CLOSED)
            return back_to(consumer)
        return _edit_page(request, consumer, self.admin_site)

    @detail_verb(
        permissions=["add_card"],
        description="Add a card",
        url_path="add-card",
        icon="add_card",
        variant="default",
    )
    def add_card(self, request: HttpRequest, object_id: str) -> HttpResponse:
        consumer = self.row_or_404(request, object_id)
        if not consumer.is_active:
            messages.error(request, _CLOSED)
            return back_to(consumer)
        return _add_card_page(request, consumer, self.admin_site)

    @detail_verb(
        permissions=["reveal"],
        description="Show identity",
        url_path="reveal",
        icon="visibility",
        variant="default",
    )
    def reveal(self, request: HttpRequest, object_id: str) -> HttpResponse:
        consumer = self.row_or_404(request, object_id)
        form = WhyForm(sent(request))
        if not form.is_valid():
            question = Question(
                title="Show the identity",
                consequences="You will see the date of birth and the tax id whole, once. That you "
                "looked, and why, stays in the audit trail.",
                facts=_facts(consumer),
            )
            return ask(request, question, site=self.admin_site, about=consumer, form=form)
        identity = reveal_identity(consumer, reason=form.cleaned_data["reason"])
        return _page(
            request,
            "admin/consumers/consumer/identity.html",
            self.admin_site,
            title="Identity",
            consumer=consumer,
            identity=identity,
        )

    @detail_verb(
        permissions=["manage"],
        description="Close account",
        url_path="close",
        icon="block",
        variant="danger",
    )
    def close(self, request: HttpRequest, object_id: str) -> HttpResponse:
        consumer = self.row_or_404(request, object_id)
        form = CloseForm(sent(request))
        if not form.is_valid():
            question = Question(
                title="Close this account",
                consequences="Nothing is pushed to this person from now on, and nothing about them "
                "changes. Pushes that were accepted go on. Staff can open the account again.",
                facts=_facts(consumer),
                tone="danger",
            )
            return ask(request, question, site=self.admin_site, about=consumer, form=form)
        cancel_consumer_account(consumer, by_user=me(request), **form.cleaned_data)
        messages.success(request, "The account is closed.")
        return back_to(consumer)

    @detail_verb(
        permissions=["manage"],
        description="Open again",
        url_path="reopen",
        icon="undo",
        variant="default",
    )
    def reopen(self, request: HttpRequest, object_id: str) -> HttpResponse:
        consumer = self.row_or_404(request, object_id)
        form = WhyForm(sent(request))
        if not form.is_valid():
            question = Question(
                title="Open this account again",
                consequences="Pushes to this person are possible again. You will not be able to "
                "approve them.",
                facts=_facts(consumer),
            )
            return ask(request, question, site=self.admin_site, about=consumer, form=form)
        try:
            reason = form.cleaned_data["reason"]
            reopen_consumer_account(consumer, reason=reason, by_user=me(request))
        except ClosedByPartner:
            messages.error(request, "The partner closed this account, which is for good.")
        else:
            messages.success(request, "The account is open again.")
        return back_to(consumer)


@sensitive_post_parameters()
def _add_page(request: HttpRequest, site: AdminSite) -> HttpResponse:
    form = NewConsumerForm(sent(request))
    if form.is_valid():
        partner = form.cleaned_data["partner"]
        try:
            consumer = register_consumer(partner.pk, by_user=me(request), **form.members)
        except ConsumerExists:
            form.add_error("pcid", _TAKEN)
        else:
            messages.success(request, "The consumer is added. Now a card can be.")
            return back_to(consumer)
    address = reverse("admin:consumers_consumer_changelist")
    return form_page(request, form, site, title="Add a consumer", button="Add", back=address)


@sensitive_post_parameters()
def _edit_page(request: HttpRequest, consumer: Consumer, site: AdminSite) -> HttpResponse:
    form = ConsumerEditForm(consumer, sent(request))
    if form.is_valid():
        if form.cleaned_data["seen"] != seen_mark(consumer):
            messages.error(request, _CHANGED_MEANWHILE)
            return back_to(consumer)
        if not form.members:
            messages.info(request, "Nothing was changed.")
            return back_to(consumer)
        try:
            update_consumer(consumer, by_user=me(request), **form.members)
        except ConsumerExists:
            form.add_error("pcid", _TAKEN)
        except ConsumerInactive:
            messages.error(request, _CLOSED)
            return back_to(consumer)
        else:
            messages.success(request, "Saved.")
            return back_to(consumer)
    title = f"Edit {consumer}"
    return form_page(request, form, site, title=title, button="Save", back=page_of(consumer))


@sensitive_post_parameters()
def _add_card_page(request: HttpRequest, consumer: Consumer, site: AdminSite) -> HttpResponse:
    form = NewCardForm(sent(request))
    if form.is_valid():
        try:
            added = add_card(consumer, by_user=me(request), **form.members)
        except CardNotAcceptable as refused:
            form.add_problems(refused.problems)
        except ConsumerInactive:
            messages.error(request, _CLOSED)
            return back_to(consumer)
        else:
            _say_added(request, added)
            return back_to(added.card)
    title = f"Add a card of {consumer}"
    back = page_of(consumer)
    return form_page(request, form, site, title=title, button="Add the card", back=back)


def _say_added(request: HttpRequest, added: AddedCard) -> None:
    """Ask the network about a new card once, and say what there is. No number is in it."""
    card = added.card
    if not added.is_new:
        messages.warning(request, f"The consumer has this card already: {card}, {card.status}.")
        return
    try:
        check_card(card, source=eligibility_source())
    except EligibilityUnavailable:
        messages.success(request, f"{card} is added. The network could not say yet what it takes.")
        return
    takes = "takes pushes" if card.push_eligible else "takes no pushes"
    messages.success(request, f"{card} is added. The network says that it {takes}.")


def form_page(
    request: HttpRequest, form: Form, site: AdminSite, *, title: str, button: str, back: str
) -> HttpResponse:
    """A page with a form in sections, which browsers are told not to keep."""
    return _page(
        request,
        "admin/consumers/form.html",
        site,
        title=title,
        form=form,
        button=button,
        back=back,
    )


def _page(
    request: HttpRequest,
    template: str,
    site: AdminSite,
    *,
    title: str,
    **context: Any,
) -> HttpResponse:
    whole = {**site.each_context(request), "title": title, **context}
    response = TemplateResponse(request, template, whole)
    add_never_cache_headers(response)
    return response


def _facts(consumer: Consumer) -> list[tuple[str, Any]]:
    return [
        ("Consumer", consumer.full_name or "-"),
        ("pcid", consumer.pcid),
        ("Partner", consumer.partner),
    ]
