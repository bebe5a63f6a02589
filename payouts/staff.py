"""Who of the staff may do what: one table from role to permissions, and the groups made from it.

A role is a Django group. A person may have several; what one person may not do to one payment
(decide about a push of their own) is judged by the operation and by the database, never here.
Nothing but the table and the rows that follow from it belongs in this file.
"""

from dataclasses import dataclass
from typing import Final

from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import transaction

ISSUE_PAYMENT: Final = "payouts.issue_payment"
CANCEL_PAYMENT: Final = "payouts.cancel_payment"
APPROVE_PAYMENT: Final = "payouts.approve_payment"
REVEAL_CONSUMER: Final = "consumers.reveal_consumer"
DECIDE_CHANGE: Final = "payouts.decide_changerequest"
REPLAY_WEBHOOK: Final = "payouts.replay_webhookendpoint"
REPLAY_NOTIFICATION: Final = "payouts.replay_networknotification"
SEE_CHANGES: Final = "payouts.view_changerequest"
EXPORT_PAYMENT: Final = "payouts.export_payment"
RESOLVE_PAYMENT: Final = "payouts.resolve_payment"
REVEAL_EVIDENCE: Final = "payouts.reveal_evidencefile"
SEE_CASES: Final = "payouts.view_case"
SEE_SETTLEMENTS: Final = "payouts.view_settlementfile"
SEE_STATEMENTS: Final = "payouts.view_statementfile"

# Verbs of the business. Django makes a row for view, add, change and delete of every model; these
# are made by `ensure_groups`.
VERBS: Final = {
    ISSUE_PAYMENT: "Can issue a push",
    CANCEL_PAYMENT: "Can cancel a push before it is sent",
    APPROVE_PAYMENT: "Can approve or reject a push",
    REVEAL_CONSUMER: "Can see a date of birth and a tax identifier whole",
    DECIDE_CHANGE: "Can decide about a change of settings",
    EXPORT_PAYMENT: "Can take a file of pushes",
    RESOLVE_PAYMENT: "Can propose and decide what became of a push, and work on cases",
    REVEAL_EVIDENCE: "Can open the evidence of a resolution",
    REPLAY_WEBHOOK: "Can test a webhook and send its events again",
    REPLAY_NOTIFICATION: "Can have a network's notification used again",
}


@dataclass(frozen=True, slots=True)
class Role:
    """A group of staff; `summary` is for people to read, `permissions` are `app.codename`."""

    name: str
    summary: str
    permissions: frozenset[str]


def _may(verb: str, *models: str) -> frozenset[str]:
    """Spell `app.verb_model` for models written `app.model`."""
    return frozenset(f"{app}.{verb}_{name}" for app, name in (m.split(".") for m in models))


_PUSHES = (
    "payouts.payment", "payouts.attempt", "payouts.event", "payouts.approvalrequirement",
    "payouts.decision",
)  # fmt: skip
_PEOPLE = ("consumers.partner", "consumers.consumer", "consumers.paymentcard")
_LEDGER = (
    "payouts.account", "payouts.accountpart", "payouts.journal", "payouts.posting",
)  # fmt: skip
_TERMS = ("payouts.feeschedule", "payouts.limit", "payouts.approvalrule")
_CLIENTS = ("consumers.apiclient", "consumers.apiclientsecret")
_STAFF = ("auth.user", "auth.group")
_AUDIT = ("consumers.auditentry",)
_CHANGES = ("payouts.changerequest",)
_CASES = (
    "payouts.case", "payouts.settlementfile", "payouts.statementfile",
    "payouts.networknotification",
)  # fmt: skip
_WEBHOOKS = ("payouts.webhookendpoint", "payouts.delivery")

_SEE = _may("view", *_PUSHES, *_PEOPLE)

