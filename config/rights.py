"""What the product's own role may do to each table, and what is amiss with the role it has.

Tables belong to another role, which runs `migrate`. The role that web servers, workers and beat use
may read and write rows as the table below says and nothing else: it cannot drop a table, empty one,
switch a trigger off, or change what is written once. A table that stands nowhere here stops
`migrate`, so none is forgotten. Nothing but rights belongs in this file.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

from django.conf import settings
from django.db import connection, transaction


class Rights(Enum):
    """What may be done to the rows of a table."""

    READ = frozenset({"SELECT"})
    # History: what is written once stays as it is.
    APPEND = frozenset({"SELECT", "INSERT"})
    # Rows that live on. What of them may change is said by triggers.
    KEEP = frozenset({"SELECT", "INSERT", "UPDATE"})
    # Rows that go when they have served.
    ALL = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE"})


_READ: Final = (
    "django_migrations", "django_content_type",
    # What each role of staff may do is a table in the code; migrations write it down.
    "auth_permission", "auth_group_permissions", "auth_user_user_permissions",
)  # fmt: skip
_APPEND: Final = (
    "consumers_auditentry", "consumers_edit", "consumers_formername", "consumers_partnerevent",
    "django_admin_log",
    "payouts_approvalrequirement", "payouts_auditblock", "payouts_dayproof",
    "payouts_changeevent", "payouts_decision",
    "payouts_decisionsignature", "payouts_event", "payouts_journal", "payouts_outboxevent",
    "payouts_posting",
)  # fmt: skip
_KEEP: Final = (
    "auth_group", "auth_user", "consumers_apiclient", "consumers_consumer",
    "consumers_consumertally", "consumers_partner", "consumers_paymentcard", "payouts_account",
    "payouts_accountpart", "payouts_approvalrule", "payouts_attempt", "payouts_batch",
    "payouts_batchorder", "payouts_batchrow", "payouts_batchtally", "payouts_case",
    "payouts_changerequest", "payouts_evidencefile", "payouts_export",
    "payouts_feeschedule", "payouts_idempotencykey", "payouts_outboxcursor", "payouts_payment",
    "payouts_paymenttally", "payouts_rollupcursor", "payouts_settlementfile",
    "payouts_statementfile",
    "payouts_webhookendpoint",
)  # fmt: skip
_ALL: Final = (
    "account_emailaddress", "account_emailconfirmation", "auth_user_groups",
    "consumers_accesstoken", "consumers_apiclientsecret", "django_session", "mfa_authenticator",
    "payouts_bankentry", "payouts_bankstatement",
    "payouts_batchfile", "payouts_dailyusage", "payouts_delivery", "payouts_exportpiece",
    "payouts_firstpassword", "payouts_formerpassword", "payouts_limit",
    "payouts_networknotification", "payouts_partnerrollup", "payouts_pushlistchoice",
    "payouts_pushrollup",
    "payouts_pushview", "payouts_settlementfinding", "payouts_settlementline",
    "payouts_settlementpiece", "payouts_settledatbank", "payouts_signintries",
    "payouts_staffsession", "payouts_statementcontent", "payouts_usedcode",
)  # fmt: skip


RIGHTS: Final[Mapping[str, Rights]] = {
    **dict.fromkeys(_READ, Rights.READ),
    **dict.fromkeys(_APPEND, Rights.APPEND),
    **dict.fromkeys(_KEEP, Rights.KEEP),
    **dict.fromkeys(_ALL, Rights.ALL),
}

_RIGHTS_IN_ALL: Final = (
    "SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER",
)  # fmt: skip


class TableWithoutRights(Exception):
    """A table stands in no list of config/rights.py, so nobody has said what may be done to it."""


def grant_rights() -> None:
    """As the owner: give the product's role exactly what the table says, for all tables there are.

    One transaction, so that the running product never lacks a right that it keeps. Does nothing
    while one role does everything (no `DATABASE_OWNER_URL`).

    :raises TableWithoutRights: and no right has changed.
    """
    role = settings.DATABASE_ROLE
    if not settings.DATABASE_OWNER or settings.DATABASE_OWNER["USER"] == role:
        return
    with transaction.atomic(), connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        for statement in _statements(tables, role=connection.ops.quote_name(role)):
            cursor.execute(statement)


def _statements(tables: Iterable[str], *, role: str) -> Iterator[str]:
    if unknown := sorted(set(tables) - RIGHTS.keys()):
        raise TableWithoutRights(", ".join(unknown))
    yield "REVOKE CREATE ON SCHEMA public FROM PUBLIC"
    yield f"REVOKE ALL ON SCHEMA public FROM {role}"
    yield f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role}"
    yield f"REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM {role}"
    yield f"GRANT USAGE ON SCHEMA public TO {role}"
    yield f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role}"
    for rights in Rights:
        names = [connection.ops.quote_name(name) for name in tables if RIGHTS[name] is rights]
        if names:
            yield f"GRANT {', '.join(sorted(rights.value))} ON {', '.join(names)} TO {role}"


# What a role may do in all, beside the rights on single tables.
_ROLE: Final = """
SELECT rolsuper, rolcreaterole,
    has_schema_privilege(current_user, 'public', 'CREATE'),
    has_parameter_privilege(current_user, 'session_replication_role', 'SET'),
    (SELECT count(*) FROM pg_class
     WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'S', 'v')
       AND pg_has_role(current_user, relowner, 'MEMBER'))
FROM pg_roles WHERE rolname = current_user
"""
_ON_TABLES: Final = """
SELECT relname, array_agg(privilege) FILTER (
    WHERE has_table_privilege(current_user, pg_class.oid, privilege))
FROM pg_class, unnest(%s::text[]) AS privilege
WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') GROUP BY relname
"""


@dataclass(frozen=True, slots=True)
class RoleFindings:
    """What the role of this process may do and should not, or should and may not, in words."""

    role: str
    too_much: tuple[str, ...]
    too_little: tuple[str, ...]


def role_findings() -> RoleFindings:
    """Compare the rights of the role that this process uses with the table. Changes nothing."""
    with connection.cursor() as cursor:
        cursor.execute(_ROLE)
        powers = cursor.fetchone()
        cursor.execute(_ON_TABLES, [list(_RIGHTS_IN_ALL)])
        held = {name: frozenset(rights or ()) for name, rights in cursor.fetchall()}
        cursor.execute("SELECT current_user")
        (role,) = cursor.fetchone()
    wanted = {name: RIGHTS[name].value if name in RIGHTS else frozenset() for name in held}
    is_owner = bool(powers[0] or powers[4])
    too_much = [words for words, has in zip(_POWERS, powers, strict=True) if has]
    if not is_owner:
        too_much += _named(held, wanted)
    return RoleFindings(role, tuple(too_much), tuple(_named(wanted, held)))


_POWERS: Final = (
    "is a superuser",
    "may make roles",
    "may make tables",
    "may put triggers to sleep (session_replication_role)",
    "owns the tables, or may become the role that does",
)


def _named(these: Mapping[str, frozenset[str]], those: Mapping[str, frozenset[str]]) -> list[str]:
    """Each right that is among these and not among those, with the table it is about."""
    return [
        f"{', '.join(sorted(rights - those[name]))} on {name}"
        for name, rights in sorted(these.items())
        if rights - those[name]
    ]
