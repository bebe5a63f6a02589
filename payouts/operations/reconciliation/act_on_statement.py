"""Does what follows from a judged statement of our bank: settlements booked, cases opened.

One entry a transaction, with its journal and its case, so each is booked once whatever dies.
"""

from collections import defaultdict
from decimal import Decimal
from typing import Final

from django.db import transaction
from django.utils import timezone

from payouts.actors import Actor
from payouts.doubts import CaseKind
from payouts.models import (
    Account,
    AccountKind,
    BankEntry,
    FileState,
    JournalKind,
    SettlementFile,
    StatementFile,
)
from payouts.operations.cases import Disagreement, close_as_come, open_case
from payouts.operations.ledger import post_journal
from payouts.operations.reconciliation.bank_bookings import settling_lines
from payouts.operations.reconciliation.bank_days import covered_days, must_be_settled_by
from payouts.operations.reconciliation.match_statement import (
    files_named,
    last_day_of,
    net_of,
    unsettled,
)
from payouts.operations.reconciliation.take_statement import (
    lock_statements,
)
from payouts.reconciliation.bank_statements import (
    BOOKED,
    CASE_OF_ENTRY,
    EntryOutcome,
)

_CENT: Final = Decimal("0.01")


def act_on_next_entry() -> StatementFile | None:
    """Do what follows from one entry, or finish a file that has none left; None if there is none.

    Any number of workers may run this at once: each entry goes to one of them.
    """
    file = StatementFile.objects.filter(state=FileState.ACTING).order_by("pk").first()
    if file is None:
        return None
    with transaction.atomic():
        to_do = BankEntry.objects.filter(file=file, acted_at__isnull=True)
        entry = to_do.select_for_update(skip_locked=True, no_key=True).order_by("pk").first()
        if entry is not None:
            _act_on(entry)
        elif not to_do.exists():
            lock_statements()
            _finish(file)
        else:
            # Somebody else has the rest under way.
            return None
    return file


def _finish(file: StatementFile) -> None:
    acting = StatementFile.objects.filter(pk=file.pk, state=FileState.ACTING)
    if acting.update(state=FileState.DONE, finished_at=timezone.now()):
        for settlement in _missing():
            open_case(_nothing_at_bank(settlement, file), at=timezone.now())


def _act_on(entry: BankEntry) -> None:
    at, outcome = timezone.now(), EntryOutcome(entry.outcome)
    settled = list(SettlementFile.objects.filter(at_bank__entry=entry).order_by("pk"))
    if outcome in BOOKED:
        owed: dict[str, Decimal] = defaultdict(Decimal)
        for one in settled:
            owed[one.network] += net_of(one)
        entry.journal_id = post_journal(
            JournalKind.SETTLED,
            lines=settling_lines(entry.amount, owed),
            description=f"{', '.join(one.reference for one in settled)}: settled"[:200],
            actor=Actor("bank statement"),
            at=at,
        )
        for one in settled:
            came_with = f"statement {entry.statement.reference}, entry {entry.number}"
            kind, subject = CaseKind.MISSING_AT_BANK, str(one.pk)
            close_as_come(kind, subject, came_with=came_with, at=at)
    if outcome in CASE_OF_ENTRY:
        entry.case = open_case(_disagreement(entry, outcome, settled), at=at)
    entry.acted_at = at
    entry.save(update_fields=["journal", "case", "acted_at"])


def _disagreement(
    entry: BankEntry, outcome: EntryOutcome, settled: list[SettlementFile]
) -> Disagreement:
    owed = sum((net_of(one) for one in settled), Decimal("0.00"))
    rest = -entry.amount - owed if outcome is EntryOutcome.AMOUNT_DIFFERS else Decimal("0.00")
    at_stake = {EntryOutcome.AMOUNT_DIFFERS: abs(rest), EntryOutcome.REFERENCE_DIFFERS: Decimal(0)}
    return Disagreement(
        kind=CASE_OF_ENTRY[outcome],
        subject=f"{entry.file_id}|{entry.number}",
        title=_title(entry, outcome, owed),
        amount=at_stake.get(outcome, abs(entry.amount)),
        ours={
            "settlement_files": ", ".join(one.reference for one in settled),
            "owed_to_network": f"{owed:.2f}" if settled else "",
        },
        theirs={
            "says": "took" if entry.amount < 0 else "gave",
            "amount": f"{entry.amount.quantize(_CENT)}",
            "difference": f"{rest:.2f}" if rest else "",
            "network": _network(entry, settled),
            "booked_on": entry.booked_on.isoformat(),
            "bank_reference": entry.bank_reference,
            "text": entry.text,
            "statement": entry.statement.reference,
            "entry": str(entry.number),
            "statement_file": str(entry.file_id),
        },
    )


def _network(entry: BankEntry, settled: list[SettlementFile]) -> str:
    """Whose entry it is, or could be: the one that it names, or the only one that there is."""
    named = settled or files_named([entry]).get(entry.number)
    if named:
        return named[0].network
    networks = Account.objects.filter(kind=AccountKind.NETWORK_PAYABLE)
    names = list(networks.values_list("network", flat=True)[:2])
    return names[0] if len(names) == 1 else ""


def _title(entry: BankEntry, outcome: EntryOutcome, owed: Decimal) -> str:
    moved = f"${abs(entry.amount):,.2f}"
    verb = "took" if entry.amount < 0 else "gave"
    match outcome:
        case EntryOutcome.AMOUNT_DIFFERS:
            return f"{moved}: the bank {verb} it, and the network's files say ${abs(owed):,.2f}"
        case EntryOutcome.REFERENCE_DIFFERS:
            return f"{moved}: settled at the bank under a reference that is not the network's"
        case EntryOutcome.SETTLED_AGAIN:
            return f"{moved}: the bank {verb} it for what was settled before"
        case _:
            return f"{moved}: the bank {verb} it, and nobody here knows why"


def _missing() -> list[SettlementFile]:
    """What networks have settled and our bank should show by now, and does not."""
    begins_on, until = covered_days()
    if begins_on is None or until is None:
        return []
    return [
        one
        for one in unsettled().filter(state=FileState.DONE).order_by("pk")
        if begins_on <= last_day_of(one) and must_be_settled_by(last_day_of(one)) <= until
    ]


def _nothing_at_bank(settlement: SettlementFile, found_by: StatementFile) -> Disagreement:
    owed = net_of(settlement)
    return Disagreement(
        kind=CaseKind.MISSING_AT_BANK,
        subject=str(settlement.pk),
        title=f"${abs(owed):,.2f}: settled by {settlement.reference}, and not at the bank",
        amount=abs(owed),
        ours={
            "settlement_files": settlement.reference,
            "owed_to_network": f"{owed:.2f}",
            "last_day": last_day_of(settlement).isoformat(),
        },
        theirs={
            "says": "nothing",
            "network": settlement.network,
            "statement": found_by.name,
            "statement_file": str(found_by.pk),
        },
    )
