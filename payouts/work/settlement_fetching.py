"""Fetches the network's settlement files when their days are over, and has them taken in.

Calls the network with no transaction open. What it cannot get it asks for again, days long; what
was taken in is never asked for again. What was refused is asked for again, because the network may
mend it; as long as it has not, nobody hears of the same file every few minutes.
"""

import logging
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from django.conf import settings
from django.utils import timezone

from consumers.ids import first_id_at
from payouts.models import Attempt, FileState, SettlementFile
from payouts.networks.base import SettlementUnavailable
from payouts.networks.routing import settlement_file
from payouts.operations.reconciliation.brought_files import FileUpload
from payouts.operations.reconciliation.take_settlement import take_settlement
from payouts.reconciliation.settlement_files.sandbox_csv import NETWORK
from payouts.reconciliation.settlements import LARGEST_FILE_BYTES, SettlementRefused

logger = logging.getLogger(__name__)

# Then somebody has to fetch it by hand.
DAYS_BACK: Final = 7
# What does not even look like a file for us leaves nothing behind but an entry in the trail. What
# kept it out may change on our side too, so it is not kept out for good.
_REFUSED_AGAIN_AFTER: Final = timedelta(hours=6)
_refused: Final[dict[date, tuple[bytes, datetime]]] = {}
# What the network is deciding at midnight is written down by then.
_AFTER: Final = timedelta(minutes=5)


def fetch_missing_settlements() -> None:
    """Fetch the files of the last days that are not here; nothing unless the settings say so."""
    if not settings.FETCH_SETTLEMENTS:
        return
    at = timezone.now()
    for day in days_without_file(at=at):
        try:
            content = settlement_file(day, largest_bytes=LARGEST_FILE_BYTES)
        except SettlementUnavailable as problem:
            logger.warning("The network gives no settlement file of %s: %s.", day, problem)
            continue
        upload = FileUpload(f"{NETWORK}-{day}.csv", content)
        if not _is_known_as_refused(day, upload, at=at):
            _take(day, upload, at=at)


def _take(day: date, upload: FileUpload, *, at: datetime) -> None:
    try:
        take_settlement(upload)
    except SettlementRefused as refusal:
        _refused[day] = (upload.sha256, at)
        logger.error("The network's settlement file of %s is refused: %s.", day, refusal)


def _is_known_as_refused(day: date, upload: FileUpload, *, at: datetime) -> bool:
    """Whether these very bytes were refused: when they were read, by people, or lately."""
    sha256, refused_at = _refused.get(day, (b"", at))
    if sha256 == upload.sha256 and at - refused_at < _REFUSED_AGAIN_AFTER:
        return True
    refused = SettlementFile.objects.filter(network=NETWORK, state=FileState.REFUSED)
    return refused.filter(sha256=upload.sha256).exists()


def days_without_file(*, at: datetime) -> list[date]:
    """The days (UTC) that are over, since we first sent anything, and that no file is about."""
    first, last = _first_day(at), (at - _AFTER).astimezone(UTC).date() - timedelta(days=1)
    days = [] if first is None else [last - timedelta(days=n) for n in range(DAYS_BACK)]
    return sorted(day for day in days if first is not None and day >= first and _is_free(day))


def _first_day(at: datetime) -> date | None:
    merchant = {
        "acquiring_bin": settings.ACQUIRING_BIN,
        "card_acceptor_id": settings.CARD_ACCEPTOR_ID,
    }
    # An attempt has its payment's key, so this reads the key's index from there on.
    since = first_id_at(at - timedelta(days=DAYS_BACK + 1))
    sent = Attempt.objects.filter(network=NETWORK, pk__gte=since, **merchant)
    first = sent.order_by("pk").values_list("created_at", flat=True).first()
    return None if first is None else first.astimezone(UTC).date()


def _is_free(day: date) -> bool:
    begins_at = datetime.combine(day, time(), UTC)
    about = SettlementFile.objects.filter(
        network=NETWORK,
        acquiring_bin=settings.ACQUIRING_BIN,
        card_acceptor_id=settings.CARD_ACCEPTOR_ID,
        begins_at__lt=begins_at + timedelta(days=1),
        ends_at__gt=begins_at,
    )
    return not about.exclude(state=FileState.REFUSED).exists()
