"""What staff do to cards: edit what is noted, ask the network again, take out of use."""

from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse

from consumers.admin.base import VerbAdmin, detail_verb, me
from consumers.admin.consumer_verbs import form_page
from consumers.admin.person_forms import CardEditForm, WhyForm
from consumers.admin.verbs import NothingToFill, Question, ask, back_to, page_of, sent
from consumers.audit import Act, Verb, record_act, subject_of
from consumers.cards import CardNetworkName
from consumers.eligibility import eligibility_source
from consumers.models import CardStatus, PaymentCard
from consumers.operations.cards import (
    CardInactive,
    CardNotAcceptable,
    EligibilityUnavailable,
    check_card,
    deactivate_card,
    edit_card,
)

CHANGE: Final = "consumers.change_paymentcard"
REMOVED_BY_STAFF: Final = "removed_by_staff"
_OUT_OF_USE: Final = "The card was taken out of use, so nothing about it changes."


class CardVerbs(VerbAdmin[PaymentCard]):
    actions_detail = ("ask_network", "edit", "deactivate")

    def has_manage_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Editing is for nobody here; this lets people use the verbs."""
        return request.user.has_perm(CHANGE)

    def offered(self, request: HttpRequest, row: PaymentCard) -> tuple[str, ...]:
        return ("ask_network", "edit", "deactivate") if row.status == CardStatus.ACTIVE else ()

    @detail_verb(
        permissions=["manage"],
        description="Check again",
        url_path="ask-network",
        icon="network_check",
        variant="primary",
    )
    def ask_network(self, request: HttpRequest, object_id: str) -> HttpResponse:
        card = self.row_or_404(request, object_id)
        if request.method != "POST":
            question = Question(
                title="Ask the network about this card",
                consequences="The card's network says whether it takes pushes now, and how fast. "
                "This takes a few seconds.",
                facts=_facts(card),
            )
            return ask(request, question, site=self.admin_site, about=card, form=NothingToFill())
        # The sealed number is read here only, for the one who asks the network.
        whole = PaymentCard.objects.get(pk=card.pk)
        try:
            check_card(whole, source=eligibility_source())
        except CardInactive:
            messages.error(request, _OUT_OF_USE)
        except EligibilityUnavailable:
            messages.error(request, "The network could not say. What was known before stays.")
        else:
            _record_answer(card, whole)
            takes = "takes pushes" if whole.push_eligible else "takes no pushes"
            messages.success(request, f"The network says that the card {takes}.")
        return back_to(card)

    @detail_verb(
        permissions=["manage"], description="Edit", url_path="edit", icon="edit", variant="default"
    )
    def edit(self, request: HttpRequest, object_id: str) -> HttpResponse:
        card = self.row_or_404(request, object_id)
        form = CardEditForm(card, sent(request))
        if form.is_valid():
            if not form.members:
                messages.info(request, "Nothing was changed.")
                return back_to(card)
            try:
                edit_card(card, by_user=me(request), **form.members)
            except CardNotAcceptable as refused:
                form.add_problems(refused.problems)
            except CardInactive:
                messages.error(request, _OUT_OF_USE)
                return back_to(card)
            else:
                messages.success(request, "Saved.")
                return back_to(card)
        title, back = f"Edit {card}", page_of(card)
        return form_page(request, form, self.admin_site, title=title, button="Save", back=back)

    @detail_verb(
        permissions=["manage"],
        description="Deactivate",
        url_path="deactivate",
        icon="block",
        variant="danger",
    )
    def deactivate(self, request: HttpRequest, object_id: str) -> HttpResponse:
        card = self.row_or_404(request, object_id)
        form = WhyForm(sent(request))
        if not form.is_valid():
            question = Question(
                title="Deactivate this card",
                consequences="Nothing is pushed to it from now on. It cannot be activated again, "
                "not even by adding its number anew.",
                facts=_facts(card),
                tone="danger",
            )
            return ask(request, question, site=self.admin_site, about=card, form=form)
        deactivate_card(card, reason=REMOVED_BY_STAFF, why=form.cleaned_data["reason"])
        messages.success(request, "The card is deactivated.")
        return back_to(card)


def _record_answer(before: PaymentCard, after: PaymentCard) -> None:
    """Somebody of the staff had the network's word renewed: that is a change of theirs."""
    said = ("push_eligible", "push_speed")
    act = Act(
        verb=Verb.CHANGE,
        subject=subject_of(after),
        before={name: getattr(before, name) for name in said},
        after={name: getattr(after, name) for name in said},
        reason="asked the network",
    )
    record_act(act)


def _facts(card: PaymentCard) -> list[tuple[str, Any]]:
    return [
        ("Card", f"{CardNetworkName(card.network).words} {card.bin} ···· {card.last4}"),
        ("Consumer", card.consumer),
        ("Partner", card.partner),
    ]
