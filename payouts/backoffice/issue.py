"""Issuing a push: find the payee, fill in while the quote follows, confirm, send once.

What was typed stands in the addresses of the form and of the confirm page, so that Back, loading
anew and a sign-in in the middle find it. Only the confirm page's form sends something.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from consumers.admin.lists import without_whole_number
from consumers.models import Consumer, PaymentCard
from consumers.operations.cards import CardInactive, EligibilityUnavailable, check_card
from payouts.actors import staff
from payouts.approvals import Matter, Source
from payouts.backoffice.issue_form import PushForm
from payouts.backoffice.pages import me, shown, staff_fragment, staff_page
from payouts.backoffice.payees import (
    Hits,
    card_of,
    cards_of,
    partners_to_choose_from,
    payee,
    payee_hits,
)
from payouts.backoffice.quote_panel import QuotePanel, quote_panel
from payouts.backoffice.ticket import NotATicket, Ticket, key_of, marked_key, new_key
from payouts.models import IdempotencyKey
from payouts.networks.eligibility import eligibility_of
from payouts.operations.facts import Wish
from payouts.operations.request_payment import (
    PaymentRefused,
    PushRequest,
    Replayed,
    RequestInProgress,
    TermsChanged,
    request_payment,
)
from payouts.payment_record import PaymentRecord
from payouts.staff import ISSUE_PAYMENT

TITLE: Final = "Issue a push"

_CHANGED: Final = "Something has changed since you looked. This is how it is now."
_BUSY: Final = "The push is being worked on. Press the button again: it is sent once."
_STALE: Final = "You looked at this more than an hour ago. This is how it is now."
_NOT_OURS: Final = "This page cannot be sent any more. Begin anew."


@staff_page(ISSUE_PAYMENT)
@require_GET
def issue(request: HttpRequest) -> HttpResponse:
    """The search for a payee or, once one is named, the form."""
    if not request.GET.get("consumer"):
        query = without_whole_number(request)
        return HttpResponseRedirect(f"{request.path}?{query}") if query else _finder_page(request)
    consumer = _payee_or_404(request.GET["consumer"])
    # Filled in: somebody came back from the confirm page.
    is_filled = "amount" in request.GET
    form = PushForm(request.GET) if is_filled else PushForm(initial=request.GET.dict())
    return _form_page(request, form, consumer)


@staff_fragment(ISSUE_PAYMENT)
@require_GET
def payees(request: HttpRequest) -> HttpResponse:
    """Whom the typed text may mean. The page is opened anew where that is a whole card number."""
    query = without_whole_number(request)
    if query:
        return HttpResponse(headers={"HX-Redirect": f"{reverse('backoffice:issue')}?{query}"})
    return render(request, "backoffice/payees.html", {"hits": _hits(request), "is_update": True})


@staff_fragment(ISSUE_PAYMENT)
@require_GET
def quote(request: HttpRequest) -> HttpResponse:
    """The quote for what is filled in so far."""
    form = PushForm(request.GET)
    consumer = _payee_or_404(request.GET.get("consumer", ""))
    panel = _panel(request, form, consumer) if form.is_valid() else None
    context = {"form": form, "panel": panel, "is_update": True}
    return render(request, "backoffice/quote.html", context)


@staff_page(ISSUE_PAYMENT)
@require_POST
def ask_network(request: HttpRequest) -> HttpResponse:
    """Ask the card's network whether it can be pushed to, and show the cards as they are then."""
    consumer = _payee_or_404(request.POST.get("consumer", ""))
    asked = request.POST.get("ask", "")
    problem = _ask_about(consumer, _uuid_or_404(asked))
    chosen = request.POST.get("card") or asked
    if "HX-Request" in request.headers:
        context = {**_cards_context(consumer, chosen=chosen), "problem": problem}
        response = render(request, "backoffice/cards.html", context)
        response["HX-Trigger"] = "cards-asked"
        return response
    if problem:
        messages.error(request, problem)
    return HttpResponseRedirect(_form_address({"consumer": str(consumer.pk), "card": chosen}))


def _form_left_behind(request: HttpRequest) -> str:
    return _form_address(PushForm(request.POST).values())


