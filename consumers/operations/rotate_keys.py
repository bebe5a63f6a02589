"""Moves what is sealed from retired keys to the current ones, while the product runs.

Knows no kind of rows: they are given (`payouts/operations/sealed_kinds.py` has all there are).

How a rotation goes: give every process the new key *behind* the old one, so that all can open what
it seals; then put it first everywhere; then run this until nothing remains; only then drop the old
key.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db import transaction

from consumers.audit import Act, Subject, Verb, record_act
from consumers.operations.sealed_rows import KeyUse, SealedKind
from consumers.vault import CardUnreadable, KeyRing, TextUnreadable, key_ring_from_settings

Kinds = Sequence[SealedKind]


@dataclass(slots=True)
class Rotation:
    """What a rotation did: rows moved by kind, and why which rows stay under an old key."""

    moved: Counter[str] = field(default_factory=Counter)
    left: defaultdict[str, set[Any]] = field(default_factory=lambda: defaultdict(set))

    @property
    def is_clean(self) -> bool:
        return not self.left


class _Batch(NamedTuple):
    """A batch that ends with the row `last`."""

    moved: int
    last: Any


Told = Callable[[Rotation], None]


def remaining_under_old_keys(kinds: Kinds) -> Mapping[str, int]:
    """Count by kind what is not under the current keys. Reads each table once."""
    ring = key_ring_from_settings()
    return {kind.name: kind.behind(ring).count() for kind in kinds}


def key_uses(kinds: Kinds) -> list[KeyUse]:
    """Which keys are needed, and for what; keys that nothing needs are not in it.

    True for the moment: a process that still seals under an old key makes it needed again.
    """
    return [use for kind in kinds for use in kind.uses()]


def rotate_keys(kinds: Kinds, *, told: Told) -> Rotation:
    """Move everything that is under a retired key; `told` hears how far it is after every batch.

    Runs beside the product and beside itself, and may be killed at any moment: a batch is a
    transaction and what has been moved is not looked at again. A row that somebody holds is passed
    over and found in the next round; the rounds end with one that moves nothing. A row that changes
    meanwhile keeps the change. What cannot be opened stays as it is.
    """
    ring, rotation = key_ring_from_settings(), Rotation()
    try:
        for kind in kinds:
            while _round(kind, ring, rotation, told):
                pass
    finally:
        # Ended early it has moved something all the same.
        moved = {kind.name: rotation.moved[kind.name] for kind in kinds}
        after = {"current_key": ring.current_kek_id, "moved": moved}
        record_act(Act(verb=Verb.ROTATE_KEYS, subject=Subject("vault"), after=after))
    return rotation


def try_keys(kinds: Kinds, *, told: Told) -> Rotation:
    """Open all that `rotate_keys` would move, and write nothing."""
    ring, tried = key_ring_from_settings(), Rotation()
    for kind in kinds:
        rows = kind.behind(ring).order_by("pk")
        for row in rows.iterator(chunk_size=kind.rows_at_once):
            tried.moved[kind.name] += len(_moves(kind, [row], ring, tried))
            told(tried)
    return tried


def _round(kind: SealedKind, ring: KeyRing, rotation: Rotation, told: Told) -> int:
    """Go once through the table in the order of its keys; return how many rows were moved."""
    moved, last = 0, None
    while (batch := _next_batch(kind, ring, rotation, last)) is not None:
        moved, last = moved + batch.moved, batch.last
        rotation.moved[kind.name] += batch.moved
        told(rotation)
    return moved


def _next_batch(kind: SealedKind, ring: KeyRing, rotation: Rotation, after: Any) -> _Batch | None:
    with transaction.atomic():
        behind = kind.behind(ring).order_by("pk")
        if after is not None:
            behind = behind.filter(pk__gt=after)
        # Whoever only refers to a row does not wait for one whose unique columns stay.
        locked = behind.select_for_update(
            skip_locked=True, of=("self",), no_key=not kind.changes_unique
        )
        rows = list(locked[: kind.rows_at_once])
        if not rows:
            return None
        moves = _moves(kind, rows, ring, rotation)
        moved = kind.store(moves, left=_noting(rotation)) if moves else 0
    return _Batch(moved, rows[-1].pk)


def _moves(kind: SealedKind, rows: Sequence[Any], ring: KeyRing, rotation: Rotation) -> list[Any]:
    moves = []
    for row in rows:
        try:
            moves.append(kind.moved(row, ring=ring))
        except (CardUnreadable, TextUnreadable):
            rotation.left[f"{kind.name} that cannot be opened"].add(row.pk)
    return moves


def _noting(rotation: Rotation) -> Callable[[str, Any], None]:
    return lambda why, row: rotation.left[why].add(row)
