"""Judges entries of our bank's statements against what networks settle and partners sent.

By the references that stand in an entry first. What names nothing is then looked for by amount and
day, and taken only if it is certain which: one entry and one settlement file. Books nothing.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import UTC, date, timedelta
from decimal import Decimal
from typing import Any, Final

from django.conf import settings
from django.db.models import F, QuerySet
from django.utils import timezone

from payouts.changes import ChangeState
from payouts.models import (
    BankEntry,
    ChangeRequest,
    FileState,
    SettledAtBank,
    SettlementFile,
    StatementFile,
)
from payouts.models.changes import FUNDING
from payouts.reconciliation.bank_statements import BOOKED, EntryOutcome

# A network's reference of a file, wherever it stands in what the bank passes on.
_TOKEN: Final = re.compile(r"(?<![A-Za-z0-9-])[A-Za-z0-9-]{1,35}(?![A-Za-z0-9-])")
_WORD: Final = re.compile(r"[^\W_]+")
# Nothing of these is taken back any more.
_CERTAIN: Final = (FileState.ACTING, FileState.DONE)


def judge_entries(file: StatementFile, *, after: int, until: int) -> None:
    """Judge the entries numbered above `after` up to `until`, each once.

    Runs in the caller's transaction, under `lock_statements`.
    """
    rows = BankEntry.objects.filter(file=file, number__gt=after, number__lte=until)
    entries = list(rows.order_by("number"))
    named = files_named(entries)
    ids = {one.pk for some in named.values() for one in some}
    settled = SettledAtBank.objects.filter(settlement__in=ids)
    taken = set(settled.values_list("settlement_id", flat=True))
    fundings = _fundings(entries)
    matches: list[SettledAtBank] = []
    for entry in entries:
        candidates = named.get(entry.number, [])
        free = [one for one in candidates if one.pk not in taken]
        settles = _settles(entry, free)
        entry.funding = None if candidates else _funding(entry, fundings)
        entry.outcome = _outcome(entry, settles, was_settled=len(free) < len(candidates))
        if entry.outcome in (EntryOutcome.FUNDED, EntryOutcome.NO_MONEY):
            entry.acted_at = timezone.now()
        taken.update(one.pk for one in settles)
        matches.extend(SettledAtBank(settlement=one, entry=entry) for one in settles)
    BankEntry.objects.bulk_update(entries, ["outcome", "funding", "acted_at"], batch_size=500)
    SettledAtBank.objects.bulk_create(matches)


def recognise_strays(file: StatementFile) -> None:
    """Find what an entry without a reference settles, by amount and day.

    Runs in the caller's transaction, after every entry is judged.
    """
    unknown = BankEntry.objects.filter(file=file, outcome=EntryOutcome.UNKNOWN)
    amounts = set(unknown.values_list("amount", flat=True))
    due = list(unsettled().filter(net__in=[-amount for amount in amounts]))
    if not due:
        return
    entries = list(unknown.filter(amount__in=[-net_of(one) for one in due]))
    named = files_named(entries)
    found = [
        (entry, one)
        for entry in entries
        for one in due
        if entry.number not in named and -entry.amount == net_of(one) and _is_in_time(entry, one)
    ]
    of_entry, of_file = Counter(e.pk for e, _ in found), Counter(f.pk for _, f in found)
    for entry, one in found:
        if of_entry[entry.pk] == of_file[one.pk] == 1:
            entry.outcome = EntryOutcome.REFERENCE_DIFFERS
            entry.save(update_fields=["outcome"])
            SettledAtBank.objects.create(settlement=one, entry=entry)


def wants_two_people(file: StatementFile) -> bool:
    """Whether acting on the file would book what the bank took or gave."""
    return BankEntry.objects.filter(file=file, outcome__in=sorted(BOOKED)).exists()


def unsettled() -> "QuerySet[Any]":
    """Settlement files that count and that no entry has settled, with their `net`.

    What a network takes for a file is `net` dollars; below zero it gives.
    """
    rows = SettlementFile.objects.filter(state__in=_CERTAIN, at_bank__isnull=True)
    return rows.annotate(net=F("credited") - F("returned")).exclude(net=0)


def net_of(file: SettlementFile) -> Decimal:
    """What the network takes for the file, in dollars; below zero it gives."""
    return file.credited - file.returned


def last_day_of(file: SettlementFile) -> date:
    """The last day (UTC) that the file is about."""
    return (file.ends_at - timedelta(microseconds=1)).astimezone(UTC).date()


def _is_in_time(entry: BankEntry, file: SettlementFile) -> bool:
    last = last_day_of(file)
    # A bank in another zone may book before the day is over by UTC.
    return last <= entry.booked_on <= last + timedelta(days=settings.BANK_SETTLES_WITHIN_DAYS)


def files_named(entries: Iterable[BankEntry]) -> dict[int, list[SettlementFile]]:
    """The settlement files that entries of one file name, by the entries' numbers."""
    tokens = {
        entry.number: frozenset(_TOKEN.findall(f"{entry.text} {entry.bank_reference}"))
        for entry in entries
    }
    wanted = frozenset().union(*tokens.values())
    rows = SettlementFile.objects.filter(state__in=_CERTAIN, reference__in=wanted).order_by("pk")
    by_reference: dict[str, list[SettlementFile]] = defaultdict(list)
    for row in rows:
        by_reference[row.reference].append(row)
    named = {
        number: [file for token in sorted(found) for file in by_reference.get(token, ())]
        for number, found in tokens.items()
    }
    return {number: files for number, files in named.items() if files}


