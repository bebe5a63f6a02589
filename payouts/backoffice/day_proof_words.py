"""What staff read about the proof of a day. Words only."""

from typing import Final

from payouts.reconciliation.day_proofs import AtBank, Verdict

VERDICT_WORDS: Final = {
    Verdict.AGREES.value: "Everything agrees",
    Verdict.EXPLAINED.value: "Differs, and all of it was found",
    Verdict.NO_FILE.value: "No file about the whole day yet",
    Verdict.BROKEN.value: "Does not agree",
}
BANK_WORDS: Final = {
    AtBank.SETTLED.value: "Settled",
    AtBank.NOT_YET.value: "Not yet",
    AtBank.NO_STATEMENT.value: "No statement yet",
    AtBank.NOTHING_DUE.value: "Nothing due",
    AtBank.DIFFERS.value: "Differs: see cases",
}
# What lies between what we paid and what the file says, and whether it is taken off or added.
STEPS: Final = (
    ("settled_other_day", "Settled on another day", "−"),  # noqa: RUF001
    ("in_no_file", "Paid, and in no file", "−"),  # noqa: RUF001
    ("other_currency", "Settled in another currency", "−"),  # noqa: RUF001
    ("paid_other_day", "Paid on another day", "+"),
    ("not_paid_here", "Settled, and no paid push", "+"),
    ("amounts_differ", "Differences of amounts", "+"),
)
BOOKS: Final = (
    ("paid", "Pushes paid"),
    ("ledger", "Ledger, payable to the network"),
    ("file", "The network's files"),
    ("returned", "Pushes that came back"),
    ("returned_in_ledger", "Ledger, taken back"),
    ("returned_in_file", "The network's files, returns"),
    ("due_at_bank", "Due at the bank, by whole files"),
    ("at_bank", "Settled at the bank"),
)
