"""What a confirm page sends back: the push that it showed, its terms, and its one-time key, signed.

Nobody can make it say something else than was on the screen, and all of it counts only together.
Nothing secret is in it. The key belongs to the intent: a page that has to be shown again because
something changed keeps it, so that however often somebody clicks one push comes of it. It stands in
the address of the page, marked as ours for this person and exactly this push: going back to the
page or loading it anew finds the same key, and nobody is led to a page that others filled in.
"""

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final, Self
from uuid import UUID

from django.core import signing
from django.utils.crypto import constant_time_compare

from payouts.approvals import Requirement
from payouts.operations.judge import Terms

GOOD_FOR: Final = timedelta(hours=1)
KEY_BYTES: Final = 24

_SALT: Final = "payouts.backoffice.ticket"
_KEY_SALT: Final = "payouts.backoffice.ticket.key"


class NotATicket(Exception):
    """The text was not made by us for this person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """One push that a person was asked about. Amounts in dollars; `payee` is as it was shown."""

    key: str
    user_id: int
    partner_id: UUID
    consumer_id: UUID
    card_id: UUID
    payee: str
    amount: Decimal
    description: str
    reference: str
    terms: Terms
    made_at: datetime

    def is_stale(self, at: datetime) -> bool:
        """Whether nobody can be expected to remember what was on the page."""
        return at - self.made_at > GOOD_FOR

    def sealed(self) -> str:
        return signing.dumps(
            {
                "key": self.key,
                "user": self.user_id,
                "partner": str(self.partner_id),
                "consumer": str(self.consumer_id),
                "card": str(self.card_id),
                "payee": self.payee,
                "amount": str(self.amount),
                "description": self.description,
                "reference": self.reference,
                "fee": str(self.terms.fee),
                "requirements": [
                    [one.name, one.decisions, one.group_id] for one in self.terms.requirements
                ],
                "made_at": self.made_at.isoformat(),
            },
            salt=_SALT,
            compress=True,
        )

    @classmethod
    def opened(cls, text: str, *, by_user_id: int) -> Self:
        """Read what `sealed` wrote.

        :raises NotATicket: if it is not ours, was changed, or was given to somebody else.
        """
        ticket = cls.left_behind(text)
        if ticket.user_id != by_user_id:
            raise NotATicket
        return ticket

    @classmethod
    def left_behind(cls, text: str) -> Self:
        """Read what `sealed` wrote, of whomever: only to lead back to its page, never to send it.

        :raises NotATicket: if it is not ours, or was changed.
        """
        try:
            held: dict[str, Any] = signing.loads(text, salt=_SALT)
        except signing.BadSignature as error:
            raise NotATicket from error
        return cls(
            key=held["key"],
            user_id=held["user"],
            partner_id=UUID(held["partner"]),
            consumer_id=UUID(held["consumer"]),
            card_id=UUID(held["card"]),
            payee=held["payee"],
            amount=Decimal(held["amount"]),
            description=held["description"],
            reference=held["reference"],
            terms=Terms(
                Decimal(held["fee"]), tuple(Requirement(*one) for one in held["requirements"])
            ),
            made_at=datetime.fromisoformat(held["made_at"]),
        )


def new_key() -> str:
    return f"back-office:{secrets.token_urlsafe(KEY_BYTES)}"


def marked_key(key: str, values: Mapping[str, str], *, user_id: int) -> str:
    """The key as it stands in an address beside `values`, which are what was typed."""
    return f"{key}.{_mark(key, values, user_id)}"


def key_of(text: str, values: Mapping[str, str], *, user_id: int) -> str:
    """Read what `marked_key` wrote.

    :raises NotATicket: if it is not ours, or belongs to another person or to another push.
    """
    key, _, mark = text.rpartition(".")
    if not constant_time_compare(mark, _mark(key, values, user_id)):
        raise NotATicket
    return key


def _mark(key: str, values: Mapping[str, str], user_id: int) -> str:
    whole = json.dumps([key, user_id, sorted(values.items())])
    return signing.Signer(salt=_KEY_SALT).signature(whole)
