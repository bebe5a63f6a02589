"""Who does something: an API client, a member of staff, or the product itself."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Actor:
    """`label` stands in histories (`client:…`, `staff:…`, `network:…`, `worker`); an id names a
    row, if any.
    """

    label: str
    client_id: UUID | None = None
    user_id: int | None = None


WORKER: Final = Actor("worker")
COMMAND_LINE: Final = Actor("command line")


def card_network(name: str) -> Actor:
    """A card network that has spoken by itself; `name` is that of attempts."""
    return Actor(f"network:{name}")


def api_client(client_id: UUID, name: str) -> Actor:
    """A program of a partner, by the name that staff gave it."""
    return Actor(f"client:{name}", client_id=client_id)


def staff(user_id: int, username: str) -> Actor:
    """A person of ours."""
    return Actor(f"staff:{username}", user_id=user_id)
