"""The rows of one slice of payments, as lines of COPY, and what they add up to.

Pure: the numbers that the database gives out come in. Runs ten million times, so it formats text
and avoids objects.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from random import Random
from typing import Final, NamedTuple

from payouts.invariants import SEEDED_CARD_ACCEPTOR
from payouts.models.payment import AttemptState
from payouts.networks.base import identity_from_sequence
from payouts.seeding.people import Person, SeededCard, people_of
from payouts.seeding.plan import (
    Plan,
    Slice,
    draws,
    id_text,
    instant,
    text_of_cents,
    text_of_instant,
)
from payouts.seeding.prices import Price, prices_of
from payouts.seeding.stories import (
    APPROVAL_WINDOW,
    APPROVER,
    CLIENT,
    DECLINE_CODES,
    Step,
    Story,
    draw_decline,
    draw_story,
)
from payouts.states import Status

APPROVAL_REASON: Final = "amount above the partner's threshold"

_SHARE_WITH_KEY: Final = 0.2
_SHARE_WITH_REFERENCE: Final = 0.3
_DESCRIPTIONS: Final = (
    "Payroll",
    "Weekly earnings",
    "Claim settlement",
    "Refund",
    "Winnings",
    "Tips",
)
_WINDOW_US: Final = APPROVAL_WINDOW // APPROVAL_WINDOW.resolution
_PARTS: Final = 16
_FUNDED_IN_CENTS: Final = 1_000_00
_NULL: Final = "\\N"

PAYMENT_COLUMNS: Final = (
    "id", "partner_id", "consumer_id", "card_id", "card_network", "card_last4", "amount",
    "fee_amount", "status", "version", "description", "reference", "metadata", "source",
    "maker_client_id", "request_id", "due_at", "approval_expires_at", "failure_code",
    "network_code", "created_at", "updated_at", "completed_at",
)  # fmt: skip
EVENT_COLUMNS: Final = (
    "payment_id", "number", "kind", "from_status", "to_status", "actor", "details", "request_id",
    "created_at",
)  # fmt: skip
JOURNAL_COLUMNS: Final = ("id", "kind", "payment_id", "description", "actor", "created_at")
POSTING_COLUMNS: Final = ("journal_id", "account_id", "part", "amount")
ATTEMPT_COLUMNS: Final = (
    "payment_id", "network", "acquiring_bin", "retrieval_reference_number", "trace_number",
    "card_acceptor_id", "terminal_id", "state", "times_sent", "times_inquired", "times_not_found",
    "unknown_reason", "status_identifier", "network_code", "approval_code", "transaction_id",
    "answer", "created_at", "sent_at", "answered_at",
)  # fmt: skip
KEY_COLUMNS: Final = (
    "partner_id", "key", "request_digest", "status_code", "answer", "payment_id", "created_at",
)  # fmt: skip
REQUIREMENT_COLUMNS: Final = ("payment_id", "name", "decisions")
USAGE_COLUMNS: Final = ("subject_id", "day", "part", "amount", "count")


class Draft(NamedTuple):
    """A payment as far as it is decided without the database."""

    at_us: int
    id: str
    person: Person
    card: SeededCard
    price: Price
    story: Story


class History(NamedTuple):
    """What all rows of one payment share: when each step happened, and a few words."""

    draft: Draft
    times: Sequence[str]
    sent_us: int
    network_code: str
    request_id: str
    reference: str
    key: str


class Decided(NamedTuple):
    payment_id: str
    step: Step
    at: str


def _sums() -> defaultdict[str, list[int]]:
    return defaultdict(lambda: [0, 0])


@dataclass(slots=True)
class Rows:
    """Lines of COPY by table, and sums by what keeps them: cents, or [number, cents]."""

    payments: list[str] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    journals: list[str] = field(default_factory=list)
    postings: list[str] = field(default_factory=list)
    attempts: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    requirements: list[str] = field(default_factory=list)
    decided: list[Decided] = field(default_factory=list)
    balances: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))
    # By partner and status, `<id> <status>`.
    tallies: defaultdict[str, list[int]] = field(default_factory=_sums)
    people_usage: defaultdict[str, list[int]] = field(default_factory=_sums)
    partner_usage: defaultdict[str, list[int]] = field(default_factory=_sums)


def drafts(plan: Plan, cut: Slice) -> list[Draft]:
    """The payments of a slice in the order of time; the same ones whenever it is asked."""
    rng = draws(plan, f"payments {cut.number}")
    people, prices = people_of(plan, cut.group), prices_of(plan)
    begin_us, width = cut.begin_us, cut.end_us - cut.begin_us
    times = sorted(begin_us + int(rng.random() * width) for _ in range(cut.payments))
    return [_draft(rng, at_us, plan.now_us, people, prices) for at_us in times]


def _draft(
    rng: Random,
    at_us: int,
    now_us: int,
    people: Sequence[Person],
    prices: Mapping[str, Sequence[Price]],
) -> Draft:
    random = rng.random
    person = people[int(random() * len(people))]
    cards, own_prices = person.cards, prices[person.partner.id]
    return Draft(
        at_us,
        id_text(at_us, rng.getrandbits(74)),
        person,
        cards[int(random() * len(cards))],
        own_prices[int(random() * len(own_prices))],
        draw_story(rng, at_us=at_us, now_us=now_us),
    )


def needed_numbers(made: Sequence[Draft]) -> tuple[int, int]:
    """How many journals and how many network identities these payments and their funding need."""
    journals = sum(len(draft.story.journals) for draft in made)
    funded = len({draft.person.partner.id for draft in made})
    return journals + funded, sum(draft.story.attempt is not None for draft in made)


def rows_of_payments(
    plan: Plan,
    cut: Slice,
    made: Sequence[Draft],
    *,
    journal_ids: Iterator[int],
    sequences: Iterator[int],
) -> Rows:
    """All rows of these payments. The iterators give as many numbers as `needed_numbers` said."""
    rng = draws(plan, f"rows {cut.number}")
    rows = Rows()
    _add_funding(rows, plan, cut, made, journal_ids)
    for number, draft in enumerate(made, start=cut.first):
        history = _history(rng, draft, f"{plan.run}-{number:08d}", plan.now_us)
        _add_payment(rows, history)
        _add_events(rows, history, plan.house.approver_label)
        _add_journals(rows, history, plan.house.approver_label, journal_ids)
        if draft.story.attempt is not None:
            _add_attempt(rows, plan, history, next(sequences))
        if history.key:
            _add_key(rows, rng, history)
        _count(rows, draft)
    return rows


def _add_funding(
    rows: Rows, plan: Plan, cut: Slice, made: Sequence[Draft], journal_ids: Iterator[int]
) -> None:
    """Each partner's money for these payments arrives before them: holds never meet the floor."""
    wanted: defaultdict[str, int] = defaultdict(int)
    for draft in made:
        wanted[draft.person.partner.id] += draft.price.total_cents
    at = text_of_instant(cut.begin_us)
    for partner in (partner for partner in plan.partners if partner.id in wanted):
        cents = -(-wanted[partner.id] // _FUNDED_IN_CENTS) * _FUNDED_IN_CENTS
        journal = next(journal_ids)
        rows.journals.append(f"{journal}\tfunded\t{_NULL}\tSeeded funds\tcommand line\t{at}")
        for account, moved in ((plan.house.bank_id, cents), (partner.available_id, -cents)):
            rows.postings.append(f"{journal}\t{account}\t0\t{text_of_cents(moved)}")
            rows.balances[account] += moved


def _history(rng: Random, draft: Draft, label: str, now_us: int) -> History:
    at_us, sent_us, times = draft.at_us, 0, []
    story = draft.story
    for place, step in enumerate(story.steps):
        low, high = step.after_us
        if high:
            # Nothing happens in the future.
            at_us = min(at_us + low + int(rng.random() * (high - low)), now_us)
        if place == story.sent_place:
            sent_us = at_us
        times.append(text_of_instant(at_us))
    return History(
        draft,
        times,
        sent_us,
        _network_code(rng, story),
        request_id=f"{rng.getrandbits(64):016x}",
        reference=label if rng.random() < _SHARE_WITH_REFERENCE else "",
        key=label if rng.random() < _SHARE_WITH_KEY else "",
    )


def _network_code(rng: Random, story: Story) -> str:
    if story.attempt is AttemptState.DECLINED:
        return draw_decline(rng)
    return "00" if story.attempt is AttemptState.APPROVED else ""


def _add_payment(rows: Rows, history: History) -> None:
    draft, times, reference = history.draft, history.times, history.reference
    story, price, person = draft.story, draft.price, draft.person
    expires = text_of_instant(draft.at_us + _WINDOW_US) if story.needs_approval else _NULL
    due = expires if story.status is Status.PENDING_APPROVAL else _NULL
    completed = times[story.sent_place + 1] if story.attempt is AttemptState.APPROVED else _NULL
    metadata = f'{{"order": "{reference}"}}' if reference else "{}"
    rows.payments.append(
        f"{draft.id}\t{person.partner.id}\t{person.id}\t{draft.card.id}\t{draft.card.pan.network}"
        f"\t{draft.card.pan.last4}\t{price.amount}\t{price.fee}"
        f"\t{story.status_text}\t{len(times)}\t{_DESCRIPTIONS[draft.at_us % len(_DESCRIPTIONS)]}"
        f"\t{reference}\t{metadata}\tapi\t{person.partner.client_id}\t{history.request_id}\t{due}"
        f"\t{expires}\t{DECLINE_CODES.get(history.network_code, '')}\t{history.network_code}"
        f"\t{times[0]}\t{times[-1]}\t{completed}"
    )
    if story.needs_approval:
        rows.requirements.append(f"{draft.id}\t{APPROVAL_REASON}\t1")


def _add_events(rows: Rows, history: History, approver: str) -> None:
    draft = history.draft
    steps = zip(_written_steps(draft.story), draft.story.steps, history.times, strict=True)
    for written, step, at in steps:
        actor, asked_by = step.actor, ""
        if actor is CLIENT:
            actor, asked_by = draft.person.partner.client_label, history.request_id
        elif actor is APPROVER:
            actor = approver
            rows.decided.append(Decided(draft.id, step, at))
        details = _details(step.kind, history.network_code)
        rows.events.append(f"{draft.id}\t{written}\t{actor}\t{details}\t{asked_by}\t{at}")


@cache
def _written_steps(story: Story) -> tuple[str, ...]:
    """Number, kind and both statuses of each event."""
    before = ["", *(step.to.value for step in story.steps)]
    return tuple(
        f"{place + 1}\t{step.kind.value}\t{before[place]}\t{step.to.value}"
        for place, step in enumerate(story.steps)
    )


@cache
def _details(kind: str, code: str) -> str:
    match kind:
        case "failed":
            return f'{{"failure": "{DECLINE_CODES[code]}", "network_code": "{code}"}}'
        case "approval_required":
            return f'{{"requirements": [{{"name": "{APPROVAL_REASON}", "decisions": 1}}]}}'
        case _:
            return "{}"


def _add_journals(rows: Rows, history: History, approver: str, journal_ids: Iterator[int]) -> None:
    draft, story = history.draft, history.draft.story
    postings, lines = rows.postings, draft.price.lines
    actors = {CLIENT: draft.person.partner.client_label, APPROVER: approver}
    for kind, place in story.journals:
        journal = next(journal_ids)
        actor = story.steps[place].actor
        rows.journals.append(
            f"{journal}\t{kind}\t{draft.id}\t\t{actors.get(actor, actor)}\t{history.times[place]}"
        )
        for account, amount in lines[kind]:
            postings.append(f"{journal}\t{account}\t{journal % _PARTS}\t{amount}")
    for account, cents in draft.price.moves.get(story.status, ()):
        rows.balances[account] += cents


def _add_attempt(rows: Rows, plan: Plan, history: History, sequence: int) -> None:
    draft, code, place = history.draft, history.network_code, history.draft.story.sent_place
    state, approval, transaction = "declined", "", ""
    if draft.story.attempt is AttemptState.APPROVED:
        state, approval, transaction = "approved", f"{sequence % 100_000:05d}S", f"3{sequence:014d}"
    identity = identity_from_sequence(
        sequence,
        at=instant(history.sent_us),
        acquiring_bin=plan.house.acquiring_bin,
        card_acceptor_id=SEEDED_CARD_ACCEPTOR,
    )
    rows.attempts.append(
        f"{draft.id}\t{plan.house.network}\t{identity.acquiring_bin}"
        f"\t{identity.retrieval_reference_number}\t{identity.systems_trace_audit_number}"
        f"\t{identity.card_acceptor_id}\t{identity.terminal_id}\t{state}\t1\t0\t0\t\t\t{code}"
        f'\t{approval}\t{transaction}\t{{"actionCode": "{code}"}}\t{history.times[place]}'
        f"\t{history.times[place]}\t{history.times[place + 1]}"
    )


def _add_key(rows: Rows, rng: Random, history: History) -> None:
    draft = history.draft
    rows.keys.append(
        f"{draft.person.partner.id}\t{history.key}\t\\\\x{rng.getrandbits(256):064x}\t201"
        f'\t{{"id": "{draft.id}"}}\t{draft.id}\t{history.times[0]}'
    )


def _count(rows: Rows, draft: Draft) -> None:
    cents, story, partner_id = draft.price.amount_cents, draft.story, draft.person.partner.id
    counted = [rows.tallies[f"{partner_id} {story.status_text}"]]
    if not story.is_unpaid:
        counted += (
            rows.people_usage[draft.card.id],
            rows.people_usage[draft.person.id],
            rows.partner_usage[partner_id],
        )
    for count in counted:
        count[0] += 1
        count[1] += cents
