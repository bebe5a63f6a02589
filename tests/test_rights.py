"""The product's own role reads and writes rows, and has no power over the tables themselves."""

import pytest
from django.apps import apps
from django.conf import settings
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.db import Error, connection, transaction

from config.rights import RIGHTS, Rights, TableWithoutRights, grant_rights, role_findings
from consumers.table_owner import InsideATransaction, as_owner
from tests.books import execute, select
from tests.owner import OWNER, owning

pytestmark = pytest.mark.django_db

NO_RIGHT = "42501"
WRITTEN_ONCE = sorted(name for name, rights in RIGHTS.items() if rights is Rights.APPEND)
GUARDED = sorted({*WRITTEN_ONCE, "payouts_payment", "payouts_attempt", "payouts_accountpart"})


def state_of_refusal(statement: str) -> str | None:
    """The SQLSTATE with which the product's role is refused; None if it is not."""
    try:
        with transaction.atomic():
            execute(statement)
    except Error as refused:
        return str(getattr(refused.__cause__, "sqlstate", refused))
    return None


def without_membership() -> None:
    """As in production, where the product's role cannot become the owner."""
    with owning():
        execute(f"REVOKE {OWNER} FROM {settings.DATABASE_ROLE}")


def test_tests_work_as_the_product_s_role() -> None:
    assert select("SELECT current_user") == [(settings.DATABASE_ROLE,)]
    assert settings.DATABASE_ROLE != OWNER


@pytest.mark.parametrize("deed", ["UPDATE {0} SET {1} = {1}", "DELETE FROM {0}"])
def test_history_cannot_be_rewritten(deed: str) -> None:
    keys = {str(model._meta.db_table): model._meta.pk.column for model in apps.get_models()}
    deeds = [deed.format(name, keys[name]) for name in WRITTEN_ONCE]
    assert [deed for deed in deeds if state_of_refusal(deed) != NO_RIGHT] == []


@pytest.mark.parametrize(
    "deed",
    [
        "TRUNCATE {} CASCADE",
        "ALTER TABLE {} DISABLE TRIGGER ALL",
        "ALTER TABLE {} OWNER TO CURRENT_USER",
        "CREATE TRIGGER mine BEFORE INSERT ON {} EXECUTE FUNCTION payouts_refuse_change()",
        "CREATE RULE mine AS ON INSERT TO {} DO INSTEAD NOTHING",
        "DROP TABLE {} CASCADE",
    ],
)
def test_no_table_can_be_emptied_disarmed_or_dropped(deed: str) -> None:
    allowed = [name for name in GUARDED if state_of_refusal(deed.format(name)) != NO_RIGHT]
    assert allowed == []


@pytest.mark.parametrize(
    "deed",
    [
        "SET LOCAL session_replication_role = replica",
        "CREATE TABLE public.mine ()",
        "CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "ALTER FUNCTION payouts_refuse_change() RENAME TO gone",
        "CREATE ROLE mine",
        "ALTER SEQUENCE payouts_network_identity RESTART",
        "SELECT setval('payouts_network_identity', 1)",
        "INSERT INTO auth_group_permissions (group_id, permission_id) VALUES (1, 1)",
        "DELETE FROM django_migrations",
    ],
)
def test_the_role_has_no_power_beyond_rows(deed: str) -> None:
    assert state_of_refusal(deed) == NO_RIGHT


def test_every_table_has_its_rights_said() -> None:
    with connection.cursor() as cursor:
        assert set(connection.introspection.table_names(cursor)) == set(RIGHTS)


def test_no_right_is_given_that_a_trigger_refuses() -> None:
    """Bits of `tgtype`: 8 for DELETE, 16 for UPDATE. A new append-only table is noticed here."""
    guarded = select("""
        SELECT relname, tgtype FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
        JOIN pg_proc ON pg_proc.oid = tgfoid WHERE proname = 'payouts_refuse_change'""")
    assert guarded
    for name, kind in guarded:
        assert not (kind & 8 and "DELETE" in RIGHTS[name].value), name
        assert not (kind & 16 and "UPDATE" in RIGHTS[name].value), name


def test_a_table_that_stands_nowhere_stops_migrate() -> None:
    with owning():
        execute("CREATE TABLE consumers_forgotten ()")
        with pytest.raises(TableWithoutRights, match="consumers_forgotten"):
            grant_rights()
        with pytest.raises(CommandError, match="consumers_forgotten"):
            call_command("migrate", verbosity=0)
    assert state_of_refusal("SELECT FROM consumers_forgotten") == NO_RIGHT
    assert state_of_refusal("SELECT FROM payouts_payment") is None


def test_granting_again_takes_back_what_was_given_by_hand() -> None:
    with owning():
        execute(f"GRANT ALL ON payouts_auditblock TO {settings.DATABASE_ROLE}")
    # Still refused, but by the trigger alone.
    assert state_of_refusal("TRUNCATE payouts_auditblock") == "PY001"
    with owning():
        grant_rights()
    assert state_of_refusal("TRUNCATE payouts_auditblock") == NO_RIGHT
    assert state_of_refusal("SELECT FROM payouts_auditblock") is None


class TestFindings:
    def test_says_nothing_about_a_role_as_it_should_be(self) -> None:
        without_membership()
        found = role_findings()
        assert (found.too_much, found.too_little) == ((), ())
        assert found.role == settings.DATABASE_ROLE

    def test_says_what_an_owner_could_do(self) -> None:
        with owning():
            found = role_findings()
        assert found.role == OWNER
        assert found.too_much[0] == "is a superuser"
        assert found.too_much[-1].startswith("owns the tables")

    def test_says_what_was_given_and_what_was_taken(self) -> None:
        with owning():
            execute(f"GRANT TRUNCATE, UPDATE ON payouts_event TO {settings.DATABASE_ROLE}")
            execute(f"REVOKE INSERT ON payouts_payment FROM {settings.DATABASE_ROLE}")
        without_membership()
        found = role_findings()
        assert found.too_much == ("TRUNCATE, UPDATE on payouts_event",)
        assert found.too_little == ("INSERT on payouts_payment",)

    def test_a_deployment_check_names_them(self) -> None:
        with owning():
            execute(f"REVOKE INSERT ON payouts_payment FROM {settings.DATABASE_ROLE}")
        found = run_checks(tags=["database"], databases=["default"], include_deployment_checks=True)
        told = {finding.id: finding.msg for finding in found}
        assert "may become the role that does" in told["payouts.W015"]
        assert "INSERT on payouts_payment" in told["payouts.W016"]


def test_nobody_becomes_the_owner_inside_a_transaction() -> None:
    with pytest.raises(InsideATransaction), as_owner():
        pass
    assert select("SELECT current_user") == [(settings.DATABASE_ROLE,)]


@pytest.mark.django_db(transaction=True)
def test_a_command_is_the_owner_only_while_it_says_so() -> None:
    with as_owner():
        assert select("SELECT current_user") == [(OWNER,)]
    assert select("SELECT current_user") == [(settings.DATABASE_ROLE,)]
