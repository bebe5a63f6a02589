"""What a kind of change is: a setting that one person proposes to change and another one decides.

A kind is one subclass here, registered in `payouts.operations.change_kinds`; proposing, deciding,
expiry, audit, and the pages about them need to know no more. `Contents` are canonical JSON: dollars
and instants as text, names sorted, so that equal contents have equal digests.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any, ClassVar, Final
from uuid import UUID

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError

from consumers.models import Partner
from payouts.changes import Contents
from payouts.models import ChangeRequest
from payouts.staff import DECIDE_CHANGE

# What concerns no single field stands under this name, as in Django's forms.
WHOLE: Final = "__all__"


class NotAChange(ValueError):
    """What is proposed cannot be, or changes nothing. `problems` are sentences by field."""

    def __init__(self, problems: Mapping[str, Sequence[str]] | str) -> None:
        told = {WHOLE: [problems]} if isinstance(problems, str) else problems
        super().__init__(" ".join(one for of_field in told.values() for one in of_field))
        self.problems = {name: list(of_field) for name, of_field in told.items()}


@dataclass(frozen=True)
class Target:
    """What a change is about: a partner, and what of it, as the kind names that."""

    partner_id: UUID | None
    subject: str

    @property
    def of_partner(self) -> dict[str, Any]:
        """The condition for rows of this partner, or of none."""
        return {"partner_id": self.partner_id}

    @cached_property
    def partner(self) -> Partner:
        """The partner.

        :raises NotAChange: if there is none.
        """
        partner = Partner.objects.filter(pk=self.partner_id).first() if self.partner_id else None
        if partner is None:
            raise NotAChange("There is no such partner.")
        return partner


class Kind(ABC):
    """One kind of change. Stateless; `name` is stored and never renamed.

    `proposes` is the permission to propose it, `decides` are all that a decider needs.
    `bootstraps`: a person whom nobody could check applies it alone, and that is recorded as what it
    is.
    """

    name: ClassVar[str]
    proposes: ClassVar[str]
    decides: ClassVar[frozenset[str]] = frozenset({DECIDE_CHANGE})
    bootstraps: ClassVar[bool] = False

    @abstractmethod
    def now(self, target: Target, after: Contents) -> Contents:
        """What is there now, of which `after` is to become; empty if nothing is.

        Compared when the change is proposed and when it is applied, under a lock of the target.
        """

    @abstractmethod
    def checked(self, target: Target, after: Contents, *, proposer: User) -> Contents:
        """Return `after` in canonical form.

        :raises NotAChange: naming everything that is wrong with it.
        """

    @abstractmethod
    def label(self, target: Target, after: Contents) -> str:
        """What it is in a few words, for lists and for the audit trail."""

    @abstractmethod
    def apply(self, change: ChangeRequest, *, by: User) -> str:
        """Do it, inside the transaction of the decision; return the id of what came of it.

        `by` is who decided. Leaves its own entry in the audit trail, as whatever writes does.
        """

    def lock(self, target: Target) -> None:  # noqa: B027  # most kinds need none
        """Keep deeds of other ways in from the target, until the transaction ends.

        Two decisions about one target never run at once anyway.
        """

    def concerned(self, target: Target) -> User | None:
        """The person whom it is about: that one does not decide."""
        return None

    def makes_secret(self, change: ChangeRequest) -> bool:
        """Whether the proposer may fetch a secret, once, after this was applied."""
        return False

    def collect(self, change: ChangeRequest) -> str:
        """Make the secret and return it; called once, in the transaction that notes it."""
        raise NotImplementedError

    def owner_of_secret(self, change: ChangeRequest) -> str:
        """What the secret opens, in words for whoever hands it over."""
        raise NotImplementedError


def valid(row: Any, *, exclude: Sequence[str] = ()) -> None:
    """Let a model's own fields and constraints judge a row that is not stored.

    :raises NotAChange: in their words.
    """
    try:
        row.full_clean(exclude=set(exclude))
    except ValidationError as error:
        raise NotAChange(error.message_dict) from error


def dollars(amount: Decimal | None) -> str | None:
    """A stored or typed amount as canonical text."""
    return None if amount is None else f"{amount:.2f}"


def decimal(text: str | None) -> Decimal | None:
    """The amount of a canonical text."""
    return None if text is None else Decimal(text)


def instant(at: datetime | None) -> str | None:
    """An aware instant as canonical text."""
    return None if at is None else at.astimezone(UTC).isoformat(timespec="microseconds")


def instant_of(text: str | None) -> datetime | None:
    """The instant of a canonical text."""
    return None if text is None else datetime.fromisoformat(text)
