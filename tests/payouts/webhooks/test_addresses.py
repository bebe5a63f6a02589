"""Which addresses a webhook may have, when it is stored and when it is connected to."""

import asyncio
import ipaddress
import socket
from typing import Any

import httpcore
import pytest

from payouts.webhooks.addresses import (
    AddressRules,
    NotAWebhookURL,
    is_public,
    may_connect,
    webhook_url,
)
from payouts.webhooks.connecting import AddressRefused, CheckedBackend, Resolver
from tests.payouts.webhooks.hostile import addresses, urls

RULES = AddressRules()
AT_HOME = AddressRules(loopback=True)


def test_there_are_enough_of_them() -> None:
    assert len(urls()) >= 300


@pytest.mark.parametrize("url", urls(), ids=repr)
def test_a_hostile_address_is_not_stored(url: str) -> None:
    with pytest.raises(NotAWebhookURL):
        webhook_url(url, rules=RULES)


@pytest.mark.parametrize("address", addresses())
def test_a_special_address_is_not_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address",
    ["1.1.1.1", "8.8.8.8", "172.15.255.255", "172.32.0.0", "11.0.0.0", "100.63.255.255",
     "100.128.0.0", "169.253.255.255", "223.255.255.255", "192.0.1.0", "198.20.0.0",
     "2606:4700::1111", "2a00:1450:4001::1", "2400:cb00::1", "2001:200::1"],
)  # fmt: skip
def test_what_lies_beside_them_is_public(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("https://hooks.partner.com", "https://hooks.partner.com/"),
        ("https://Hooks.Partner.COM:443/A?b=c&d", "https://hooks.partner.com/A?b=c&d"),
        ("https://hooks.partner.com:8443/", "https://hooks.partner.com:8443/"),
        ("https://1.1.1.1/x", "https://1.1.1.1/x"),
        ("https://[2606:4700::1111]/", "https://[2606:4700::1111]/"),
        ("https://xn--bcher-kva.com/%20", "https://xn--bcher-kva.com/%20"),
    ],
)
def test_a_good_address_has_one_spelling(text: str, written: str) -> None:
    url = webhook_url(text, rules=RULES)
    assert str(url) == written
    assert webhook_url(str(url), rules=RULES) == url


@pytest.mark.parametrize(
    "text", ["http://127.0.0.1:9/x", "http://localhost:8080/", "http://[::1]:1/"]
)
def test_a_developers_own_machine_is_allowed_where_the_settings_say_so(text: str) -> None:
    webhook_url(text, rules=AT_HOME)
    with pytest.raises(NotAWebhookURL):
        webhook_url(text, rules=RULES)


@pytest.mark.parametrize("text", ["http://10.0.0.1/", "http://hooks.partner.com/", "https://db/"])
def test_at_home_nothing_else_becomes_allowed(text: str) -> None:
    with pytest.raises(NotAWebhookURL):
        webhook_url(text, rules=AT_HOME)


def test_one_inner_address_among_public_ones_spoils_all() -> None:
    good = ["1.1.1.1", "2606:4700::1111"]
    assert may_connect(good, host="hooks.partner.com", rules=RULES)
    assert not may_connect([*good, "10.0.0.1"], host="hooks.partner.com", rules=RULES)
    assert not may_connect([], host="hooks.partner.com", rules=RULES)
    assert not may_connect(["not an address"], host="hooks.partner.com", rules=RULES)


def test_at_home_a_name_that_leads_home_is_still_refused() -> None:
    assert may_connect(["127.0.0.1"], host="localhost", rules=AT_HOME)
    assert not may_connect(["127.0.0.1"], host="hooks.partner.com", rules=AT_HOME)
    assert not may_connect(["10.0.0.1"], host="localhost", rules=AT_HOME)


class TestConnecting:
    """Names lead anywhere a minute after they were stored; here a resolver says so."""

    @pytest.fixture
    def dialled(self, monkeypatch: pytest.MonkeyPatch) -> list[str]:
        """Every address that a connection is opened to; none is."""
        found: list[str] = []

        async def connect_tcp(_: Any, host: str, *__: Any, **___: Any) -> Any:
            found.append(host)
            raise httpcore.ConnectError("nobody is dialled in a test")

        monkeypatch.setattr(httpcore.AnyIOBackend, "connect_tcp", connect_tcp)
        return found

    @pytest.mark.parametrize("address", addresses())
    def test_a_name_that_leads_inside_is_not_dialled(
        self, address: str, dialled: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        both = [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("1.1.1.1", 443)),
            (family, socket.SOCK_STREAM, 6, "", (address, 443)),
        ]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: both)
        backend = CheckedBackend(RULES, Resolver())
        with pytest.raises(AddressRefused):
            asyncio.run(backend.connect_tcp("hooks.partner.com", 443))
        assert dialled == []

    def test_what_was_judged_is_what_is_dialled(
        self, dialled: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A name server that answers otherwise the second time is not asked a second time."""
        answers = iter([["1.1.1.1", "8.8.8.8"], ["127.0.0.1"]])

        def look_up(*_: Any, **__: Any) -> Any:
            return [(2, 1, 6, "", (one, 443)) for one in next(answers)]

        monkeypatch.setattr(socket, "getaddrinfo", look_up)
        backend = CheckedBackend(RULES, Resolver())
        with pytest.raises(httpcore.ConnectError):
            asyncio.run(backend.connect_tcp("hooks.partner.com", 443))
        assert dialled == ["1.1.1.1", "8.8.8.8"]

    def test_no_socket_of_the_machine_is_opened(self) -> None:
        backend = CheckedBackend(RULES, Resolver())
        with pytest.raises(AddressRefused):
            asyncio.run(backend.connect_unix_socket("/var/run/docker.sock"))
