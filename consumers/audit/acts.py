"""The words of the audit trail: what can be done, to what, and how it ended. Plain Python."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any
from uuid import UUID


class Verb(StrEnum):
    """What somebody did. Add a word here before using it: the page's filter offers these."""

    SIGN_IN = "sign_in"
    SIGN_OUT = "sign_out"
    ADD_FACTOR = "add_factor"
    REMOVE_FACTOR = "remove_factor"
    RESET_FACTOR = "reset_factor"
    END_SESSION = "end_session"
    UNLOCK = "unlock"
    ACCESS = "access"  # asked for something that is not theirs; recorded when refused
    VIEW = "view"
    ADD = "add"
    CHANGE = "change"
    DELETE = "delete"
    PROPOSE = "propose"
    WITHDRAW = "withdraw"
    EXPIRE = "expire"
    COLLECT = "collect"  # fetched a secret that was made for them
    APPROVE = "approve"
    REJECT = "reject"
    CANCEL = "cancel"
    CLOSE = "close"
    REOPEN = "reopen"
    REVEAL = "reveal"  # read what is masked on every page
    DEACTIVATE = "deactivate"
    DISABLE = "disable"
    ADD_SECRET = "add_secret"  # noqa: S105  # a word, and no secret
    REMOVE_SECRET = "remove_secret"  # noqa: S105
    FUND = "fund"
    ROTATE_KEYS = "rotate_keys"
    EXPORT = "export"
    DOWNLOAD = "download"
    UPLOAD = "upload"
    ISSUE = "issue"
    VERIFY = "verify"
    INQUIRE = "inquire"  # had a network asked about a push at once
    RESOLVE = "resolve"
    RETURN = "return"
    TAKE = "take"  # made a case their own
    OPEN = "open"
    REPLAY = "replay"
    TEST = "test"


class Result(StrEnum):
    DONE = "done"
    REFUSED = "refused"  # a rule said no, and nothing happened
    FAILED = "failed"  # it was tried, and what came out is not what should have


@dataclass(frozen=True, slots=True)
class Subject:
    """What an act is about. `kind` is `app.model` of a row, or a word where there is no row."""

    kind: str
    id: str = ""
    label: str = ""
    partner_id: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One thing that somebody did or tried. `before` and `after` hold changed fields only.

    Values may be anything that a field or a form can hold: what must not be kept is masked when the
    act is recorded.
    """

    verb: Verb
    subject: Subject
    result: Result = Result.DONE
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""

    def refused(self, reason: str) -> "Act":
        """The same act, as it stands in the trail when a rule said no."""
        return replace(self, result=Result.REFUSED, reason=reason, before={}, after={})
