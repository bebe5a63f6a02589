"""The ledger as it is: accounts with their balances, and journals with their postings."""

from decimal import Decimal
from typing import Any, Final

from django.contrib import admin
from django.db.models import DecimalField, OuterRef, QuerySet, Subquery, Sum
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.safestring import SafeString

from consumers.admin.base import ReadOnly, clipped, instant, label, link, money
from consumers.admin.filters import PartnerFilter
from consumers.admin.lists import KeysetAdmin
from consumers.search import uuid_or_none
from payouts.admin.push_page import posting_line
from payouts.admin.words import ACCOUNT_WORDS, DEBIT_ACCOUNTS, JOURNAL_TONES
from payouts.models import Account, AccountPart, Journal, Posting

POSTINGS_SHOWN: Final = 100

_DOLLARS: Final = DecimalField(max_digits=24, decimal_places=2)


def _sum_of(rows: QuerySet[Any], column: str, *, over: str) -> Subquery:
    total = rows.order_by().values(over).annotate(total=Sum(column)).values("total")
    return Subquery(total, output_field=_DOLLARS)


@admin.register(Account)
class AccountAdmin(ReadOnly, KeysetAdmin[Account]):
    """Balances read as people do: what an account is for counts up, whichever side it is on."""

    list_display = ("kind_shown", "partner_name", "network", "side", "balance")
    list_filter = (PartnerFilter,)
    search_fields = ("partner",)
    search_help_text = "How the partner's name begins"
    change_form_template = "admin/payouts/account/page.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Account]:
        parts = AccountPart.objects.filter(account=OuterRef("pk"))
        debits = _sum_of(parts, "balance", over="account")
        return super().get_queryset(request).select_related("partner").annotate(debits=debits)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Account], search_term: str
    ) -> tuple[QuerySet[Account], bool]:
        if not search_term.strip():
            return queryset, False
        return queryset.filter(partner__name__istartswith=search_term.strip()), False

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        account = context["original"]
        context["title"] = _account_name(account)
        context["balance"] = self.balance(account)
        context["side"] = self.side(account)
        context["postings"] = _newest_postings(account)
        context["postings_shown"] = POSTINGS_SHOWN
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description="account")
    def kind_shown(self, account: Account) -> str:
        return ACCOUNT_WORDS[account.kind]

    @admin.display(description="partner")
    def partner_name(self, account: Account) -> SafeString | str:
        return clipped(account.partner.name) if account.partner else "-"

    @admin.display(description="normal side")
    def side(self, account: Account) -> str:
        return "debit" if account.kind in DEBIT_ACCOUNTS else "credit"

    @admin.display(description="balance")
    def balance(self, account: Account) -> SafeString | str:
        debits: Decimal = account.debits or Decimal(0)  # type: ignore[attr-defined]
        return money(debits if account.kind in DEBIT_ACCOUNTS else -debits)


@admin.register(Journal)
class JournalAdmin(ReadOnly, KeysetAdmin[Journal]):
    list_display = ("number", "made_at", "kind_shown", "total_shown", "push", "actor", "about")
    search_fields = ("id",)
    search_help_text = "Journal number or payment id"
    change_form_template = "admin/payouts/journal/page.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Journal]:
        debits = Posting.objects.filter(journal=OuterRef("pk"), amount__gt=0)
        return (
            super().get_queryset(request).annotate(total=_sum_of(debits, "amount", over="journal"))
        )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Journal], search_term: str
    ) -> tuple[QuerySet[Journal], bool]:
        text = search_term.strip()
        if not text:
            return queryset, False
        if (payment_id := uuid_or_none(text)) is not None:
            return queryset.filter(payment_id=payment_id), False
        if text.isascii() and text.isdigit() and len(text) <= 18:
            return queryset.filter(pk=int(text)), False
        return queryset.none(), False

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        journal = context["original"]
        postings = Posting.objects.filter(journal=journal).select_related("account__partner")
        context["title"] = f"Journal {journal.pk}"
        context["kind"] = self.kind_shown(journal)
        context["push"] = self.push(journal)
        context["lines"] = [(p, posting_line(p)) for p in postings.order_by("pk")]
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description="journal")
    def number(self, journal: Journal) -> int:
        return journal.pk

    @admin.display(description="written")
    def made_at(self, journal: Journal) -> SafeString | str:
        return instant(journal.created_at)

    @admin.display(description="kind")
    def kind_shown(self, journal: Journal) -> SafeString:
        return label(journal.kind, JOURNAL_TONES)

    @admin.display(description="total")
    def total_shown(self, journal: Journal) -> SafeString | str:
        return money(journal.total)  # type: ignore[attr-defined]

    @admin.display(description="push")
    def push(self, journal: Journal) -> SafeString | str:
        if journal.payment_id is None:
            return "-"
        address = reverse("admin:payouts_payment_change", args=[journal.payment_id])
        return link(address, f"{journal.payment_id.hex[:8]}…")

    @admin.display(description="about")
    def about(self, journal: Journal) -> SafeString | str:
        return clipped(journal.description)


def _account_name(account: Account) -> str:
    owner = account.partner.name if account.partner else account.network
    return ": ".join(filter(None, (ACCOUNT_WORDS[account.kind], owner)))


def _newest_postings(account: Account) -> list[tuple[Posting, Any]]:
    rows = Posting.objects.filter(account=account).select_related("journal", "account")
    return [(posting, posting_line(posting)) for posting in rows.order_by("-pk")[:POSTINGS_SHOWN]]
