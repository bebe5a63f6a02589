"""The ledger's own guards in plain SQL, and the operation that writes journals."""

from decimal import Decimal

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.utils import timezone

from consumers.models import Partner
from payouts.actors import COMMAND_LINE, WORKER
from payouts.models import Account, AccountKind, AccountPart, Journal, JournalKind
from payouts.operations.ledger import (
    Line,
    open_house_accounts,
    open_partner_accounts,
    post_journal,
)
from payouts.operations.partners import (
    NotAFundingAmount,
    PartnerExists,
    create_partner,
    fund_partner,
)
from tests.books import (
    assert_books_are_right,
    available,
    balance,
    execute,
    held,
    refusal,
    select,
)
from tests.builders import make_partner
from tests.owner import triggers_asleep
from tests.pushes import make_funded_partner, make_payee, push

pytestmark = pytest.mark.django_db

NOTHING = Decimal("0.00")
INSERT_POSTINGS = "INSERT INTO payouts_posting (journal_id, account_id, part, amount) VALUES "


@pytest.fixture
def journal() -> Journal:
    return _journal_without_lines()


def _journal_without_lines() -> Journal:
    """One that is not looked at when its transaction ends."""
    with triggers_asleep():
        return Journal.objects.create(
            kind=JournalKind.SETTLED, actor="test", created_at=timezone.now()
        )


def _ours(kind: AccountKind) -> int:
    return int(Account.objects.get(kind=kind).pk)


def test_refuses_a_journal_that_does_not_balance(journal: Journal) -> None:
    bank, suspense = _ours(AccountKind.BANK), _ours(AccountKind.SUSPENSE)
    rows = f"({journal.pk}, {bank}, 0, 1.00), ({journal.pk}, {suspense}, 0, -0.99)"
    assert refusal(INSERT_POSTINGS + rows) == "PY009"
    assert balance("bank") == 0


def test_refuses_a_journal_that_another_one_balances(journal: Journal) -> None:
    other = _journal_without_lines()
    bank = _ours(AccountKind.BANK)
    rows = f"({journal.pk}, {bank}, 0, 1.00), ({other.pk}, {bank}, 0, -1.00)"
    assert refusal(INSERT_POSTINGS + rows) == "PY009"


def test_refuses_a_line_of_nothing(journal: Journal) -> None:
    bank = _ours(AccountKind.BANK)
    assert refusal(f"{INSERT_POSTINGS}({journal.pk}, {bank}, 0, 0)") == "posting_not_zero"


@pytest.mark.parametrize("part", [-1, 16])
def test_refuses_a_part_that_does_not_exist(part: int, journal: Journal) -> None:
    bank = _ours(AccountKind.BANK)
    rows = f"({journal.pk}, {bank}, {part}, 1), ({journal.pk}, {bank}, 0, -1)"
    assert refusal(INSERT_POSTINGS + rows) in ("PY010", "payouts_posting_part_check")


def test_refuses_an_account_that_does_not_exist(journal: Journal) -> None:
    bank = _ours(AccountKind.BANK)
    rows = f"({journal.pk}, 999999, 0, 1), ({journal.pk}, {bank}, 0, -1)"
    assert refusal(INSERT_POSTINGS + rows) == "PY010"


def test_refuses_lines_that_come_later(journal: Journal) -> None:
    bank, suspense = _ours(AccountKind.BANK), _ours(AccountKind.SUSPENSE)
    rows = f"({journal.pk}, {bank}, 0, 1.00), ({journal.pk}, {suspense}, 0, -1.00)"
    execute(INSERT_POSTINGS + rows)
    assert refusal(INSERT_POSTINGS + rows) == "PY030"
    assert (balance("bank"), balance("suspense")) == (Decimal("1.00"), Decimal("-1.00"))


def test_refuses_a_journal_without_lines() -> None:
    bare = """INSERT INTO payouts_journal (kind, description, actor, created_at)
              VALUES ('settled', '', 'test', now())"""
    assert refusal(bare) == "PY031"
    assert not Journal.objects.exists()


