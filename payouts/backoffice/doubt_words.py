"""What staff read about doubts and cases, and where each is worked on. Words and addresses only."""

from typing import Final

from django.urls import reverse

from payouts.doubts import PAID_OTHERWISE, CaseKind, EvidenceProblem, Way
from payouts.models import ChangeRequest
from payouts.models.changes import CLOSING, RESOLUTION, RETURN
from payouts.operations.ask_now import Asked
from payouts.states import Status

FOUND_WORDS: Final = {
    "not_found": "the network does not have it",
    "timeout": "no answer in time",
    "connection_lost": "the connection broke",
    "server_error": "the network had an error",
    "in_progress": "the network is still at it",
    "still_running": "the network is still at it",
    "unreadable_answer": "an answer that nobody can read",
    "unexpected_status": "an answer that nobody expects",
    "identity_mismatch": "an answer about another push",
    "unclear_code": "a code that says neither",
    "unresolved_duplicate": "it has the push and does not say more",
    "unreachable": "the network could not be reached",
    "sender_lost": "the sender stopped in the middle",
    "internal_error": "an error of our own",
}
NOT_AGAIN_WORDS: Final = {
    "card_inactive": "the card is deactivated",
    "card_expired": "the card has expired",
    "card_not_eligible": "no push goes to such a card",
    "consumer_inactive": "the consumer's account is closed",
}
ASKED_WORDS: Final = {
    Asked.ASKING: "The network is being asked. What it says appears here.",
    Asked.ALREADY: "The network is being asked already. What it says appears here.",
    Asked.NOT_UNKNOWN: "This push is not in doubt any more.",
}
EVIDENCE_WORDS: Final = {
    EvidenceProblem.EMPTY: "The file is empty.",
    EvidenceProblem.TOO_LARGE: "The file is larger than 5 MB.",
    EvidenceProblem.KIND: "Take a PDF, PNG, JPEG or plain text: nothing else is kept.",
    EvidenceProblem.CARD_NUMBER: "There is a card number in it, or in its name. Black it out.",
}
VERDICT_WORDS: Final = {
    Status.COMPLETED.value: "It was paid",
    Status.FAILED.value: "It was not paid",
    Status.RETURNED.value: "The money came back",
}
VERDICT_MEANS: Final = {
    Status.COMPLETED.value: "The held money goes to the network, the fee to us. This is final.",
    Status.FAILED.value: "Amount and fee are the partner's again. This is final: if it was paid "
    "after all, the money is lost.",
    Status.RETURNED.value: "The amount is the partner's again; the fee stays ours. This is final.",
}
CASE_WORDS: Final = {
    CaseKind.LATE_ANSWER.value: "Late answer",
    CaseKind.UNEXPECTED_RETURN.value: "Came back unexpectedly",
    CaseKind.RETURN_DIFFERS.value: "Another amount came back",
    CaseKind.AMOUNT_DIFFERS.value: "Another amount was settled",
    CaseKind.CURRENCY_DIFFERS.value: "Settled in another currency",
    CaseKind.IDENTITY_DIFFERS.value: "Settled under another identity",
    CaseKind.SETTLED_LATE.value: "Settled on another day",
    CaseKind.SETTLED_TWICE.value: "Settled twice",
    CaseKind.MISSING_HERE.value: "Settled, and not ours",
    CaseKind.MISSING_THERE.value: "Not settled",
    CaseKind.UNKNOWN_INSTRUCTION.value: "Not our instruction",
    CaseKind.BANK_AMOUNT_DIFFERS.value: "Another amount at the bank",
    CaseKind.BANK_REFERENCE_DIFFERS.value: "Another reference at the bank",
    CaseKind.BANK_SETTLED_AGAIN.value: "Settled twice at the bank",
    CaseKind.BANK_ENTRY_UNKNOWN.value: "Unknown at the bank",
    CaseKind.MISSING_AT_BANK.value: "Missing at the bank",
}
WAY_WORDS: Final = {
    Way.NOTHING.value: "Nothing is to be booked",
    Way.CHARGE_PARTNER.value: "The partner pays amount and fee",
    Way.HOUSE_BEARS.value: "We bear the amount",
    Way.GIVE_BACK.value: "The partner gets amount and fee back",
    Way.TO_SUSPENSE.value: "What differs goes to suspense",
    Way.ALL_TO_SUSPENSE.value: "All that came back goes to suspense",
    Way.CAME_BACK.value: "The push came back: the partner gets its amount, what differs goes to "
    "suspense",
    Way.CAME.value: "What was missing has come",
    Way.TO_NETWORK.value: "It is between us and the network, and goes to its account",
}
# What to do where a case cannot book all that there is to book.
HINT_WORDS: Final = {
    CaseKind.CURRENCY_DIFFERS.value: "Our books are in dollars, so nothing can be booked here. "
    "Have the network settle this push anew in dollars; what it takes "
    "then comes in another file. Close this case when that is agreed.",
    CaseKind.RETURN_DIFFERS.value: "One return is booked once. Before you propose, see whether "
    "another case or a settlement file is about the same money.",
    PAID_OTHERWISE: "What the network takes comes with its settlement file, as a case of its own "
    "that books the difference. Leave this one open until then.",
}
SIDE_WORDS: Final = {
    "says": "Says",
    "status": "Status",
    "failure": "Failure",
    "network_code": "Network code",
    "approval_code": "Approval code",
    "transaction": "Transaction",
    "reference": "Reference",
    "amount": "Amount",
    "completed_at": "Paid",
    "settled_on": "Settled on",
    "difference": "The network takes more by",
    "file": "Settlement file",
    "line": "Line",
    "retrieval_reference_number": "RRN",
    "trace_number": "Trace",
    "terminal": "Terminal",
    "settlement_line": "Line of a settlement file",
    "card": "Card ends in",
    "settlement_files": "Settlement files",
    "owed_to_network": "The network's due",
    "last_day": "Last day (UTC)",
    "booked_on": "Booked on",
    "text": "Text",
    "bank_reference": "The bank's reference",
    "statement": "Statement",
    "entry": "Entry",
    "network": "Network",
}


def page_of_resolution(change: ChangeRequest) -> str:
    """The page on which a resolution or the end of a case is decided; empty for other changes."""
    if change.kind in (RESOLUTION, RETURN):
        return reverse("backoffice:doubt", args=[change.subject])
    if change.kind == CLOSING:
        return reverse("backoffice:case", args=[change.subject])
    return ""
