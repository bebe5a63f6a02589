"""Stores what is posted to us in a card network's name, before anything is made of it.

Nothing here reads it: that is `use_notifications`, in a worker, afterwards.

Everybody can post, so what is not genuine is bounded: `FORGED_AN_HOUR` of all networks together,
of each the first `FORGED_BYTES_KEPT`, for a week; that is some 70 MB at the most. It is stored by
one at a time, so that a flood cannot occupy the database. Genuine ones are always taken.
"""

import base64
import hashlib
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.utils import timezone

from consumers.ids import new_id
from consumers.operations.sealed_rows import SealedTexts
from consumers.statements import fetch_row, fetch_rows
from consumers.vault import key_ring_from_settings, seal_text, unseal_text
from payouts import dispatch
from payouts.models import NetworkNotification
from payouts.networks.routing import is_genuine, tells_by_itself

LARGEST_BYTES: Final = 16 * 1024
FORGED_AN_HOUR: Final = 100
FORGED_BYTES_KEPT: Final = 4 * 1024
# A trigger refuses to delete younger ones.
FORGED_KEPT: Final = timedelta(days=7)
_FORGOTTEN_AT_ONCE: Final = 5_000


class NoSuchNetwork(LookupError):
    """No network of this name posts to us."""


class TooLarge(ValueError):
    """No network has so much to say."""


class TooManyForged(Exception):
    """So much came lately that nobody has signed that no more of it is stored for now."""


_STORE: Final = """
INSERT INTO payouts_networknotification
    (id, network, is_genuine, size_bytes, sha256, sealed, received_at, times_received, due_at,
     tries, problem, meaning, came_to)
VALUES (%(id)s, %(network)s, %(is_genuine)s, %(size)s, %(sha256)s, %(sealed)s, %(at)s, 1, %(at)s,
        0, '', '', '')
ON CONFLICT (sha256, network, is_genuine) DO UPDATE
SET times_received = payouts_networknotification.times_received + 1
-- What anybody can send again and again is not even counted.
WHERE payouts_networknotification.is_genuine
RETURNING id
"""


def take_notification(network: str, body: bytes, *, signature: str) -> None:
    """Store a notification and ring for it; what comes again is counted. Committed when it returns.

    `signature` is the header as it came, which decides for ever whether it is genuine.

    :raises NoSuchNetwork, TooLarge, TooManyForged: nothing is stored.
    """
    if not tells_by_itself(network):
        raise NoSuchNetwork(network)
    if len(body) > LARGEST_BYTES:
        raise TooLarge(len(body))
    at = timezone.now()
    genuine = is_genuine(network, body, signature=signature, at=at)
    with transaction.atomic():
        if not genuine and not _has_room(at):
            raise TooManyForged
        notification = NetworkNotification(
            id=new_id(), network=network, is_genuine=genuine, size_bytes=len(body), received_at=at
        )
        kept = body if genuine else body[:FORGED_BYTES_KEPT]
        fetch_rows(
            _STORE,
            {
                "id": notification.pk,
                "network": network,
                "is_genuine": genuine,
                "size": len(body),
                "sha256": hashlib.sha256(body).digest(),
                "sealed": _sealed(notification, kept),
                "at": at,
            },
        )
        dispatch.ring_notifications()


# Whoever does not get the lock at once is one too many.
_ALONE: Final = "SELECT pg_try_advisory_xact_lock(hashtextextended('forged notifications', 0))"
_LATELY: Final = """
SELECT count(*) FROM payouts_networknotification WHERE NOT is_genuine AND received_at > %(since)s
"""


def _has_room(at: datetime) -> bool:
    alone = fetch_row(_ALONE, {})
    if alone is None or not alone[0]:
        return False
    lately = fetch_row(_LATELY, {"since": at - timedelta(hours=1)})
    return lately is not None and lately[0] < FORGED_AN_HOUR


def forget_forged_notifications() -> int:
    """Delete what nobody had signed and is older than `FORGED_KEPT`; return how many."""
    old = NetworkNotification.objects.filter(
        is_genuine=False, received_at__lt=timezone.now() - FORGED_KEPT
    )
    ids = old.order_by("received_at").values("pk")[:_FORGOTTEN_AT_ONCE]
    deleted, _ = NetworkNotification.objects.filter(pk__in=ids).delete()
    return deleted


def body_of(notification: NetworkNotification) -> bytes:
    """What was posted, or its beginning if it is not genuine.

    :raises consumers.vault.TextUnreadable: its key is gone.
    """
    sealed, ring = bytes(notification.sealed), key_ring_from_settings()
    return base64.b64decode(unseal_text(sealed, bound_to=_bound_to(notification), ring=ring))


def _sealed(notification: NetworkNotification, body: bytes) -> bytes:
    # Whatever a stranger posts may hold a card number.
    text = base64.b64encode(body).decode("ascii")
    return seal_text(text, bound_to=_bound_to(notification), ring=key_ring_from_settings())


def _bound_to(notification: NetworkNotification) -> str:
    return f"network notification|{notification.pk}|{notification.network}|body"


NOTIFICATIONS: Final = SealedTexts(
    "notifications of networks", model=NetworkNotification, column="sealed", place=_bound_to
)
