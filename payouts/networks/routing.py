"""Which network carries a push to which card. Only this room of `networks` reads the settings."""

from datetime import date, datetime
from functools import lru_cache

from django.conf import settings

from payouts.networks.base import CardNetwork, NetworkIdentity, Notice, identity_from_sequence
from payouts.networks.sandbox.adapter import Patience, SandboxNetwork
from payouts.networks.sandbox.notices import is_signed, read_notice

PUSHABLE_CARD_NETWORKS = frozenset({"visa", "mastercard"})


class NoNetworkForCard(Exception):
    """No network carries pushes to cards of this kind."""


def network_for(card_network: str) -> CardNetwork:
    """The network for a card's network name (`visa`, `mastercard`).

    The same instance in the whole process as long as the settings stay the same.

    :raises NoNetworkForCard:
    """
    if card_network not in PUSHABLE_CARD_NETWORKS:
        raise NoNetworkForCard(card_network)
    return _sandbox()


def network_named(name: str) -> CardNetwork:
    """The network that an attempt names, for asking about it or sending it again.

    :raises NoNetworkForCard:
    """
    if name != SandboxNetwork.name:
        raise NoNetworkForCard(name)
    return _sandbox()


def tells_by_itself(network: str) -> bool:
    """Whether there is a network of this name that posts notifications to us."""
    return network == SandboxNetwork.name


def is_genuine(network: str, body: bytes, *, signature: str, at: datetime) -> bool:
    """Whether the network itself has signed this notification, by the keys that it shares with us.

    Without keys in the settings nothing is.
    """
    keys = settings.SANDBOX_NOTIFICATION_KEYS
    return tells_by_itself(network) and is_signed(body, signature=signature, keys=keys, at=at)


def notice_in(network: str, body: bytes) -> Notice | None:
    """What a notification of the network says, genuine or not; None if nobody can read it."""
    return read_notice(body) if tells_by_itself(network) else None


def settlement_file(day: date, *, largest_bytes: int) -> bytes:
    """Fetch the network's settlement file about our instructions of a day (UTC) that is over.

    Blocks: call it outside of any transaction.

    :raises payouts.networks.base.SettlementUnavailable: ask again later.
    """
    return _sandbox().settlement_file(
        day,
        acquiring_bin=settings.ACQUIRING_BIN,
        card_acceptor_id=settings.CARD_ACCEPTOR_ID,
        largest_bytes=largest_bytes,
    )


async def close_networks() -> None:
    """Close the connections that the running event loop has opened; the networks stay usable."""
    await _sandbox().aclose()


def identity_for(sequence: int, *, at: datetime) -> NetworkIdentity:
    """The identity for a number that is never given out twice, under our acquiring BIN."""
    return identity_from_sequence(
        sequence,
        at=at,
        acquiring_bin=settings.ACQUIRING_BIN,
        card_acceptor_id=settings.CARD_ACCEPTOR_ID,
    )


def _sandbox() -> SandboxNetwork:
    return _sandbox_at(settings.CARD_NETWORK_SANDBOX_URL, settings.CARD_NETWORK_READ_SECONDS)


@lru_cache(maxsize=8)
def _sandbox_at(address: str, read_seconds: float) -> SandboxNetwork:
    return SandboxNetwork(address, patience=Patience.reading(read_seconds))
