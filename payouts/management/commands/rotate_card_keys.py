"""Moves all that is sealed to the current keys, and says which keys are needed still."""

import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser

from consumers.operations.rotate_keys import (
    Rotation,
    key_uses,
    remaining_under_old_keys,
    rotate_keys,
    try_keys,
)
from consumers.operations.sealed_rows import ENCRYPTION, FINGERPRINT, KeyUse
from consumers.vault import CardKeysMisconfigured, KeyRing, key_ring_from_settings
from payouts.operations.sealed_kinds import SEALED_KINDS

_NAMED_AT_MOST: Final = 50
_TOLD_EVERY_SECONDS: Final = 2.0


class Command(BaseCommand):
    help = (
        "Move everything that the vault has sealed (card numbers, tax identifiers, second factors, "
        "files) to the current keys, the first ones of CARD_ENCRYPTION_KEYS and "
        "CARD_FINGERPRINT_KEYS. Runs beside the product, may be killed and run again. First give "
        "every process the new key as the second one, then as the first one, then run this; drop "
        "the old key when --check says that nothing needs it. Exits with 1 if something stays "
        "behind."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        instead = parser.add_mutually_exclusive_group()
        instead.add_argument(
            "--dry-run",
            action="store_true",
            help="open everything that would be moved, and write nothing",
        )
        instead.add_argument(
            "--check",
            action="store_true",
            help="say which keys are needed, and for what; exits with 1 if one is that is not "
            "current",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            ring = key_ring_from_settings()
        except CardKeysMisconfigured as error:
            raise CommandError(str(error)) from error
        if options["check"]:
            self._check(ring)
        else:
            self._rotate(ring, is_dry=options["dry_run"])

    def _check(self, ring: KeyRing) -> None:
        uses = key_uses(SEALED_KINDS)
        lines = [*_told_about_keys(ring, uses)]
        self.stdout.write("\n".join(lines))
        current = {ENCRYPTION: ring.current_kek_id, FINGERPRINT: ring.current_fingerprint_key_id}
        if any(use.key_id != current[use.setting] for use in uses):
            raise CommandError(
                "Keys that are not current are needed: keep them, and run this without --check."
            )
        self.stdout.write("Nothing needs a key that is not current.")

    def _rotate(self, ring: KeyRing, *, is_dry: bool) -> None:
        self._begun = remaining_under_old_keys(SEALED_KINDS)
        self.stdout.write(
            f"Current keys: {ring.current_kek_id!r}, "
            f"of fingerprints {ring.current_fingerprint_key_id!r}. "
            f"Under others: {_listed(self._begun.items())}."
        )
        self._told_at = time.monotonic()
        rotation = (try_keys if is_dry else rotate_keys)(SEALED_KINDS, told=self._tell)
        self._report(rotation, is_dry=is_dry)

    def _tell(self, rotation: Rotation) -> None:
        if time.monotonic() - self._told_at >= _TOLD_EVERY_SECONDS:
            self._told_at = time.monotonic()
            name = next(reversed(rotation.moved))
            done, of = rotation.moved[name], self._begun[name]
            self.stderr.write(f"{done:,} of {of:,} {name} …", style_func=str)

    def _report(self, rotation: Rotation, *, is_dry: bool) -> None:
        moved = _listed((kind.name, rotation.moved[kind.name]) for kind in SEALED_KINDS)
        self.stdout.write(f"{'Can be moved' if is_dry else 'Moved'}: {moved}.")
        left = remaining_under_old_keys(SEALED_KINDS)
        self.stdout.write(f"Under other keys now: {_listed(left.items())}.")
        if not rotation.is_clean:
            raise CommandError("\n".join(_left_behind(rotation)))
        if not is_dry and any(left.values()):
            raise CommandError(
                "Somebody holds them, or something still seals under an old key: run this again."
            )


def _listed(counts: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{rows:,} {name}" for name, rows in counts)


def _told_about_keys(ring: KeyRing, uses: Sequence[KeyUse]) -> Iterator[str]:
    settings = (
        (ENCRYPTION, ring.keks, ring.current_kek_id),
        (FINGERPRINT, ring.fingerprint_keys, ring.current_fingerprint_key_id),
    )
    for setting, keys, current in settings:
        needed = {use.key_id for use in uses if use.setting == setting}
        for key_id in [*keys, *sorted(needed - keys.keys())]:
            rows = [(one.kind, one.rows) for one in uses if one[:2] == (setting, key_id)]
            what = f"needed by {_listed(rows)}" if rows else "may be dropped: nothing needs it"
            if key_id == current:
                what = f"current, {what}" if rows else "current"
            elif key_id not in keys:
                what = f"LOST, {what}"
            yield f"{setting} {key_id!r}: {what}."


def _left_behind(rotation: Rotation) -> list[str]:
    return [f"{why[0].upper()}{why[1:]}: {_named(rows)}" for why, rows in rotation.left.items()]


def _named(rows: set[Any]) -> str:
    named = ", ".join(str(one) for one in islice(sorted(rows), _NAMED_AT_MOST))
    return (
        named if len(rows) <= _NAMED_AT_MOST else f"{named} and {len(rows) - _NAMED_AT_MOST} more"
    )