@pytest.mark.parametrize(
    ("change", "refused_by"),
    [
        ("UPDATE payouts_accountpart SET balance = balance - 0.01 WHERE part = 3", "PY032"),
        ("UPDATE payouts_accountpart SET max_debit = 5 WHERE max_debit = 0", "PY032"),
        ("UPDATE payouts_accountpart SET max_debit = NULL WHERE part = 3", "PY032"),
        (
            "UPDATE payouts_accountpart part SET balance = part.balance + moved.amount FROM ("
            " SELECT account_id, CASE kind WHEN 'bank' THEN 1 ELSE -1 END AS amount"
            " FROM payouts_account a JOIN payouts_accountpart p ON p.account_id = a.id"
            " WHERE kind IN ('bank', 'suspense') AND part = 0) moved"
            " WHERE moved.account_id = part.account_id AND part.part = 0",
            "PY032",
        ),
        ("DELETE FROM payouts_accountpart WHERE part = 3", "PY001"),
        ("TRUNCATE payouts_accountpart", "PY001"),
        ("INSERT INTO payouts_accountpart SELECT * FROM payouts_accountpart LIMIT 0", "PY001"),
    ],
)
def test_balances_move_by_postings_only(change: str, refused_by: str) -> None:
    push(make_payee())
    execute("SET CONSTRAINTS ALL IMMEDIATE")
    before = select("SELECT * FROM payouts_accountpart ORDER BY account_id, part")
    assert refusal(change) == refused_by
    assert select("SELECT * FROM payouts_accountpart ORDER BY account_id, part") == before


def test_money_moves_freely_between_the_parts_of_an_account() -> None:
    partner = make_funded_partner(dollars="16.00")
    account = Account.objects.get(partner=partner, kind=AccountKind.AVAILABLE)
    execute("UPDATE payouts_accountpart SET balance = -1 WHERE account_id = %s", account.pk)
    assert available(partner) == Decimal("16.00")


def test_moves_the_stored_balances_with_the_lines(journal: Journal) -> None:
    bank, suspense = _ours(AccountKind.BANK), _ours(AccountKind.SUSPENSE)
    execute(
        f"{INSERT_POSTINGS}({journal.pk}, {bank}, 3, 1.50), ({journal.pk}, {bank}, 3, 1.00),"
        f" ({journal.pk}, {suspense}, 9, -2.50)"
    )
    assert (balance("bank"), balance("suspense")) == (Decimal("2.50"), Decimal("-2.50"))
    assert AccountPart.objects.get(account_id=bank, part=3).balance == Decimal("2.50")


def test_refuses_to_overdraw_a_partner(journal: Journal) -> None:
    partner = make_funded_partner(dollars="10.00")
    account = Account.objects.get(partner=partner, kind=AccountKind.AVAILABLE)
    bank = _ours(AccountKind.BANK)
    (rich,) = AccountPart.objects.filter(account=account, balance=-10)
    rows = f"({journal.pk}, {account.pk}, {rich.part}, 10.01), ({journal.pk}, {bank}, 0, -10.01)"
    assert refusal(INSERT_POSTINGS + rows) == "account_part_floor"
    assert available(partner) == Decimal("10.00")


def test_posts_each_kind_of_journal_once_for_a_payment() -> None:
    payment = push(make_payee())
    again = """INSERT INTO payouts_journal (kind, payment_id, description, actor, created_at)
               SELECT kind, payment_id, '', 'test', now() FROM payouts_journal
               WHERE payment_id = %s"""
    assert refusal(again, payment.pk) == "journal_once_per_payment"


def test_a_journal_of_a_payment_names_it() -> None:
    nameless = """INSERT INTO payouts_journal (kind, description, actor, created_at)
                  VALUES ('completed', '', 'test', now())"""
    assert refusal(nameless) == "journal_names_its_payment"


@pytest.mark.parametrize(
    "values",
    [
        "('available', NULL, '')",
        "('network_payable', NULL, '')",
        "('bank', (SELECT id FROM consumers_partner), '')",
        "('fee_revenue', NULL, 'sandbox')",
        "('pocket', NULL, '')",
    ],
)
def test_an_account_belongs_to_whom_its_kind_says(values: str) -> None:
    make_partner()
    wrong = f"INSERT INTO payouts_account (kind, partner_id, network) VALUES {values}"
    assert refusal(wrong) == "account_belongs"