VIEWER: Final = Role("viewer", "Sees and searches pushes, consumers and cards.", _SEE)
MAKER: Final = Role(
    "maker",
    "Issues pushes, and cancels their own before they are sent.",
    _SEE | {ISSUE_PAYMENT, CANCEL_PAYMENT, EXPORT_PAYMENT},
)
APPROVER: Final = Role(
    "approver",
    "Decides about pushes of others, and about changes of settings that others propose.",
    _SEE | {APPROVE_PAYMENT, DECIDE_CHANGE, EXPORT_PAYMENT} | _may("view", *_TERMS, *_CHANGES),
)
OPERATIONS: Final = Role(
    "operations",
    "Finds out what became of unclear pushes, each together with a second person, and sees to it "
    "that partners are told.",
    _SEE
    | {EXPORT_PAYMENT, RESOLVE_PAYMENT, REVEAL_EVIDENCE, REPLAY_WEBHOOK, REPLAY_NOTIFICATION}
    | _may("view", *_LEDGER, *_CASES, *_WEBHOOKS),
)
ADMIN: Final = Role(
    "admin",
    "Keeps partners, consumers, cards, fees, limits, approval rules, API clients, webhooks and "
    "staff, each together with a second person.",
    _SEE
    | {DECIDE_CHANGE, REVEAL_CONSUMER, EXPORT_PAYMENT, RESOLVE_PAYMENT, REVEAL_EVIDENCE}
    | {REPLAY_WEBHOOK, REPLAY_NOTIFICATION}
    | _may("view", *_CASES, *_LEDGER, *_TERMS, *_CLIENTS, *_STAFF, *_AUDIT, *_CHANGES)
    | _may("view", *_WEBHOOKS)
    | _may("change", "payouts.webhookendpoint")
    | _may("add", *_PEOPLE, *_TERMS, *_CLIENTS, *_STAFF)
    | _may("change", *_PEOPLE, *_TERMS, *_CLIENTS, *_STAFF),
)
AUDITOR: Final = Role(
    "auditor",
    "Reads everything and changes nothing.",
    _SEE
    | {REVEAL_CONSUMER, EXPORT_PAYMENT, REVEAL_EVIDENCE}
    | _may("view", "payouts.idempotencykey", *_LEDGER, *_TERMS, *_CLIENTS, *_STAFF, *_AUDIT)
    | _may("view", "payouts.export", *_CHANGES, *_CASES, *_WEBHOOKS),
)

ROLES: Final = (VIEWER, MAKER, APPROVER, OPERATIONS, ADMIN, AUDITOR)
ROLE_NAMES: Final = frozenset(role.name for role in ROLES)


def ensure_groups() -> None:
    """Make the six groups, and give each exactly the permissions of its role.

    Makes the permission rows too where they are missing, so it can run inside a migration, before
    Django itself makes them. Safe to run again and at the same time: it ends in the same rows. What
    somebody added to one of the six groups by hand is taken away again; others are not touched.
    """
    with transaction.atomic():
        rows = {name: _permission_row(name) for name in sorted(_every_permission())}
        for role in ROLES:
            group, _ = Group.objects.get_or_create(name=role.name)
            group.permissions.set([rows[name] for name in role.permissions])


def _every_permission() -> frozenset[str]:
    return frozenset(VERBS).union(*(role.permissions for role in ROLES))


def _permission_row(permission: str) -> Permission:
    app_label, codename = permission.split(".")
    model = codename.rpartition("_")[2]
    # `get_for_model` remembers ids across databases, which a migration of a test database must not.
    content_type, _ = ContentType.objects.get_or_create(app_label=app_label, model=model)
    row, _ = Permission.objects.get_or_create(
        content_type=content_type,
        codename=codename,
        defaults={"name": _permission_name(permission)},
    )
    return row


def _permission_name(permission: str) -> str:
    """The text that Django would give the row, so that it does not matter who makes it first."""
    if permission in VERBS:
        return VERBS[permission]
    app_label, codename = permission.split(".")
    verb, _, model = codename.partition("_")
    return f"Can {verb} {apps.get_model(app_label, model)._meta.verbose_name_raw}"
