"""The one table of what a network's answer code means for a push and what has to follow.

The API, the screens and the retry rules all read this table; nothing else may interpret a code.
Pure: no Django, no clock, no network. The codes are ISO 8583 field 39, the consequences are those
of the project's domain notes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from types import MappingProxyType

APPROVAL_CODES = frozenset({"00", "11"})

# Not a failure: the network has this identity already, so look at what became of the original.
DUPLICATE_CODE = "94"


# ISO 8583 codes that approve only in part or under a condition, which no push should ever get. Paid
# or not cannot be read from them, so they are neither a decline nor an approval.
UNCLEAR_CODES = frozenset({"08", "10", "16", "85", "87"})

NOT_DECLINES = APPROVAL_CODES | UNCLEAR_CODES | {DUPLICATE_CODE}


class WhoActs(StrEnum):
    """Whose move it is after a failure."""

    PAYEE = "payee"
    US = "us"
    ISSUER = "issuer"
    COMPLIANCE = "compliance"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decline:
    """What one failure means.

    `code` is ours and stable: integrators program against it. `staff_text` may name the reason;
    `payee_text` is neutral and gives nothing away. `retryable` says that the very same push may
    succeed later, `retry_after` the least time to wait, `retry_limit` how often at most (None: no
    rule of the network). A retry is a new payment with an identity of its own.
    """

    network_code: str | None
    code: str
    staff_text: str
    payee_text: str
    who_acts: WhoActs
    retry_after: timedelta | None = None
    retry_limit: int | None = None
    deactivates_card: bool = False
    marks_not_push_capable: bool = False

    @property
    def retryable(self) -> bool:
        return self.retry_after is not None


class NotADecline(ValueError):
    """The code is an approval, a duplicate or unclear: nothing is known to have failed."""


_CALL_BANK = "Your bank did not accept this payment. Please contact your bank."
_OTHER_CARD = "This card cannot receive the payment. Please use another card."
_NEW_DATA = "Please check the card details and enter them again."
_LATER = "The payment could not be made right now. It may be tried again later."
_WE_LOOK = "The payment could not be made. We are looking into it."

_TABLE = (
    Decline(
        network_code="01",
        code="refer_to_issuer",
        staff_text="The issuer wants to be called. The payee has to call the bank.",
        payee_text=_CALL_BANK,
        who_acts=WhoActs.PAYEE,
    ),
    Decline(
        network_code="02",
        code="refer_to_issuer_special",
        staff_text="The issuer wants to be called (special condition). The payee calls the bank.",
        payee_text=_CALL_BANK,
        who_acts=WhoActs.PAYEE,
    ),
    Decline(
        network_code="03",
        code="invalid_merchant",
        staff_text="The network does not accept our merchant set-up. Correct the configuration.",
        payee_text=_WE_LOOK,
        who_acts=WhoActs.US,
    ),
    Decline(
        network_code="04",
        code="pick_up_card",
        staff_text="The issuer wants the card withdrawn. The card has been deactivated.",
        payee_text=_OTHER_CARD,
        who_acts=WhoActs.PAYEE,
        deactivates_card=True,
    ),
    Decline(
        network_code="05",
        code="do_not_honor",
        staff_text="The issuer declined without a reason. One later retry at most.",
        payee_text=_CALL_BANK,
        who_acts=WhoActs.ISSUER,
        retry_after=timedelta(days=1),
        retry_limit=1,
    ),
    Decline(
        network_code="06",
        code="network_error",
        staff_text="The network reported an error. The push may be retried later.",
        payee_text=_LATER,
        who_acts=WhoActs.NOBODY,
        retry_after=timedelta(hours=1),
    ),
    Decline(
        network_code="07",
        code="pick_up_card_fraud",
        staff_text="The issuer reports fraud on this card. The card has been deactivated.",
        payee_text=_OTHER_CARD,
        who_acts=WhoActs.PAYEE,
        deactivates_card=True,
    ),
    Decline(
        network_code="12",
        code="invalid_transaction",
        staff_text="The network does not allow this kind of transaction. Do not retry.",
        payee_text=_WE_LOOK,
        who_acts=WhoActs.US,
    ),
    Decline(
        network_code="13",
        code="invalid_amount",
        staff_text="The network does not accept this amount. Push another amount.",
        payee_text=_WE_LOOK,
        who_acts=WhoActs.US,
    ),
    Decline(
        network_code="14",
        code="no_such_card",
        staff_text="The issuer does not know this card number. The card has been deactivated.",
        payee_text=_NEW_DATA,
        who_acts=WhoActs.PAYEE,
        deactivates_card=True,
    ),
    Decline(
        network_code="15",
        code="no_such_issuer",
        staff_text="No issuer has this card number. The card has been deactivated.",
        payee_text=_NEW_DATA,
        who_acts=WhoActs.PAYEE,
        deactivates_card=True,
    ),
    Decline(
        network_code="19",
        code="reenter_transaction",
        staff_text="The network asks for the transaction again. Retry after a few minutes.",
        payee_text=_LATER,
        who_acts=WhoActs.NOBODY,
        retry_after=timedelta(minutes=10),
    ),
    Decline(
        network_code="41",
        code="lost_card",
        staff_text="The card was reported lost. The card has been deactivated.",
        payee_text=_OTHER_CARD,
        who_acts=WhoActs.PAYEE,
        deactivates_card=True,
    ),
    Decline(
        network_code="43",
        code="stolen_card",
        staff_text="The card was reported stolen. The card has been deactivated.",
        payee_text=_OTHER_CARD,
        who_acts=WhoActs.PAYEE,
        deactivates_card=True,
    ),
    Decline(
        network_code="46",
        code="closed_account",
        staff_text="The account of this card is closed. The card has been deactivated.",
        payee_text=_OTHER_CARD,
        who_acts=WhoActs.PAYEE,
        deactivates_card=True,
    ),
    Decline(
        network_code="51",
        code="settlement_funds_insufficient",
        staff_text="Our settlement position does not cover the push. Fund it, then retry.",
        payee_text=_LATER,
        who_acts=WhoActs.US,
        retry_after=timedelta(hours=1),
    ),
    Decline(
        network_code="54",
        code="expired_card",
        staff_text="The card has expired. New card details are needed.",
        payee_text=_NEW_DATA,
        who_acts=WhoActs.PAYEE,
    ),
    Decline(
        network_code="57",
        code="not_permitted_to_card",
        staff_text="This card may not receive pushes. It has been marked so.",
        payee_text=_OTHER_CARD,
        who_acts=WhoActs.PAYEE,
        marks_not_push_capable=True,
    ),
    Decline(
        network_code="59",
        code="suspected_fraud",
        staff_text="The issuer suspects fraud. Review before anything else is pushed.",
        payee_text=_WE_LOOK,
        who_acts=WhoActs.COMPLIANCE,
    ),
    Decline(
        network_code="61",
        code="issuer_amount_limit_exceeded",
        staff_text="The issuer's daily amount limit is reached. Not again the same day.",
        payee_text=_LATER,
        who_acts=WhoActs.NOBODY,
        retry_after=timedelta(days=1),
    ),
    Decline(
        network_code="62",
        code="restricted_card",
        staff_text="The card is restricted. Stop; compliance has to look.",
        payee_text=_WE_LOOK,
        who_acts=WhoActs.COMPLIANCE,
    ),
    Decline(
        network_code="63",
        code="security_violation",
        staff_text="The issuer reports a security violation. Review before pushing again.",
        payee_text=_WE_LOOK,
        who_acts=WhoActs.COMPLIANCE,
    ),
    Decline(
        network_code="65",
        code="issuer_count_limit_exceeded",
        staff_text="The issuer's daily number of pushes is reached. Not again the same day.",
        payee_text=_LATER,
        who_acts=WhoActs.NOBODY,
        retry_after=timedelta(days=1),
    ),
    Decline(
        network_code="91",
        code="issuer_unavailable",
        staff_text="The issuer cannot be reached by the network. Retry after a delay.",
        payee_text=_LATER,
        who_acts=WhoActs.NOBODY,
        retry_after=timedelta(hours=1),
    ),
    Decline(
        network_code="92",
        code="cannot_be_routed",
        staff_text="The network cannot route this push. Check the routing configuration.",
        payee_text=_WE_LOOK,
        who_acts=WhoActs.US,
    ),
    Decline(
        network_code="93",
        code="violation_of_law",
        staff_text="The network refuses on legal grounds. Stop; compliance has to look.",
        payee_text=_WE_LOOK,
        who_acts=WhoActs.COMPLIANCE,
    ),
    Decline(
        network_code="96",
        code="system_malfunction",
        staff_text="The network or the issuer had a malfunction. The push may be retried later.",
        payee_text=_LATER,
        who_acts=WhoActs.NOBODY,
        retry_after=timedelta(hours=1),
    ),
)

DECLINES: Mapping[str, Decline] = MappingProxyType(
    {decline.network_code: decline for decline in _TABLE if decline.network_code is not None}
)

NETWORK_UNREACHABLE = Decline(
    network_code=None,
    code="network_unreachable",
    staff_text="The network could not be reached and nothing was sent. The push may be retried.",
    payee_text=_LATER,
    who_acts=WhoActs.NOBODY,
    retry_after=timedelta(minutes=15),
)

# Two people have found out, with evidence, that the network never paid it.
RESOLVED_NOT_PAID = Decline(
    network_code=None,
    code="resolved_not_paid",
    staff_text="The network's answer was lost. Two people have resolved with evidence that it was "
    "not paid.",
    payee_text=_WE_LOOK,
    who_acts=WhoActs.US,
)

# Why the sender refused to send what had been accepted: the card or its owner changed meanwhile.
_STOPPED_BEFORE_SENDING = (
    Decline(
        network_code=None,
        code="consumer_inactive",
        staff_text="The consumer's account was closed before the push was sent. Nothing was sent.",
        payee_text=_WE_LOOK,
        who_acts=WhoActs.US,
    ),
    Decline(
        network_code=None,
        code="card_inactive",
        staff_text="The card was deactivated before the push was sent. Nothing was sent.",
        payee_text=_OTHER_CARD,
        who_acts=WhoActs.PAYEE,
    ),
    Decline(
        network_code=None,
        code="card_expired",
        staff_text="The card expired before the push was sent. Nothing was sent.",
        payee_text=_NEW_DATA,
        who_acts=WhoActs.PAYEE,
    ),
    Decline(
        network_code=None,
        code="card_not_eligible",
        staff_text="No network carries pushes to this card. Nothing was sent.",
        payee_text=_OTHER_CARD,
        who_acts=WhoActs.PAYEE,
    ),
    Decline(
        network_code=None,
        code="payee_renamed",
        staff_text="The payee was renamed after the push was approved and before it was sent, so "
        "nobody has approved this name. Nothing was sent: issue the push anew.",
        payee_text=_WE_LOOK,
        who_acts=WhoActs.US,
    ),
    Decline(
        network_code=None,
        code="card_unreadable",
        staff_text="The stored card number does not open: a key of the vault is missing or wrong.",
        payee_text=_WE_LOOK,
        who_acts=WhoActs.US,
    ),
)

# Failures that no network has reported, by our own code.
_OWN = (NETWORK_UNREACHABLE, RESOLVED_NOT_PAID, *_STOPPED_BEFORE_SENDING)
OWN_FAILURES: Mapping[str, Decline] = MappingProxyType({failure.code: failure for failure in _OWN})

# Every reason that we know, by name; a network's unknown code has one of its own.
FAILURES: tuple[str, ...] = tuple(
    sorted({decline.code for decline in (*DECLINES.values(), *OWN_FAILURES.values())})
)


def decline_for(network_code: str) -> Decline:
    """What follows from a network's decline code.

    A code that is not in the table gets a safe answer that carries the code: never retryable,
    operations look.

    :raises NotADecline: it is an approval, a duplicate or unclear. Treating one of them as a
        failure would release money that has moved.
    """
    if network_code in NOT_DECLINES:
        raise NotADecline(network_code)
    known = DECLINES.get(network_code)
    return known if known is not None else _unlisted(network_code)


def own_failure(code: str) -> Decline:
    """What follows from a failure that has no network code. Raises KeyError for an unknown one."""
    return OWN_FAILURES[code]


def _unlisted(network_code: str) -> Decline:
    return Decline(
        network_code=network_code,
        code="declined_other",
        staff_text="The network declined with a code that is not in our table. Operations look.",
        payee_text=_WE_LOOK,
        who_acts=WhoActs.US,
    )