def test_there_is_one_account_of_a_kind() -> None:
    second = "INSERT INTO payouts_account (kind, network) VALUES ('bank', '')"
    assert refusal(second) == "account_once"


def test_opening_accounts_again_changes_nothing() -> None:
    partner = make_partner()
    before = set(Account.objects.values_list("pk", flat=True))
    open_partner_accounts(partner)
    open_house_accounts("sandbox")
    assert set(Account.objects.values_list("pk", flat=True)) == before


def test_an_account_begins_with_sixteen_empty_parts() -> None:
    partner = make_partner()
    for kind, max_debit in ((AccountKind.AVAILABLE, Decimal(0)), (AccountKind.HELD, None)):
        account = Account.objects.get(partner=partner, kind=kind)
        parts = account.parts.order_by("part").values_list("part", "balance", "max_debit")
        assert list(parts) == [(part, NOTHING, max_debit) for part in range(16)]


def test_a_journal_without_lines_is_not_written() -> None:
    bank = _ours(AccountKind.BANK)
    with pytest.raises(IntegrityError), transaction.atomic():
        post_journal(
            JournalKind.SETTLED, lines=[Line(bank, Decimal(0))], actor=WORKER, at=timezone.now()
        )
    assert not Journal.objects.exists()


def test_an_unbalanced_journal_is_not_written() -> None:
    bank = _ours(AccountKind.BANK)
    with pytest.raises(DatabaseError), transaction.atomic():
        post_journal(
            JournalKind.SETTLED, lines=[Line(bank, Decimal(1))], actor=WORKER, at=timezone.now()
        )
    assert not Journal.objects.exists()


def test_funding_debits_the_bank_and_credits_the_partner() -> None:
    partner = make_partner()
    fund_partner(partner, Decimal("1234.56"), actor=COMMAND_LINE)
    assert balance("bank") == Decimal("1234.56")
    assert (available(partner), held(partner)) == (Decimal("1234.56"), NOTHING)
    assert_books_are_right()


@pytest.mark.parametrize("amount", ["0", "-1", "0.001", "NaN", "Infinity"])
def test_funding_takes_whole_cents_above_zero(amount: str) -> None:
    partner = make_partner()
    with pytest.raises(NotAFundingAmount):
        fund_partner(partner, Decimal(amount), actor=COMMAND_LINE)
    assert available(partner) == 0


def test_a_partner_is_taken_on_once() -> None:
    create_partner("Acme Payroll")
    with pytest.raises(PartnerExists):
        create_partner("Acme Payroll")


@pytest.mark.parametrize("total", ["0.01", "5.00", "9.99", "10.00"])
def test_gathering_brings_the_money_into_one_part(total: str) -> None:
    account = _spread(make_funded_partner(dollars="10.00"))
    ((part,),) = select("SELECT payouts_gather(%s, %s)", account, Decimal(total))
    parts = AccountPart.objects.filter(account_id=account)
    assert -parts.get(part=part).balance >= Decimal(total)
    assert sum(one.balance for one in parts) == -10
    assert all(one.balance <= 0 for one in parts)


def test_gathering_finds_out_that_there_is_not_enough() -> None:
    account = _spread(make_funded_partner(dollars="10.00"))
    before = list(AccountPart.objects.filter(account_id=account).order_by("part").values_list())
    assert select("SELECT payouts_gather(%s, %s)", account, Decimal("10.01")) == [(None,)]
    after = list(AccountPart.objects.filter(account_id=account).order_by("part").values_list())
    assert after == before


def _spread(partner: Partner) -> int:
    """Spread the partner's money over its sixteen parts, and return the account's id."""
    account = Account.objects.get(partner=partner, kind=AccountKind.AVAILABLE)
    select("SELECT payouts_gather(%s, 0.01)", account.pk)
    assert AccountPart.objects.filter(account=account, balance__lt=0).count() == 16
    return int(account.pk)
