"""Consumers and their cards. A card is its network, BIN and last four here, and never more."""

import re
from typing import Any, Final

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince

from consumers.admin.base import NoDelete, ReadOnly, TabularInline, clipped, instant, label, link
from consumers.admin.card_verbs import CardVerbs
from consumers.admin.consumer_verbs import ConsumerVerbs
from consumers.admin.filters import DayFilter, PartnerFilter, chosen_partner
from consumers.admin.history import SEE, history_of
from consumers.admin.lists import KeysetAdmin
from consumers.admin.verbs import page_of
from consumers.cards import CardNetworkName
from consumers.models import Consumer, PaymentCard
from consumers.search import (
    FOUND_AT_MOST,
    Found,
    find_cards_by_last4,
    find_consumers,
    find_people,
    kept,
)

# What stays in the database: no page has a use for it, sealed or not.
SEALED: Final = ("kek_id", "wrapped_key", "ciphertext", "fingerprint_key_id", "fingerprint")

_SPEED_TONES: Final = {"fast_funds": "success", "standard": "info", "possible": "info"}
_CARD_TONES: Final = {"active": "success", "inactive": "neutral"}
_WORD_START: Final = re.compile("([A-Z])")
_KYC_TONES: Final = {
    "complete": "success",
    "in progress": "info",
    "flagged": "warning",
    "rejected": "danger",
}


def card_number(card: PaymentCard) -> SafeString:
    """What may be shown of a number: the issuer's digits and the last four."""
    return format_html('<span class="digits">{} ···· {}</span>', card.bin, card.last4)


_CARD_FIELDS: Final = (
    "number", "network_name", "expires", "state", "deactivation_reason", "push",
)  # fmt: skip
_HOLDER_FIELDS: Final = ("consumer", "partner", "cardholder_name", "postal_code", "nickname")
_RECORD_FIELDS: Final = ("id", "made_at", "edited_by", "pushes")


class EditedBy:
    """Who of the staff touched the row last: that one may not approve a push to it."""

    @admin.display(description="last edited by")
    def edited_by(self, row: Consumer | PaymentCard) -> str:
        editor = row.edited_by_user
        return "nobody of the staff" if editor is None else editor.get_full_name() or str(editor)


class CardFacts:
    """Columns and facts of a card that the card's own pages and its consumer's page share."""

    @admin.display(description="number")
    def number(self, card: PaymentCard) -> SafeString:
        return card_number(card)

    @admin.display(description="network")
    def network_name(self, card: PaymentCard) -> str:
        return f"{CardNetworkName(card.network).words} {card.card_type}".strip()

    @admin.display(description="push")
    def push_speed_shown(self, card: PaymentCard) -> SafeString:
        if card.push_eligible is None:
            return label("not asked", {})
        if not card.push_eligible:
            return label("not possible", {"not possible": "danger"})
        return label(card.push_speed or "possible", _SPEED_TONES)

    @admin.display(description="expires")
    def expires(self, card: PaymentCard) -> str:
        return f"{card.expiration_month:02}/{card.expiration_year}"

    @admin.display(description="status")
    def state(self, card: PaymentCard) -> SafeString:
        return label(card.status, _CARD_TONES)

    @admin.display(description="can be pushed to")
    def push(self, card: PaymentCard) -> SafeString | str:
        if card.push_eligible is None:
            return "not asked yet"
        answer = (card.push_speed or "yes") if card.push_eligible else "no"
        age = timesince(card.push_checked_at) if card.push_checked_at else ""
        asked = instant(card.push_checked_at)
        return format_html("{} · asked {} ({} ago)", answer.replace("_", " "), asked, age)


class CardInline(ReadOnly, CardFacts, TabularInline[PaymentCard, Consumer]):
    model = PaymentCard
    verbose_name_plural = "cards"
    fields = ("card_link", "network_name", "expires", "state", "push")
    readonly_fields = fields
    ordering = ("-pk",)
    extra = 0
    hide_title = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[PaymentCard]:
        return super().get_queryset(request).defer(*SEALED)

    @admin.display(description="number")
    def card_link(self, card: PaymentCard) -> SafeString:
        return link(page_of(card), card_number(card))


_ABOUT: Final = (
    "name", "partner", "pcid", "state", "closed_because", "kyc", "made_at", "edited_by",
    "pushes",
)  # fmt: skip


