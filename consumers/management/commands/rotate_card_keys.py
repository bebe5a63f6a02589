"""Moves cards and tax identifiers to the current keys."""

from collections.abc import Iterable
from itertools import islice
from typing import Any, Final
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from consumers.operations.rotate_keys import (
    BATCH,
    Rotation,
    remaining_under_old_keys,
    reseal_others,
    rotate_keys,
    try_keys,
)
from consumers.vault import CardKeysMisconfigured, key_ring_from_settings

_NAMED_AT_MOST: Final = 50
_TOLD_EVERY: Final = BATCH * 25


class Command(BaseCommand):
    help = (
        "Move all cards and tax identifiers to the current keys, the first ones of "
        "CARD_ENCRYPTION_KEYS and CARD_FINGERPRINT_KEYS. Runs beside the product, may be killed "
        "and run again. First give every process the new key as the second one, then as the first "
        "one, then run this; drop the old key when nothing remains. Exits with 1 if something "
        "stays behind."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="open everything that would be moved, and write nothing",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            ring = key_ring_from_settings()
        except CardKeysMisconfigured as error:
            raise CommandError(str(error)) from error
        begun = remaining_under_old_keys()
        self.stdout.write(
            f"Current keys: {ring.current_kek_id!r}, "
            f"of fingerprints {ring.current_fingerprint_key_id!r}. "
            f"Under others: {begun.cards} cards, {begun.tax_identifiers} tax identifiers."
        )
        self._told = 0
        rotation = (try_keys if options["dry_run"] else rotate_keys)(told=self._tell)
        self._report_others(is_trial=options["dry_run"])
        self._report(rotation, "can be moved" if options["dry_run"] else "moved")

    def _tell(self, rotation: Rotation) -> None:
        if rotation.cards - self._told >= _TOLD_EVERY:
            self._told = rotation.cards
            self.stderr.write(f"{rotation.cards:,} cards …", style_func=str)

    def _report_others(self, *, is_trial: bool) -> None:
        others = reseal_others(is_trial=is_trial)
        for other in others:
            verb = "can be moved" if is_trial else "moved"
            self.stdout.write(f"{other.moved} {other.what} {verb}.")
        broken = [
            f"Of {one.what}, cannot be opened: {_named(set(one.unreadable))}"
            for one in others
            if one.unreadable
        ]
        if broken:
            raise CommandError("\n".join(broken))
        if not is_trial and any(one.left for one in others):
            raise CommandError("Somebody adds more under an old key: run this again.")

    def _report(self, rotation: Rotation, verb: str) -> None:
        self.stdout.write(
            f"{rotation.cards} cards and {rotation.tax_identifiers} tax identifiers {verb}."
        )
        left = remaining_under_old_keys()
        self.stdout.write(
            f"Under other keys now: {left.cards} cards, {left.tax_identifiers} tax identifiers."
        )
        if not rotation.is_clean:
            raise CommandError("\n".join(_left_behind(rotation)))
        if verb == "moved" and any(left):
            raise CommandError(
                "Somebody holds them, or adds cards under an old key: run this again."
            )


def _left_behind(rotation: Rotation) -> Iterable[str]:
    found = {
        "Cards that cannot be opened": rotation.unreadable_cards,
        "Consumers whose tax identifier cannot be opened": rotation.unreadable_consumers,
        "Cards whose number the consumer has under the current key already": rotation.doubled_cards,
    }
    return [f"{what}: {_named(ids)}" for what, ids in found.items() if ids]


def _named(ids: set[UUID]) -> str:
    named = ", ".join(str(one) for one in islice(sorted(ids), _NAMED_AT_MOST))
    return named if len(ids) <= _NAMED_AT_MOST else f"{named} and {len(ids) - _NAMED_AT_MOST} more"
