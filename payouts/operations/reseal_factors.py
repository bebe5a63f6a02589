"""How second factors move to a new key: secrets of apps, and the seeds of recovery codes.

They are rows of django-allauth, which keeps them as base64 inside of JSON. There are two for every
member of staff, so all are read to see which key they are under.
"""

from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from allauth.mfa.models import Authenticator
from django.db.models import QuerySet

from consumers.operations.sealed_rows import ENCRYPTION, KeyUse, Left, SealedKind
from consumers.statements import fetch_row
from consumers.vault import KeyRing, TextUnreadable, reseal_text
from payouts.operations.second_factors import SEALED_FOR

# What of the JSON is sealed. A passkey keeps public keys only.
_SEALED: Final = {
    Authenticator.Type.TOTP.value: "secret",
    Authenticator.Type.RECOVERY_CODES.value: "seed",
}


class FactorMove(NamedTuple):
    """A sealed member of a factor's JSON as it was read, and as it is to be."""

    id: int
    member: str
    was: str
    now: str


class _SecondFactors(SealedKind):
    name = "second factors"
    columns = ("mfa.Authenticator.data",)

    def behind(self, ring: KeyRing) -> QuerySet[Authenticator]:
        old = [row.pk for row in _sealed() if _key_of(row) != ring.current_kek_id]
        rows: QuerySet[Authenticator] = Authenticator.objects.filter(pk__in=old)
        return rows

    def uses(self) -> Iterable[KeyUse]:
        counted = Counter(_key_of(row) for row in _sealed())
        return [KeyUse(ENCRYPTION, key_id, self.name, rows) for key_id, rows in counted.items()]

    def moved(self, row: Authenticator, *, ring: KeyRing) -> FactorMove:
        kept = _kept(row)
        moved = reseal_text(_bytes(row), bound_to=SEALED_FOR, ring=ring)
        return FactorMove(row.pk, _SEALED[row.type], kept, b64encode(moved).decode("ascii"))

    def store(self, moves: Sequence[FactorMove], *, left: Left) -> int:
        return sum(fetch_row(_STORE, move._asdict()) is not None for move in moves)


def _sealed() -> QuerySet[Authenticator]:
    rows: QuerySet[Authenticator] = Authenticator.objects.filter(type__in=_SEALED)
    return rows


def _kept(row: Authenticator) -> str:
    return str(row.data.get(_SEALED[row.type], ""))


def _bytes(row: Authenticator) -> bytes:
    try:
        return b64decode(_kept(row), validate=True)
    except NotBase64:
        raise TextUnreadable(f"Second factor {row.pk}: is not base64.") from None


def _key_of(row: Authenticator) -> str:
    try:
        return _bytes(row).partition(b"|")[0].decode("ascii", "replace")
    except TextUnreadable:
        return ""


# The rest of the JSON says which recovery codes are spent, and may have changed since.
_STORE: Final = """
UPDATE mfa_authenticator
SET data = jsonb_set(data, ARRAY[%(member)s::text], to_jsonb(%(now)s::text))
WHERE id = %(id)s AND data->>%(member)s::text = %(was)s
RETURNING id
"""

SECOND_FACTORS: Final = _SecondFactors()