@admin.register(Consumer)
class ConsumerAdmin(NoDelete, EditedBy, ConsumerVerbs, KeysetAdmin[Consumer]):
    records_views = True
    change_form_template = "admin/consumers/history_page.html"
    list_display = (
        "name", "pcid_column", "email_column", "partner_shown", "kyc", "state", "made_at",
    )  # fmt: skip
    list_filter = (PartnerFilter, DayFilter)
    list_select_related = ("partner",)
    search_fields = ("pcid",)
    search_help_text = "Name, e-mail, phone, pcid, id, or a card's last four"
    inlines = (CardInline,)
    fieldsets = (
        (None, {"fields": _ABOUT}),
        ("Contact", {"fields": ("email", "phone_number", "address")}),
        ("Identity", {"fields": ("born", "tax_id")}),
    )
    readonly_fields = (
        *_ABOUT, "email", "phone_number",
        "address", "born", "tax_id",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Consumer]:
        unshown = ("tax_identifier_sealed", "search_vector")
        return (
            super()
            .get_queryset(request)
            .select_related("partner", "edited_by_user")
            .defer(*unshown)
        )

    def find(self, request: HttpRequest, text: str) -> Found:
        return find_people(text, partner_id=chosen_partner(request))

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        consumer = context["original"]
        cards = consumer.cards.values_list("pk", flat=True) if request.user.has_perm(SEE) else ()
        context["history"] = history_of(request, consumer.pk, beside=cards)
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description="name")
    def name(self, consumer: Consumer) -> SafeString | str:
        return clipped(consumer.full_name or consumer.pcid)

    @admin.display(description="pcid")
    def pcid_column(self, consumer: Consumer) -> SafeString | str:
        return clipped(consumer.pcid)

    @admin.display(description="e-mail")
    def email_column(self, consumer: Consumer) -> SafeString | str:
        return clipped(consumer.email)

    @admin.display(description="partner")
    def partner_shown(self, consumer: Consumer) -> SafeString | str:
        return clipped(consumer.partner.name)

    @admin.display(description="KYC")
    def kyc(self, consumer: Consumer) -> SafeString:
        words = _WORD_START.sub(r" \1", consumer.kyc_status).strip().lower()
        return label(words, _KYC_TONES)

    @admin.display(description="state")
    def state(self, consumer: Consumer) -> SafeString:
        state = "active" if consumer.is_active else "closed"
        return label(state, {"active": "success", "closed": "danger"})

    @admin.display(description="added")
    def made_at(self, consumer: Consumer) -> SafeString | str:
        return instant(consumer.created_at)

    def get_fieldsets(self, request: HttpRequest, obj: Consumer | None = None) -> Any:
        """Why an account is closed is of an account that is."""
        about = [name for name in _ABOUT if name != "closed_because" or not (obj and obj.is_active)]
        return ((None, {"fields": about}), *self.fieldsets[1:])

    @admin.display(description="closed because")
    def closed_because(self, consumer: Consumer) -> str:
        why = " · ".join(
            filter(None, (consumer.cancellation_reason, consumer.cancellation_details))
        )
        return "-" if consumer.is_active else why or "no reason was given"

    @admin.display(description="date of birth")
    def born(self, consumer: Consumer) -> str:
        """Masked, like the tax id: a verb shows it, and leaves an entry."""
        return "-" if consumer.date_of_birth is None else "••••-••-••"

    @admin.display(description="address")
    def address(self, consumer: Consumer) -> str:
        lines = (
            consumer.address_line1,
            consumer.address_line2,
            f"{consumer.address_city} {consumer.address_state} {consumer.address_zip}",
        )
        return ", ".join(line.strip() for line in lines if line.strip()) or "-"

    @admin.display(description="tax id")
    def tax_id(self, consumer: Consumer) -> str:
        if not consumer.tax_identifier_last4:
            return "-"
        return f"{consumer.tax_id_type} ***-**-{consumer.tax_identifier_last4}".strip()

    @admin.display(description="pushes")
    def pushes(self, consumer: Consumer) -> SafeString:
        address = reverse("admin:payouts_payment_changelist", query={"q": str(consumer.pk)})
        return link(address, "Pushes to this consumer")


@admin.register(PaymentCard)
class PaymentCardAdmin(ReadOnly, EditedBy, CardFacts, CardVerbs, KeysetAdmin[PaymentCard]):
    records_views = True
    list_display = (
        "number", "network_name", "consumer_shown", "partner_shown", "expires", "state",
        "push_speed_shown", "made_at",
    )  # fmt: skip
    list_filter = (PartnerFilter, DayFilter)
    search_fields = ("last4",)
    search_help_text = "Last four, or the consumer's name, e-mail or pcid"
    fieldsets = (
        (None, {"fields": _CARD_FIELDS}),
        ("Holder", {"fields": _HOLDER_FIELDS}),
        ("Record", {"fields": _RECORD_FIELDS}),
    )
    readonly_fields = (*_CARD_FIELDS, *_HOLDER_FIELDS, *_RECORD_FIELDS)
    change_form_template = "admin/consumers/history_page.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[PaymentCard]:
        cards = super().get_queryset(request).select_related("partner", "consumer")
        unshown = ("consumer__search_vector", "consumer__tax_identifier_sealed")
        return cards.defer(*SEALED, *unshown)

    def rows_for_page(self, request: HttpRequest) -> QuerySet[PaymentCard]:
        return self.get_queryset(request).select_related("edited_by_user")

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        context["history"] = history_of(request, context["original"].pk)
        return super().render_change_form(request, context, *args, **kwargs)

    def find(self, request: HttpRequest, text: str) -> Found:
        partner_id = chosen_partner(request)
        digits = text.strip()
        if len(digits) == 4 and digits.isascii() and digits.isdigit():
            return find_cards_by_last4(digits, partner_id=partner_id)
        people = find_consumers(text, partner_id=partner_id)
        cards = PaymentCard.objects.filter(consumer_id__in=people.ids).order_by("-pk")
        ids = kept(list(cards.values_list("pk", flat=True)[: FOUND_AT_MOST + 1]))
        return Found(ids.ids, is_complete=ids.is_complete and people.is_complete)

    @admin.display(description="consumer")
    def consumer_shown(self, card: PaymentCard) -> SafeString | str:
        return clipped(str(card.consumer))

    @admin.display(description="partner")
    def partner_shown(self, card: PaymentCard) -> SafeString | str:
        return clipped(card.partner.name)

    @admin.display(description="added")
    def made_at(self, card: PaymentCard) -> SafeString | str:
        return instant(card.created_at)

    @admin.display(description="pushes")
    def pushes(self, card: PaymentCard) -> SafeString:
        address = reverse("admin:payouts_payment_changelist", query={"q": str(card.pk)})
        return link(address, "Pushes to this card")
