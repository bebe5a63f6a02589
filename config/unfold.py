"""How the back office looks and what its sidebar offers; read by the admin theme.

Each entry of the sidebar is there for whom the page behind it is.
"""

from collections.abc import Callable
from typing import Any, Final

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse, reverse_lazy

SEE_CHANGES: Final = "payouts.view_changerequest"
SEE_SETTLEMENTS: Final = "payouts.view_settlementfile"


def _permits(permission: str) -> Callable[[HttpRequest], bool]:
    return lambda request: request.user.has_perm(permission)


def _entry(title: str, icon: str, model: str) -> dict[str, Any]:
    app_label, name = model.split(".")
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{app_label}_{name}_changelist"),
        "permission": _permits(f"{app_label}.view_{name}"),
    }


def _is_pushes(request: HttpRequest) -> bool:
    return request.path.startswith(reverse("admin:payouts_payment_changelist"))


def _page(title: str, icon: str, name: str, permission: str) -> dict[str, Any]:
    """A page of the back office's own, which stays highlighted on the pages behind it."""

    def is_open(request: HttpRequest) -> bool:
        return request.path.startswith(reverse(f"backoffice:{name}"))

    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"backoffice:{name}"),
        "active": is_open,
        "permission": _permits(permission),
    }


def environment(_request: HttpRequest) -> list[str] | None:
    """A word in the corner of every page wherever no real money moves."""
    from django.conf import settings

    return None if settings.PRODUCTION else ["Development", "info"]


UNFOLD: Final[dict[str, Any]] = {
    "SITE_TITLE": "Payouts",
    "SITE_HEADER": "Payouts",
    "SITE_SUBHEADER": "Pushes to cards",
    "SITE_SYMBOL": "send_money",
    "SITE_URL": None,
    "SITE_FAVICONS": [
        {
            "rel": "icon",
            "type": "image/svg+xml",
            "href": lambda _request: static("payouts/favicon.svg"),
        }
    ],
    "STYLES": [lambda _request: static("payouts/admin.css")],
    "SCRIPTS": [
        lambda _request: static("payouts/zone.js"),
        lambda _request: static("payouts/keyboard.js"),
        lambda _request: static("payouts/card_numbers.js"),
    ],
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "ENVIRONMENT": "config.unfold.environment",
    "ACCOUNT": {
        "navigation": [
            {"title": "Sign-in and security", "link": reverse_lazy("mfa_index")},
            {"title": "Change password", "link": reverse_lazy("admin:password_change")},
        ]
    },
    "DASHBOARD_CALLBACK": "payouts.admin.home.home",
    "BORDER_RADIUS": "8px",
    "COLORS": {
        "primary": {
            "50": "oklch(97.1% .014 196)",
            "100": "oklch(94.2% .036 196)",
            "200": "oklch(89.3% .064 197)",
            "300": "oklch(82.0% .096 199)",
            "400": "oklch(72.5% .112 203)",
            "500": "oklch(61.5% .104 209)",
            "600": "oklch(51.0% .088 213)",
            "700": "oklch(44.0% .077 216)",
            "800": "oklch(38.0% .064 218)",
            "900": "oklch(33.0% .053 220)",
            "950": "oklch(24.0% .041 223)",
        },
    },
    "SIDEBAR": {
        "show_search": False,
        "show_all_applications": False,
        "navigation": [
            {
                "title": "Pushes",
                "items": [
                    _page("Issue a push", "add_card", "issue", "payouts.issue_payment"),
                    _entry("All pushes", "send_money", "payouts.payment")
                    | {"active": lambda r: _is_pushes(r) and not r.GET.get("status")},
                    _page("Waiting for approval", "approval", "approvals", "payouts.view_payment"),
                    _page("Batches", "upload_file", "batches", "payouts.view_payment"),
                    _page("In doubt", "help_center", "in_doubt", "payouts.view_payment"),
                    _page("Cases", "balance", "cases", "payouts.view_case"),
                    _page("Reconciliation", "compare_arrows", "settlements", SEE_SETTLEMENTS),
                    _entry("Network notifications", "notifications", "payouts.networknotification"),
                    _page("Files", "draft", "exports", "payouts.export_payment"),
                ],
            },
            {
                "title": "People",
                "items": [
                    _entry("Consumers", "group", "consumers.consumer"),
                    _entry("Payment cards", "credit_card", "consumers.paymentcard"),
                ],
            },
            {
                "title": "Ledger",
                "items": [
                    _entry("Accounts", "account_balance", "payouts.account"),
                    _entry("Journals", "menu_book", "payouts.journal"),
                ],
            },
            {
                "title": "Settings",
                "items": [
                    _page("All settings", "tune", "settings", "payouts.view_feeschedule"),
                    _page("Changes", "published_with_changes", "changes", SEE_CHANGES),
                    _entry("Partners", "storefront", "consumers.partner"),
                    _entry("API clients", "key", "consumers.apiclient"),
                    _entry("Webhooks", "webhook", "payouts.webhookendpoint"),
                    _entry("Fee schedules", "percent", "payouts.feeschedule"),
                    _entry("Limits", "speed", "payouts.limit"),
                    _entry("Approval rules", "rule", "payouts.approvalrule"),
                ],
            },
            {
                "title": "Staff",
                "items": [
                    _entry("Members", "badge", "auth.user"),
                    _entry("Groups", "groups", "auth.group"),
                    _entry("Audit trail", "history", "consumers.auditentry"),
                ],
            },
        ],
    },
}
