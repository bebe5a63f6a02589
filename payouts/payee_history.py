"""Who was paid, as that person was named when something happened, whatever the name is today.

Reads only, one statement for a payment. A decision is bound to the names that were on the screen,
so theirs are found by its SHA-256; what else happened has only its instant.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from consumers.models import FormerName
from payouts.approvals import subject_digest
from payouts.models import Decision, Payment
from payouts.models.approvals import Verdict


@dataclass(frozen=True, slots=True)
class Names:
    """What names a payee: the consumer's, the partner's id for them, the name on the card."""

    first_name: str
    last_name: str
    pcid: str
    cardholder_name: str

    @property
    def full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    @property
    def recipient_name(self) -> str:
        """What the network is told, as the sender tells it."""
        return self.cardholder_name or self.full_name

    @property
    def decided_about(self) -> tuple[str, str, str]:
        """The names that a decision is bound to."""
        return self.first_name, self.last_name, self.cardholder_name

    @property
    def as_decided(self) -> str:
        """The names that a decision is bound to, in one line."""
        if not self.cardholder_name:
            return str(self)
        return f"{self}, on the card {self.cardholder_name}"

    def __str__(self) -> str:
        return self.full_name or self.pcid


@dataclass(frozen=True, slots=True)
class Edited:
    """Something of the payee that is not today what it was when the push was made."""

    what: str
    was: str
    now: str


_WORDS: Final = {
    "full_name": "Name",
    "pcid": "pcid",
    "cardholder_name": "Name on the card",
}


@dataclass(frozen=True, slots=True)
class PayeeHistory:
    """The names of one payment's payee: today's, and each former state with its end, newest first.

    `renamed_at` is the last renaming since the push was made, `renaming_ids` all rows that were
    read.
    """

    payment: Payment
    today: Names
    former: list[tuple[Names, datetime]]
    renaming_ids: list[int]

    @property
    def made(self) -> Names:
        """As the payee was named when the push was made."""
        return self.at(self.payment.created_at)

    @property
    def renamed_at(self) -> datetime | None:
        since = [until for _, until in self.former if until > self.payment.created_at]
        return max(since, default=None)

    @property
    def edited_since(self) -> list[Edited]:
        """What is different today; empty as well if it is again what it was."""
        made, today = self.made, self.today
        return [
            Edited(words, getattr(made, name), getattr(today, name))
            for name, words in _WORDS.items()
            if getattr(made, name) != getattr(today, name)
        ]

    def at(self, instant: datetime) -> Names:
        """As the payee was named at an instant."""
        held = [names for names, until in self.former if until > instant]
        return held[-1] if held else self.today

    def seen(self, decision: Decision) -> Names:
        """As the payee was named on the screen of whoever decided.

        The names that give the decision's SHA-256; if none do, because the card's fingerprint was
        made anew with another key since, those of its instant.
        """
        for names in (self.today, *(names for names, _ in self.former)):
            if _digest(self.payment, names) == bytes(decision.digest):
                return names
        return self.at(decision.created_at)


def payee_history(payment: Payment) -> PayeeHistory:
    """The history for a payment that was read with its consumer and card."""
    consumer, card = payment.consumer, payment.card
    today = Names(consumer.first_name, consumer.last_name, consumer.pcid, card.cardholder_name)
    subjects = [payment.consumer_id, payment.card_id]
    rows = list(FormerName.objects.filter(subject_id__in=subjects))
    return PayeeHistory(payment, today, _former(today, rows), sorted(row.pk for row in rows))


def was_renamed_since_approved(payment_id: UUID) -> bool:
    """Whether the payee's name or the one on the card is not what the last approval was about.

    For a payment whose approvals have another SHA-256 than what is there now: the card's
    fingerprint may have been made anew, which is no renaming.
    """
    payment = Payment.objects.select_related("consumer", "card").get(pk=payment_id)
    yes = Decision.objects.filter(payment=payment, verdict=Verdict.APPROVE).order_by("pk").last()
    if yes is None:
        return False
    history = payee_history(payment)
    return history.seen(yes).decided_about != history.today.decided_about


def _former(today: Names, rows: Iterable[FormerName]) -> list[tuple[Names, datetime]]:
    """Take today's names back, renaming by renaming. Of one instant the later row counts first."""
    states, names = [], today
    for row in sorted(rows, key=lambda one: (one.until, one.pk), reverse=True):
        names = Names(
            row.was.get("first_name", names.first_name),
            row.was.get("last_name", names.last_name),
            row.was.get("pcid", names.pcid),
            row.was.get("cardholder_name", names.cardholder_name),
        )
        states.append((names, row.until))
    return states


def _digest(payment: Payment, names: Names) -> bytes:
    return subject_digest(
        payment_id=payment.pk,
        consumer_id=payment.consumer_id,
        first_name=names.first_name,
        last_name=names.last_name,
        card_id=payment.card_id,
        card_fingerprint=bytes(payment.card.fingerprint),
        cardholder_name=names.cardholder_name,
        amount=payment.amount,
        fee_amount=payment.fee_amount,
    )