@staff_page(ISSUE_PAYMENT, kept=_form_left_behind)
def confirm(request: HttpRequest) -> HttpResponse:
    """Repeat exactly what will happen, or lead to the form, which says what is against it.

    The form is sent here and leads to this page's own address, with what was typed and a key that
    counts once. Where that key has made a push, the address leads to the push.
    """
    if request.method == "POST":
        return _take_typed(request)
    if not request.GET:
        return HttpResponseRedirect(reverse("backoffice:issue"))
    form = PushForm(request.GET)
    if not form.is_valid():
        return HttpResponseRedirect(_form_address(form.values()))
    values = form.cleaned_values()
    try:
        key = key_of(request.GET.get("key", ""), values, user_id=me(request).pk)
    except NotATicket:
        return HttpResponseRedirect(_form_address(values))
    consumer = _payee_or_404(values["consumer"])
    issued = _issued_under(key, partner_id=consumer.partner_id)
    if issued is not None:
        return _to_push(issued)
    panel = _panel(request, form, consumer)
    if panel.problems:
        return HttpResponseRedirect(_form_address(values))
    return _confirm_page(request, _ticket(request, key, form, consumer, panel), consumer, panel)


def _page_left_behind(request: HttpRequest) -> str:
    try:
        return _confirm_address(Ticket.left_behind(request.POST.get("ticket", "")))
    except NotATicket:
        return ""


@staff_page(ISSUE_PAYMENT, kept=_page_left_behind)
@require_POST
def send(request: HttpRequest) -> HttpResponse:
    """Issue the push of a confirm page, once however often it is sent, and lead to its page."""
    try:
        ticket = Ticket.opened(request.POST.get("ticket", ""), by_user_id=me(request).pk)
    except NotATicket:
        messages.error(request, _NOT_OURS)
        return HttpResponseRedirect(reverse("backoffice:issue"))
    issued = _issued_under(ticket.key, partner_id=ticket.partner_id)
    if issued is not None:
        return _to_push(issued)
    consumer = _payee_or_404(str(ticket.consumer_id))
    if ticket.is_stale(timezone.now()):
        return _show_again(request, ticket, _STALE)
    if ticket.payee != _as_shown(consumer):
        return _show_again(request, ticket, _CHANGED)
    try:
        answer = request_payment(_push_request(request, ticket), body_of=_body_of)
    except (TermsChanged, PaymentRefused):
        return _show_again(request, ticket, _CHANGED)
    except RequestInProgress:
        return _show_again(request, ticket, _BUSY)
    if isinstance(answer, Replayed):
        return _to_push(UUID(answer.body.decode()))
    waits = answer.payment.approval_expires_at is not None
    messages.success(request, "Issued. It waits for approval." if waits else "Issued.")
    return _to_push(answer.payment.id)


def _ask_about(consumer: Consumer, card_id: UUID) -> str:
    """Ask, and say what was in the way; empty if nothing was."""
    card = PaymentCard.objects.filter(consumer=consumer, pk=card_id).first()
    if card is None:
        raise Http404
    try:
        check_card(card, source=eligibility_of)
    except CardInactive:
        return "The card is deactivated."
    except EligibilityUnavailable:
        return "The network could not say. What was known before stays."
    return ""


def _finder_page(request: HttpRequest) -> HttpResponse:
    return shown(
        request,
        "backoffice/find_payee.html",
        title=TITLE,
        hits=_hits(request),
        partners=partners_to_choose_from(),
        chosen_partner=request.GET.get("partner", ""),
    )


def _hits(request: HttpRequest) -> Hits:
    partner = request.GET.get("partner")
    text = request.GET.get("q", "")[:200].replace("\0", " ")
    return payee_hits(text, partner_id=_uuid_or_404(partner) if partner else None)


def _form_page(request: HttpRequest, form: PushForm, consumer: Consumer) -> HttpResponse:
    panel = _panel(request, form, consumer) if form.is_bound and form.is_valid() else None
    return shown(
        request,
        "backoffice/issue.html",
        title=TITLE,
        form=form,
        panel=panel,
        **_cards_context(consumer, chosen=form.chosen_card),
    )


def _cards_context(consumer: Consumer, *, chosen: str) -> dict[str, Any]:
    cards = cards_of(consumer, at=timezone.now())
    usable = [choice for choice in cards if not choice.hindrance]
    if not chosen and len(usable) == 1:
        chosen = str(usable[0].card.pk)
    return {"consumer": consumer, "cards": cards, "chosen": chosen}


def _take_typed(request: HttpRequest) -> HttpResponse:
    """Lead to the page of what was typed: an address can be opened again, a sent form cannot."""
    form = PushForm(request.POST)
    consumer = _payee_or_404(request.POST.get("consumer", ""))
    if form.holds_a_card_number:
        return _form_page(request, form, consumer)
    if not form.is_valid():
        return HttpResponseRedirect(_form_address(form.values()))
    values = form.cleaned_values()
    key = marked_key(new_key(), values, user_id=me(request).pk)
    return HttpResponseRedirect(_address("backoffice:confirm_push", {**values, "key": key}))


