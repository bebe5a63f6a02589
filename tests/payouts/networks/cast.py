"""Builders for the tests of the networks: pushes, none like another, and conversations."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from typing import Any, TypeVar

from payouts.networks.base import (
    Finding,
    NetworkIdentity,
    Outcome,
    Push,
    identity_from_sequence,
)
from payouts.networks.sandbox.adapter import Patience, SandboxNetwork
from tests.sandbox import SandboxServer

Said = TypeVar("Said")

VISA = "4111111111111111"
MASTERCARD = "5555555555554444"
AT = datetime(2026, 2, 3, 4, 5, tzinfo=UTC)

# For what answers at all, on a busy machine too, and for what never does.
PATIENT = Patience(connect=5, read=20, whole=25, card_check=10)
IMPATIENT = Patience(connect=5, read=0.5, whole=0.9)

_sequence = count(1)


def make_identity(sequence: int | None = None) -> NetworkIdentity:
    return identity_from_sequence(
        next(_sequence) if sequence is None else sequence,
        at=AT,
        acquiring_bin="408999",
        card_acceptor_id="PAYOUTS00000001",
    )


def make_push(
    number: str = VISA, *, amount: str = "25.00", identity: NetworkIdentity | None = None
) -> Push:
    return Push(
        identity=identity or make_identity(),
        number=number,
        expiration_month=12,
        expiration_year=2031,
        amount=Decimal(amount),
        currency="USD",
        recipient_name="Ada Example",
        description="Test push",
    )


def talk(
    address: str,
    conversation: Callable[[SandboxNetwork], Awaitable[Said]],
    *,
    patience: Patience = PATIENT,
) -> Said:
    """Hold a conversation with the sandbox network in an event loop of its own."""

    async def hold() -> Said:
        network = SandboxNetwork(address, patience=patience)
        try:
            return await conversation(network)
        finally:
            await network.aclose()

    return asyncio.run(hold())


def push_once(sandbox: SandboxServer, push: Push, *, patience: Patience = PATIENT) -> Outcome:
    return talk(sandbox.address, lambda network: network.push(push), patience=patience)


def inquire_once(sandbox: SandboxServer, push: Push) -> Finding:
    return talk(sandbox.address, lambda network: network.inquire(push.identity))


def entry_of(sandbox: SandboxServer, push: Push) -> dict[str, Any]:
    """The one row of the network's book about a push."""
    wanted = push.identity.retrieval_reference_number, push.identity.terminal_id
    (entry,) = [
        entry
        for entry in sandbox.book()
        if (entry["retrieval_reference_number"], entry["terminal_id"]) == wanted
    ]
    return entry
