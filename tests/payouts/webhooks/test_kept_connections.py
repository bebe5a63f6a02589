"""Connections to receivers are used again, and no longer than they may be. Nothing is dialled."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from typing import Any

import httpcore
import pytest

from payouts.webhooks.kept_connections import KeptConnections

HERE = httpcore.URL("http://here.test-partner.com/hook")
THERE = httpcore.URL("http://there.test-partner.com/hook")
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nGood"


class Network(httpcore.AsyncMockBackend):
    """Every connection answers well, as often as it is asked; counts those that are opened."""

    def __init__(self) -> None:
        super().__init__([ANSWER] * 9)
        self.opened: list[str] = []
        self.is_down = False

    async def connect_tcp(self, host: str, *arguments: Any, **named: Any) -> Any:
        if self.is_down:
            raise httpcore.ConnectError
        self.opened.append(host)
        return await super().connect_tcp(host, *arguments, **named)


Deeds = Callable[[KeptConnections], Awaitable[None]]


@pytest.fixture
def network() -> Network:
    return Network()


def live(network: Network, deeds: Deeds, *, most: int = 10, idle_seconds: float = 5) -> None:
    """Do it in a loop of its own, and close what is left."""

    async def life() -> None:
        trust = ssl.create_default_context()
        kept = KeptConnections(backend=network, trust=trust, most=most, idle_seconds=idle_seconds)
        await deeds(kept)
        await kept.aclose()

    asyncio.run(life())


async def send(
    kept: KeptConnections, url: httpcore.URL = HERE, *, meanwhile: asyncio.Event | None = None
) -> None:
    async with kept.stream("POST", url, content=b"{}") as answer:
        if meanwhile is not None:
            await meanwhile.wait()
        assert b"".join([chunk async for chunk in answer.aiter_stream()]) == b"Good"


async def send_at_once(kept: KeptConnections, number: int) -> None:
    all_are_out = asyncio.Event()
    sending = [asyncio.ensure_future(send(kept, meanwhile=all_are_out)) for _ in range(number)]
    await asyncio.sleep(0)
    all_are_out.set()
    await asyncio.gather(*sending)


def test_one_after_the_other_uses_one(network: Network) -> None:
    async def deeds(kept: KeptConnections) -> None:
        for _ in range(3):
            await send(kept)

    live(network, deeds)
    assert len(network.opened) == 1


def test_those_at_once_have_one_each_and_are_used_again(network: Network) -> None:
    async def deeds(kept: KeptConnections) -> None:
        await send_at_once(kept, 4)
        await send_at_once(kept, 4)

    live(network, deeds)
    assert len(network.opened) == 4


def test_each_place_has_its_own(network: Network) -> None:
    async def deeds(kept: KeptConnections) -> None:
        for url in (HERE, THERE, HERE, THERE):
            await send(kept, url)

    live(network, deeds)
    assert network.opened == ["here.test-partner.com", "there.test-partner.com"]


def test_none_above_the_most_is_kept(network: Network) -> None:
    async def deeds(kept: KeptConnections) -> None:
        await send_at_once(kept, 3)
        await send_at_once(kept, 3)

    live(network, deeds, most=2)
    assert len(network.opened) == 3 + 1


def test_an_old_one_is_not_used(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("payouts.webhooks.kept_connections._LOOKED_THROUGH_SECONDS", 0)

    async def deeds(kept: KeptConnections) -> None:
        await send_at_once(kept, 2)
        await send(kept, THERE)
        await send(kept)

    live(network, deeds, idle_seconds=-1)
    assert len(network.opened) == 4


def test_one_that_was_not_read_to_its_end_is_not_used_again(network: Network) -> None:
    async def deeds(kept: KeptConnections) -> None:
        async with kept.stream("POST", HERE, content=b"{}") as answer:
            assert answer.status == 200
        await send(kept)

    live(network, deeds)
    assert len(network.opened) == 2


def test_what_could_not_be_opened_counts_for_nothing(network: Network) -> None:
    async def deeds(kept: KeptConnections) -> None:
        network.is_down = True
        for _ in range(3):
            with pytest.raises(httpcore.ConnectError):
                await send(kept)
        network.is_down = False
        await send(kept)
        await send(kept)

    live(network, deeds, most=1)
    assert len(network.opened) == 1
