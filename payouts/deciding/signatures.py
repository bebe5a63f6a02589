"""What a person says who decides: by a second factor just shown, or signed by a passkey.

A signature is over a statement: a short text that names the person, the verdict, the reason, the
moment, and a digest of all that is decided about, in order (`digest_of_parts`). The SHA-256 of the
text is the challenge that the passkey signs, so that anybody can compute by hand what was signed.
Plain Python, no Django.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

MARK_BYTES: Final = 48
MARKS_IN_PART: Final = 256
PUSHES: Final = "pushes"
CHANGES: Final = "changes"


@dataclass(frozen=True, slots=True)
class FreshFactor:
    """The person has shown a second factor at `shown_at`, and decided at `used_at`."""

    user_id: int
    shown_at: datetime
    used_at: datetime

    def is_fresh(self, *, within: timedelta) -> bool:
        return timedelta(0) <= self.used_at - self.shown_at <= within


@dataclass(frozen=True, slots=True)
class Signed:
    """The person has signed; the decision is the `place`th (from 0) of those that were signed."""

    signature_id: int
    place: int = 0

    def further(self, places: int) -> "Signed":
        return Signed(self.signature_id, self.place + places)


Proof = FreshFactor | Signed


def mark_of(subject_id: UUID, digest: bytes) -> bytes:
    """A payment or change, and the SHA-256 of what was on the screen about it, as it is signed."""
    return subject_id.bytes + digest


def marks_of(seen: Iterable[tuple[UUID, bytes]]) -> bytes:
    """All that is decided about, in order."""
    return b"".join(mark_of(subject_id, digest) for subject_id, digest in seen)


def part_of(marks: bytes, place: int) -> bytes:
    """The part of the marks in which that of this place stands, at `place % MARKS_IN_PART`."""
    start = place // MARKS_IN_PART * MARKS_IN_PART * MARK_BYTES
    return marks[start : start + MARKS_IN_PART * MARK_BYTES]


def part_digests(marks: bytes) -> list[bytes]:
    """The SHA-256 of each part of the marks, in order."""
    places = range(0, len(marks) // MARK_BYTES, MARKS_IN_PART)
    return [hashlib.sha256(part_of(marks, place)).digest() for place in places]


def digest_of_parts(digests: Iterable[bytes]) -> bytes:
    """What a statement says of all its marks: SHA-256 over the digests of the parts.

    So whoever holds the evidence of one push of fifty thousand needs its part and these digests to
    compute it, and none of the others.
    """
    return hashlib.sha256(b"".join(digests)).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One person's decision about everything in `marks`. `nonce` makes no two alike.

    `about` says what the marks are of: pushes, or a change of settings.
    """

    user_id: int
    username: str
    verdict: str
    reason: str
    marks: bytes
    at: datetime
    nonce: str
    about: str = PUSHES

    def text(self) -> str:
        """The lines that are signed; names and reasons as JSON, so that each stays one line."""
        return "\n".join(
            (
                "payouts decision 2",
                f"by {self.user_id} {json.dumps(self.username)}",
                f"at {self.at.astimezone(UTC).isoformat(timespec='seconds')}",
                f"nonce {self.nonce}",
                f"verdict {self.verdict}",
                f"reason {json.dumps(self.reason)}",
                f"{self.about} {len(self.marks) // MARK_BYTES}",
                f"marks {digest_of_parts(part_digests(self.marks)).hex()}",
            )
        )

    def challenge(self) -> bytes:
        """The SHA-256 of the text: what the passkey signs."""
        return hashlib.sha256(self.text().encode()).digest()
