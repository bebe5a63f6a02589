"""Every address of the back office that can be looked at: what it is, and for whom it opens.

The tests open each as each role, and `make screenshots` takes pictures of those that are pages.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.urls import reverse

VIEWER, MAKER, APPROVER, OPERATIONS, ADMIN, AUDITOR = ROLES = (
    *("viewer", "maker", "approver", "operations"),
    *("admin", "auditor"),
)
EVERYBODY: Final = frozenset(ROLES)
# Who sees the books, the terms, and who keeps and checks everything else.
LEDGER: Final = frozenset({OPERATIONS, ADMIN, AUDITOR})
TERMS: Final = frozenset({APPROVER, ADMIN, AUDITOR})
WEBHOOKS: Final = frozenset({OPERATIONS, ADMIN})
KEEPERS: Final = frozenset({ADMIN, AUDITOR})
TAKES_FILES: Final = EVERYBODY - {VIEWER}
NOBODY: Final[frozenset[str]] = frozenset()

# Whose eyes a page is looked at with, if it opens for several: the first of these.
_LOOKS: Final = (ADMIN, MAKER, APPROVER, AUDITOR, OPERATIONS, VIEWER)


@dataclass(frozen=True, slots=True)
class PageOf:
    """An address: its name in pictures, its route with the names of what fills it, who gets 200."""

    name: str
    route: str
    roles: frozenset[str]
    blanks: tuple[str, ...] = ()
    query: tuple[tuple[str, str], ...] = ()
    looks: str = ""

    def path(self, blanks: Mapping[str, str]) -> str:
        """Where it is, once it is known what exists."""
        query = {name: value.format(**blanks) for name, value in self.query}
        return reverse(self.route, args=[blanks[one] for one in self.blanks], query=query)

    @property
    def looker(self) -> str:
        """The role whose page has the most on it."""
        return self.looks or next(role for role in _LOOKS if role in self.roles)


def _of(
    name: str, route: str, roles: frozenset[str], *blanks: str, looks: str = "", **query: str
) -> PageOf:
    return PageOf(name, route, roles, blanks, tuple(query.items()), looks)


def _only(*roles: str) -> frozenset[str]:
    return frozenset(roles)


def _rows_of(name: str, model: str, roles: frozenset[str], blank: str) -> tuple[PageOf, ...]:
    """The pages that the admin site has for each model: the list, one row, its history."""
    return (
        _of(_many(name), f"admin:{model}_changelist", roles),
        _of(name, f"admin:{model}_change", roles, blank),
        _of(f"{name} history", f"admin:{model}_history", roles, blank),
    )


def _many(name: str) -> str:
    return f"{name}es" if name.endswith("sh") else f"{name}s"


def _propose(kind: str, **query: str) -> PageOf:
    return _of(f"propose {kind}", "backoffice:propose", _only(ADMIN), f"kind {kind}", **query)


PAGES: Final = (
    _of("home", "admin:index", EVERYBODY),
    _of("issue", "backoffice:issue", _only(MAKER)),
    _of("issue form", "backoffice:issue", _only(MAKER), consumer="{consumer}"),
    _of(
        "issue quoted",
        "backoffice:issue",
        _only(MAKER),
        consumer="{consumer}",
        card="{card}",
        amount="6000",
        description="Claim 4711, after the storm",
        reference="CLAIM-4711",
    ),
    _of("approvals", "backoffice:approvals", EVERYBODY, looks=APPROVER),
    *_rows_of("push", "payouts_payment", EVERYBODY, "payment"),
    _of("approve", "admin:payouts_payment_approve", _only(APPROVER), "waiting"),
    _of("reject", "admin:payouts_payment_reject", _only(APPROVER), "waiting"),
    _of("evidence", "backoffice:evidence", TAKES_FILES, "payment"),
    _of("in doubt", "backoffice:in_doubt", EVERYBODY, looks=OPERATIONS),
    _of("doubt", "backoffice:doubt", EVERYBODY, "unknown", looks=OPERATIONS),
    _of("cases", "backoffice:cases", LEDGER, looks=OPERATIONS),
    _of("reconciliation", "backoffice:settlements", LEDGER, looks=OPERATIONS),
    _of("daily proof", "backoffice:day_proofs", LEDGER, looks=OPERATIONS),
    _of(
        "notifications",
        "admin:payouts_networknotification_changelist",
        LEDGER,
        looks=OPERATIONS,
    ),
    _of("new settlement", "backoffice:new_settlement", _only(OPERATIONS, ADMIN)),
    _of("bank statements", "backoffice:statements", LEDGER, looks=OPERATIONS),
    _of("new statement", "backoffice:new_statement", _only(OPERATIONS, ADMIN)),
    _of("exports", "backoffice:exports", TAKES_FILES, looks=AUDITOR),
    _of("batches", "backoffice:batches", EVERYBODY, looks=MAKER),
    _of("new batch", "backoffice:new_batch", _only(MAKER)),
    _of("batch", "backoffice:batch", EVERYBODY, "batch", looks=MAKER),
    *_rows_of("consumer", "consumers_consumer", EVERYBODY, "consumer"),
    _of("add consumer", "admin:consumers_consumer_add", _only(ADMIN)),
    _of("edit consumer", "admin:consumers_consumer_edit", _only(ADMIN), "consumer"),
    _of("reveal consumer", "admin:consumers_consumer_reveal", KEEPERS, "consumer"),
    _of("close consumer", "admin:consumers_consumer_close", _only(ADMIN), "consumer"),
    _of("reopen consumer", "admin:consumers_consumer_reopen", _only(ADMIN), "consumer"),
    _of("add card", "admin:consumers_consumer_add_card", _only(ADMIN), "consumer"),
    *_rows_of("card", "consumers_paymentcard", EVERYBODY, "card"),
    _of("edit card", "admin:consumers_paymentcard_edit", _only(ADMIN), "card"),
    _of("ask network", "admin:consumers_paymentcard_ask_network", _only(ADMIN), "card"),
    _of("deactivate card", "admin:consumers_paymentcard_deactivate", _only(ADMIN), "card"),
    *_rows_of("account", "payouts_account", LEDGER, "account"),
    *_rows_of("journal", "payouts_journal", LEDGER, "journal"),
    _of("settings", "backoffice:settings", TERMS),
    _of("partner settings", "backoffice:partner_settings", TERMS, "partner"),
    _of(
        "partner tester",
        "backoffice:partner_settings",
        TERMS,
        "partner",
        amount="6000",
        source="api",
        first="yes",
        age="3",
        twin="no",
    ),
    _propose("partner"),
    _propose("fund_partner", partner="{partner}"),
    _propose("fee_schedule", partner="{partner}"),
    _propose("limit", partner="{partner}", subject="push"),
    _propose("approval_rule", partner="{partner}"),
    _propose("api_client", partner="{partner}"),
    _propose("api_client_secret", partner="{partner}", subject="{client}"),
    _propose("webhook", partner="{partner}"),
    _propose("staff_member"),
    _propose("staff_password", subject="{member}"),
    _of("changes", "backoffice:changes", TERMS, view="all"),
    _of("change", "backoffice:change", TERMS, "change", looks=APPROVER),
    *_rows_of("partner", "consumers_partner", EVERYBODY, "partner"),
    *_rows_of("client", "consumers_apiclient", KEEPERS, "client"),
    _of("disable client", "admin:consumers_apiclient_disable", _only(ADMIN), "client"),
    _of(
        "remove older secret",
        "admin:consumers_apiclient_remove_older_secret",
        _only(ADMIN),
        "client",
    ),
    *_rows_of("webhook", "payouts_webhookendpoint", LEDGER, "webhook"),
    _of("test webhook", "admin:payouts_webhookendpoint_send_a_test", WEBHOOKS, "webhook"),
    _of("replay webhook", "admin:payouts_webhookendpoint_replay_parked", WEBHOOKS, "webhook"),
    _of("switch off webhook", "admin:payouts_webhookendpoint_disable", _only(ADMIN), "webhook"),
    *_rows_of("fee schedule", "payouts_feeschedule", TERMS, "schedule"),
    *_rows_of("limit", "payouts_limit", TERMS, "limit"),
    *_rows_of("rule", "payouts_approvalrule", TERMS, "rule"),
    *_rows_of("member", "auth_user", KEEPERS, "member"),
    _of("switch off member", "admin:auth_user_switch_off", _only(ADMIN), "member"),
    _of("reset second factor", "admin:auth_user_reset_factor", _only(ADMIN), "member"),
    _of("end sessions", "admin:auth_user_end_sessions", _only(ADMIN), "member"),
    _of("unlock", "admin:auth_user_unlock", _only(ADMIN), "member"),
    *_rows_of("group", "auth_group", KEEPERS, "group"),
    _of("add group", "admin:auth_group_add", _only(ADMIN)),
    *_rows_of("audit entry", "consumers_auditentry", KEEPERS, "entry"),
    _of("app list", "admin:app_list", EVERYBODY, "app"),
    _of("security", "mfa_index", EVERYBODY, looks=AUDITOR),
    _of("remove app", "mfa_deactivate_totp", EVERYBODY),
    _of("add passkey", "mfa_add_webauthn", EVERYBODY),
    _of("rename passkey", "mfa_edit_webauthn", _only(AUDITOR), "passkey"),
    _of("remove passkey", "mfa_remove_webauthn", _only(AUDITOR), "passkey"),
    _of("recovery codes", "mfa_view_recovery_codes", EVERYBODY),
    _of("new recovery codes", "mfa_generate_recovery_codes", EVERYBODY),
    _of("change password", "admin:password_change", EVERYBODY),
    _of("password changed", "admin:password_change_done", EVERYBODY),
)

# What pages ask for by themselves, and files.
PARTS: Final = (
    _of("payees", "backoffice:payees", _only(MAKER)),
    _of("quote", "backoffice:quote", _only(MAKER), consumer="{consumer}"),
    _of("push, live", "backoffice:push_live", EVERYBODY, "payment"),
    _of("in doubt, live", "backoffice:in_doubt_rows", EVERYBODY),
    _of("facets", "backoffice:facets", EVERYBODY),
    _of("trial of fees", "backoffice:fee_trial", _only(ADMIN), "partner"),
    _of("exports, live", "backoffice:exports_progress", TAKES_FILES),
    _of("file of pushes", "backoffice:export_file", _only(AUDITOR), "export"),
    _of("evidence document", "backoffice:evidence_document", TAKES_FILES, "payment"),
    _of("evidence as PDF", "backoffice:evidence_pdf", TAKES_FILES, "payment"),
    _of("batch template", "backoffice:batch_template", _only(MAKER), "csv"),
    _of("batch, live", "backoffice:batch_live", EVERYBODY, "batch"),
    _of("results of a batch", "backoffice:batch_results", TAKES_FILES, "batch", "csv"),
    _of("audit trail as a file", "admin:consumers_auditentry_export", KEEPERS, "csv"),
    _of("search of the theme", "admin:search", EVERYBODY),
    _of("words for scripts", "admin:jsi18n", EVERYBODY),
)


def _deed(route: str, *blanks: str) -> PageOf:
    return _of(route, route, NOBODY, *blanks)


# What only answers what was sent (POST), leads elsewhere, or is not offered: nobody can look at it.
NOT_TO_SEE: Final = (
    *(
        _deed(f"backoffice:{name}", *blanks)
        for name, *blanks in (
            *(["ask_network"], ["confirm_push"], ["send"], ["confirm_decision"], ["decide"]),
            *(["decide_change", "change"], ["withdraw_change", "change"]),
            *(["collect_secret", "change"], ["switch_off_partner", "partner"], ["ask_export"]),
            *(["ask_now", "payment"], ["propose_resolution", "payment"]),
            *(["decide_resolution", "change"], ["withdraw_resolution", "change"]),
            # There is neither a case nor a file of evidence in a new demo: no page, for nobody.
            *(["case", "change"], ["take_case", "change"], ["close_case", "change"]),
            ["evidence_file", "change"],
            # Nor is there a settlement file.
            *(["settlement", "change"], ["settlement_live", "change"]),
            *(["decide_settlement", "change"], ["prove_day"]),
            *(["statement", "change"], ["statement_live", "change"]),
            ["decide_statement", "change"],
            *(["day_proof", "number"], ["day_proof_file", "number"]),
            ["day_proof_pdf", "number"],
            *(["columns"], ["save_view"], ["open_with"], ["delete_view", "number"]),
            *(["choose_lines", "batch"], ["check_batch", "batch"], ["issue_batch", "batch"]),
            *(["withdraw_batch", "batch"], ["cancel_batch", "batch"]),
            *(["order_batch", "batch"], ["decide_batch", "batch"]),
        )
    ),
    *(
        _deed(f"admin:{model}_{verb}", *blanks)
        for model, blank in (
            *(("payouts_payment", "payment"), ("consumers_consumer", "consumer")),
            *(("consumers_paymentcard", "card"), ("payouts_account", "account")),
            *(("payouts_journal", "journal"), ("consumers_partner", "partner")),
            *(("consumers_apiclient", "client"), ("payouts_feeschedule", "schedule")),
            *(("payouts_limit", "limit"), ("payouts_approvalrule", "rule")),
            ("payouts_webhookendpoint", "webhook"),
            *(("auth_user", "member"), ("auth_group", "group"), ("consumers_auditentry", "entry")),
        )
        for verb, *blanks in (("add",), ("delete", blank))
        if (model, verb) not in {("consumers_consumer", "add"), ("auth_group", "add")}
    ),
    # Nor has a network told anything by itself.
    *(
        _deed(f"admin:payouts_networknotification_{name}", *blanks)
        for name, *blanks in (
            *(["add"], ["delete", "change"], ["change", "change"], ["history", "change"]),
            ["use_again", "change"],
        )
    ),
    _deed("admin:payouts_payment_cancel", "payment"),
    _deed("admin:consumers_apiclient_add_secret", "client"),
    _deed("admin:payouts_webhookendpoint_propose", "webhook"),
    _deed("admin:auth_user_propose_change", "member"),
    _deed("admin:auth_user_propose_password", "member"),
    _deed("admin:view_on_site", "number", "number"),
    _deed("admin:autocomplete"),
    _deed("admin:login"),
    _deed("admin:logout"),
    _deed("account_logout"),
    # For whoever is not in yet; the journeys of signing in go through them.
    *map(_deed, ("account_login", "mfa_authenticate", "mfa_login_webauthn")),
    *map(
        _deed, ("sign_in:choose_password", "sign_in:set_up", "mfa_activate_totp", "sign_in:end_all")
    ),
    _deed("sign_in:end_one", "app"),
)

EVERYTHING: Final = (*PAGES, *PARTS, *NOT_TO_SEE)