def _ticket(
    request: HttpRequest, key: str, form: PushForm, consumer: Consumer, panel: QuotePanel
) -> Ticket:
    return Ticket(
        key=key,
        user_id=me(request).pk,
        partner_id=consumer.partner_id,
        consumer_id=consumer.pk,
        card_id=form.cleaned_data["card"],
        payee=_as_shown(consumer),
        amount=panel.quote.amount,
        description=form.cleaned_data["description"],
        reference=form.cleaned_data["reference"],
        terms=panel.quote.terms,
        made_at=panel.quote.quoted_at,
    )


def _confirm_page(
    request: HttpRequest, ticket: Ticket, consumer: Consumer, panel: QuotePanel
) -> HttpResponse:
    return shown(
        request,
        "backoffice/confirm_push.html",
        title=TITLE,
        ticket=ticket,
        sealed=ticket.sealed(),
        consumer=consumer,
        choice=card_of(consumer, ticket.card_id, at=timezone.now()),
        panel=panel,
        form_address=_form_address(_values(ticket)),
    )


def _show_again(request: HttpRequest, ticket: Ticket, note: str) -> HttpResponse:
    """The confirm page as it is now, with the key that it had; the form, if it cannot be done."""
    messages.warning(request, note)
    return HttpResponseRedirect(_confirm_address(ticket))


def _issued_under(key: str, *, partner_id: UUID) -> UUID | None:
    """The push that an earlier click has issued: found even when the page has become stale."""
    keys = IdempotencyKey.objects.filter(partner_id=partner_id, key=key)
    return keys.values_list("payment_id", flat=True).first()


def _push_request(request: HttpRequest, ticket: Ticket) -> PushRequest:
    person = me(request)
    return PushRequest(
        partner_id=ticket.partner_id,
        consumer_ref=str(ticket.consumer_id),
        card_id=ticket.card_id,
        amount=ticket.amount,
        source=Source.BACK_OFFICE,
        actor=staff(person.pk, person.get_username()),
        description=ticket.description,
        reference=ticket.reference,
        key=ticket.key,
        request_id=getattr(request, "request_id", ""),
        agreed=ticket.terms,
    )


def _body_of(payment: PaymentRecord) -> bytes:
    """What a second click has to know about the first one."""
    return str(payment.id).encode()


def _panel(request: HttpRequest, form: PushForm, consumer: Consumer) -> QuotePanel:
    card_id: UUID = form.cleaned_data["card"]
    wish = Wish(
        partner_id=consumer.partner_id,
        consumer_ref=str(consumer.pk),
        card_id=card_id,
        amount=form.cleaned_data["amount"],
        source=Source.BACK_OFFICE,
        key=None,
        at=timezone.now(),
    )
    editors = PaymentCard.objects.filter(pk=card_id).values_list("edited_by_user_id", flat=True)
    matter = Matter(
        is_waiting=True,
        maker_id=me(request).pk,
        card_editor_ids=_people(editors),
        consumer_editor_ids=_people([consumer.edited_by_user_id]),
    )
    return quote_panel(wish, matter=matter)


def _people(ids: Iterable[int | None]) -> frozenset[int]:
    return frozenset(one for one in ids if one is not None)


def _as_shown(consumer: Consumer) -> str:
    return f"{consumer.full_name} ({consumer.pcid})"


def _values(ticket: Ticket) -> dict[str, str]:
    return {
        "consumer": str(ticket.consumer_id),
        "card": str(ticket.card_id),
        "amount": str(ticket.amount),
        "description": ticket.description,
        "reference": ticket.reference,
    }


def _form_address(values: Mapping[str, str]) -> str:
    return _address("backoffice:issue", values)


def _confirm_address(ticket: Ticket) -> str:
    values = _values(ticket)
    key = marked_key(ticket.key, values, user_id=ticket.user_id)
    return _address("backoffice:confirm_push", {**values, "key": key})


def _address(route: str, values: Mapping[str, str]) -> str:
    return f"{reverse(route)}?{urlencode(values)}"


def _to_push(payment_id: UUID) -> HttpResponse:
    address = reverse("admin:payouts_payment_change", args=[payment_id])
    return HttpResponseRedirect(address)


def _payee_or_404(text: str) -> Consumer:
    consumer = payee(_uuid_or_404(text))
    if consumer is None:
        raise Http404
    return consumer


def _uuid_or_404(text: str | None) -> UUID:
    try:
        return UUID(text or "")
    except ValueError:
        raise Http404 from None
