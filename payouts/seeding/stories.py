"""What may happen to a seeded payment: the stories, how often each is told, how long it takes.

Pure, without Django's database. A story is written as the operations would have written it, so that
all invariants hold of it.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Final

from payouts.declines import decline_for
from payouts.models.ledger import JournalKind
from payouts.models.payment import AttemptState, EventKind
from payouts.states import UNPAID, Status

CLIENT: Final = "client"
WORKER: Final = "worker"
APPROVER: Final = "approver"

# Seeded partners let a push wait this long.
APPROVAL_HOURS: Final = 168

_SECOND: Final = 1_000_000
_HOUR: Final = 3600 * _SECOND
_DAY: Final = 24 * _HOUR


@dataclass(frozen=True, slots=True)
class Step:
    """One event. Its time lies between the two numbers of microseconds after the step before it."""

    kind: EventKind
    to: Status
    actor: str
    after_us: tuple[int, int] = (0, 0)


_JOURNALS: Final = {
    EventKind.CREATED: JournalKind.ACCEPTED,
    EventKind.COMPLETED: JournalKind.COMPLETED,
    EventKind.FAILED: JournalKind.RELEASED,
    EventKind.CANCELED: JournalKind.RELEASED,
    EventKind.REJECTED: JournalKind.RELEASED,
    EventKind.EXPIRED: JournalKind.RELEASED,
    EventKind.RETURNED: JournalKind.RETURNED,
}


@dataclass(frozen=True, slots=True, eq=False)
class Story:
    """A payment's whole history. `per_mille` of all payments have it.

    The fields that are not given follow from the steps. They are written out here once, because
    they are asked for with every payment.
    """

    per_mille: int
    steps: tuple[Step, ...]
    attempt: AttemptState | None = None
    status: Status = field(init=False)
    status_text: str = field(init=False)
    is_unpaid: bool = field(init=False)
    needs_approval: bool = field(init=False)
    # The place of the step that begins the attempt; the next one ends it.
    sent_place: int = field(init=False)
    # The kind of each journal and the place of the step that it belongs to.
    journals: tuple[tuple[str, int], ...] = field(init=False)

    def __post_init__(self) -> None:
        kinds = [step.kind for step in self.steps]
        status = self.steps[-1].to
        self._set(status=status, status_text=status.value, is_unpaid=status in UNPAID)
        self._set(
            needs_approval=self.steps[0].to is Status.PENDING_APPROVAL,
            sent_place=kinds.index(EventKind.SENT) if EventKind.SENT in kinds else -1,
            journals=tuple(
                (_JOURNALS[kind].value, place)
                for place, kind in enumerate(kinds)
                if kind in _JOURNALS
            ),
        )

    def _set(self, **fields: object) -> None:
        for name, value in fields.items():
            object.__setattr__(self, name, value)


_CREATED = Step(EventKind.CREATED, Status.PENDING, CLIENT)
_SENT = Step(EventKind.SENT, Status.SUBMITTED, WORKER, (40_000, 400_000))
_COMPLETED = Step(EventKind.COMPLETED, Status.COMPLETED, WORKER, (300_000, 2 * _SECOND))
_WAITING = (
    Step(EventKind.CREATED, Status.PENDING_APPROVAL, CLIENT),
    Step(EventKind.APPROVAL_REQUIRED, Status.PENDING_APPROVAL, CLIENT),
)
_APPROVED = Step(EventKind.APPROVED, Status.PENDING, APPROVER, (5 * 60 * _SECOND, 8 * _HOUR))
_RETURNED = Step(EventKind.RETURNED, Status.RETURNED, WORKER, (_DAY, 5 * _DAY))

COMPLETED: Final = Story(935, (_CREATED, _SENT, _COMPLETED), AttemptState.APPROVED)
APPROVED: Final = Story(5, (*_WAITING, _APPROVED, _SENT, _COMPLETED), AttemptState.APPROVED)
DECLINED: Final = Story(
    40,
    (_CREATED, _SENT, Step(EventKind.FAILED, Status.FAILED, WORKER, (300_000, 2 * _SECOND))),
    AttemptState.DECLINED,
)
RETURNED: Final = Story(4, (_CREATED, _SENT, _COMPLETED, _RETURNED), AttemptState.APPROVED)
CANCELED: Final = Story(
    6,
    (_CREATED, Step(EventKind.CANCELED, Status.CANCELED, CLIENT, (20_000, 2 * _SECOND))),
)
REJECTED: Final = Story(
    4,
    (
        *_WAITING,
        Step(EventKind.REJECTED, Status.REJECTED, APPROVER, (5 * 60 * _SECOND, 8 * _HOUR)),
    ),
)
# Still open. What has waited for longer than a partner lets it has expired.
WAITING: Final = Story(6, _WAITING)
EXPIRED: Final = Story(
    0,
    (
        *_WAITING,
        Step(
            EventKind.EXPIRED,
            Status.EXPIRED,
            WORKER,
            (APPROVAL_HOURS * _HOUR, APPROVAL_HOURS * _HOUR + 60 * _SECOND),
        ),
    ),
)

STORIES: Final = (COMPLETED, APPROVED, DECLINED, RETURNED, CANCELED, REJECTED, WAITING)
_CUMULATED: Final = [
    sum(story.per_mille for story in STORIES[: place + 1]) for place in range(len(STORIES))
]
APPROVAL_WINDOW: Final = timedelta(hours=APPROVAL_HOURS)
_WINDOW_US: Final = APPROVAL_HOURS * _HOUR

# Declines after which the card stays usable, as often as an issuer gives them.
_DECLINES: Final = {
    "05": 40,
    "61": 15,
    "91": 14,
    "65": 10,
    "96": 7,
    "59": 5,
    "62": 4,
    "19": 3,
    "51": 2,
}
DECLINE_CODES: Final = {code: decline_for(code).code for code in _DECLINES}


def draw_story(rng: Random, *, at_us: int, now_us: int) -> Story:
    """Draw the story of a payment that is made at `at_us` and looked at `now_us` (microseconds)."""
    story: Story = rng.choices(STORIES, cum_weights=_CUMULATED)[0]
    if story is WAITING and at_us + _WINDOW_US + 60 * _SECOND < now_us:
        return EXPIRED
    return story


def draw_decline(rng: Random) -> str:
    """Draw the network's code of a decline."""
    return rng.choices(tuple(_DECLINES), weights=tuple(_DECLINES.values()))[0]
