"""What a key of the vault has sealed: kinds of rows, how each is opened and moved to a new key.

Whatever seals declares a kind beside the code that seals. `payouts/operations/sealed_kinds.py`
lists all of them, and a test finds a column that is in none. Nothing here knows when to move what:
that is `rotate_keys`.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, Generic, NamedTuple, TypeVar

from django.db.models import CharField, Count, Func, Model, Q, QuerySet

from consumers.vault import KeyRing, reseal_text

ENCRYPTION: Final = "CARD_ENCRYPTION_KEYS"
FINGERPRINT: Final = "CARD_FINGERPRINT_KEYS"

Row = TypeVar("Row", bound=Model)
# Hears why a row stays under its key, and the row's own key.
Left = Callable[[str, Any], None]


class KeyUse(NamedTuple):
    """So many rows of a kind do not open (or are not found) without this key of a setting."""

    setting: str
    key_id: str
    kind: str
    rows: int


class SealedKind(ABC):
    """Rows that are sealed in one way. `name` is what an operator reads, in the plural."""

    name: str
    # `app.Model.field` of all that a key is needed for.
    columns: tuple[str, ...]
    # Rows of one transaction: others who want one of them wait for it.
    rows_at_once: int = 200
    # Moving changes a unique column, and so takes the strongest lock of a row.
    changes_unique: bool = False

    @abstractmethod
    def behind(self, ring: KeyRing) -> QuerySet[Any]:
        """The rows that are not under the current keys."""

    @abstractmethod
    def uses(self) -> Iterable[KeyUse]:
        """Which keys the rows need. Reads the whole table."""

    @abstractmethod
    def moved(self, row: Any, *, ring: KeyRing) -> Any:
        """What has to be stored for the row to be under the current keys; writes nothing.

        :raises CardUnreadable, TextUnreadable: it does not open.
        """

    @abstractmethod
    def store(self, moves: Sequence[Any], *, left: Left) -> int:
        """Write what `moved` made, where the row is as it was then; return how many rows."""


class TextMove(NamedTuple):
    """A sealed text as it was read, and as it is to be."""

    row: Any
    was: bytes
    now: bytes


class SealedTexts(SealedKind, Generic[Row]):
    """One column of texts that `vault.seal_text` has sealed; NULL where there is none.

    `place` names the place of a row's text, as it was sealed for, and `related` what it reads of
    other rows. `rows_at_once` is less where the texts are large, as all of them are in memory.
    """

    def __init__(
        self,
        name: str,
        *,
        model: type[Row],
        column: str,
        place: Callable[[Row], str],
        related: Sequence[str] = (),
        rows_at_once: int = 200,
    ) -> None:
        self.name, self.rows_at_once = name, rows_at_once
        self.columns = (f"{model._meta.label}.{column}",)
        self._model, self._column, self._place, self._related = model, column, place, related

    def behind(self, ring: KeyRing) -> QuerySet[Row]:
        rows = self._rows().filter(~Q(sealed_under=ring.current_kek_id))
        return rows.select_related(*self._related) if self._related else rows

    def waiting_for_a_key(self, ring: KeyRing) -> QuerySet[Row]:
        """The rows whose key this process does not have; another one may, or this one later."""
        return self._rows().exclude(sealed_under__in=list(ring.keks))

    def uses(self) -> Iterable[KeyUse]:
        counted = self._rows().values_list("sealed_under").annotate(rows=Count("pk"))
        return [KeyUse(ENCRYPTION, key_id, self.name, rows) for key_id, rows in counted]

    def moved(self, row: Row, *, ring: KeyRing) -> TextMove:
        sealed = bytes(getattr(row, self._column))
        return TextMove(row.pk, sealed, reseal_text(sealed, bound_to=self._place(row), ring=ring))

    def store(self, moves: Sequence[TextMove], *, left: Left) -> int:
        return sum(self._store(move) for move in moves)

    def _store(self, move: TextMove) -> int:
        as_it_was = self._model._default_manager.filter(pk=move.row, **{self._column: move.was})
        return as_it_was.update(**{self._column: move.now})

    def _rows(self) -> QuerySet[Any]:
        sealed = self._model._default_manager.filter(**{f"{self._column}__isnull": False})
        return sealed.annotate(sealed_under=_SealedUnder(self._column))


class _SealedUnder(Func):
    """The id of the key, with which a sealed text begins (`vault.seal_text`). At most 32 letters.

    What was never sealed gives an id that no key has, and is found to be unreadable.
    """

    template = "split_part(encode(substr(%(expressions)s, 1, 33), 'escape'), '|', 1)"
    output_field = CharField()