def _settles(entry: BankEntry, candidates: Sequence[SettlementFile]) -> list[SettlementFile]:
    """Which of the files that it names the entry settles; none if that is not certain."""
    took = -entry.amount
    owed = sum((net_of(one) for one in candidates), Decimal(0))
    if took == owed:
        # A network may settle several days at once.
        return list(candidates)
    exact = [one for one in candidates if net_of(one) == took]
    if len(exact) == 1:
        return exact
    references = {one.reference for one in candidates}
    is_same_way = (took > 0) == (owed > 0)
    return list(candidates) if is_same_way and len(references) == len(candidates) else []


def _outcome(
    entry: BankEntry, settles: Sequence[SettlementFile], *, was_settled: bool
) -> EntryOutcome:
    if entry.amount == 0:
        return EntryOutcome.NO_MONEY
    if settles:
        owed = sum(net_of(one) for one in settles)
        return EntryOutcome.SETTLED if -entry.amount == owed else EntryOutcome.AMOUNT_DIFFERS
    if entry.funding is not None:
        return EntryOutcome.FUNDED
    return EntryOutcome.SETTLED_AGAIN if was_settled else EntryOutcome.UNKNOWN


def _fundings(entries: Iterable[BankEntry]) -> dict[str, list[ChangeRequest]]:
    """What two people have booked of partners' money and no entry has shown, by amount."""
    amounts = sorted({f"{entry.amount:.2f}" for entry in entries if entry.amount > 0})
    shown = BankEntry.objects.filter(funding__isnull=False).values("funding")
    rows = ChangeRequest.objects.filter(
        kind=FUNDING, state=ChangeState.APPLIED, after__amount__in=amounts
    ).exclude(pk__in=shown)
    found: dict[str, list[ChangeRequest]] = defaultdict(list)
    for row in rows.order_by("pk"):
        found[row.after["amount"]].append(row)
    return found


def _funding(entry: BankEntry, fundings: dict[str, list[ChangeRequest]]) -> ChangeRequest | None:
    """The funding of this amount whose reference stands in the entry, taken off the list."""
    waiting = fundings.get(f"{entry.amount:.2f}", [])
    text = _words(f"{entry.text} {entry.bank_reference}")
    named = [one for one in waiting if _words(one.after["reference"]) in text]
    if len(named) != 1:
        return None
    waiting.remove(named[0])
    return named[0]


def _words(text: str) -> str:
    """The text in a form in which whole words can be found in another one."""
    words = _WORD.findall(text.upper())
    return f" {' '.join(words)} "
