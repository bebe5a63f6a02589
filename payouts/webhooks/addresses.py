"""Where we may connect to: what an address of a webhook looks like, and which networks are public.

Two checks, for two moments. `webhook_url` reads an address when it is stored and again when it is
used; `is_public` judges every address that its name resolves to, at the moment of connecting. The
first alone is the classic hole: a name may point anywhere a minute later. Plain Python.

The networks are those of the IANA registries of special-purpose addresses (RFC 6890 and its
updates), whether globally reachable or not: nobody's webhook lives in any of them.
"""

import ipaddress
import re
from collections.abc import Collection
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final

LONGEST_URL: Final = 500
USUAL_PORTS: Final = frozenset({443, 8443})

_V4_SPECIAL: Final = tuple(
    IPv4Network(one)
    for one in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private use
        "100.64.0.0/10",  # carrier-grade NAT
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link local, and where clouds keep their secrets
        "172.16.0.0/12",  # private use
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # AMT
        "192.88.99.0/24",  # 6to4 relay anycast
        "192.168.0.0/16",  # private use
        "192.175.48.0/24",  # AS112 direct delegation
        "198.18.0.0/15",  # benchmarking
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
# Whatever is not global unicast is nobody's: loopback, mapped and compatible v4, NAT64, discard,
# segment routing, unique local, link local and multicast all lie outside of it.
_V6_GLOBAL_UNICAST: Final = IPv6Network("2000::/3")
_V6_SPECIAL: Final = tuple(
    IPv6Network(one)
    for one in (
        "2001::/23",  # protocol assignments: Teredo, benchmarking, ORCHID and others
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: a v4 address in disguise
        "2620:4f:8000::/48",  # AS112 direct delegation
        "3fff::/20",  # documentation
    )
)

# Printable ASCII without blanks. No user, no fragment, no backslash: parsers disagree about those.
_URL = re.compile(
    r"(?P<scheme>https?)://"
    r"(?P<host>[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])"
    r"(?::(?P<port>[1-9][0-9]{0,4}))?"
    r"(?P<target>/[!$%&'()*+,./0-9:;=?@A-Z_a-z~-]*)?",
)
_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
_LOOPBACK_NAME: Final = "localhost"


class NotAWebhookURL(ValueError):
    """This cannot be the address of a webhook; the message says why, for who typed it."""


@dataclass(frozen=True, slots=True)
class AddressRules:
    """What is allowed besides https to public addresses.

    `loopback` lets a developer's own machine be told, by http and on any port; never in production.
    """

    loopback: bool = False
    ports: frozenset[int] = USUAL_PORTS


@dataclass(frozen=True, slots=True)
class WebhookURL:
    """An address in its parts. `host` is a name in lower case, or an address without brackets."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def authority(self) -> str:
        """What stands in the `Host` header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        is_usual = self.port == (443 if self.scheme == "https" else 80)
        return host if is_usual else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.target}"


def webhook_url(text: str, *, rules: AddressRules) -> WebhookURL:
    """Read an address.

    :raises NotAWebhookURL: unless it is https to a public name or address, on a port that is
        allowed, in one spelling that everybody reads alike.
    """
    match = _URL.fullmatch(text) if len(text) <= LONGEST_URL else None
    if match is None:
        raise NotAWebhookURL(
            f"An https address is needed, of at most {LONGEST_URL} plain characters, without user "
            "name, password and fragment. Write names in other alphabets as punycode."
        )
    scheme, host = match["scheme"], match["host"].lower().strip("[]")
    is_own = rules.loopback and _is_loopback(host)
    if not is_own:
        _require_public_host(host, is_bracketed=match["host"].startswith("["))
    if scheme != "https" and not is_own:
        raise NotAWebhookURL("The address must begin with https://.")
    port = int(match["port"] or (443 if scheme == "https" else 80))
    if port > 65535 or not (is_own or port in rules.ports):
        allowed = ", ".join(str(one) for one in sorted(rules.ports))
        raise NotAWebhookURL(f"The port must be one of {allowed}.")
    return WebhookURL(scheme, host, port, match["target"] or "/")


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether somebody on the public internet can have this address."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _V4_SPECIAL)
    return (
        address in _V6_GLOBAL_UNICAST
        and address.scope_id is None
        and not any(address in network for network in _V6_SPECIAL)
    )


def may_connect(resolved: Collection[str], *, host: str, rules: AddressRules) -> bool:
    """Whether all addresses that a name resolves to may be connected to; one that is not spoils it.

    `resolved` are the addresses as the system's resolver spells them.
    """
    try:
        addresses = [ipaddress.ip_address(one) for one in resolved]
    except ValueError:
        return False
    if not addresses:
        return False
    if rules.loopback and _is_loopback(host):
        return all(one.is_loopback for one in addresses)
    return all(is_public(one) for one in addresses)


def _require_public_host(host: str, *, is_bracketed: bool) -> None:
    address = _literal(host)
    if address is not None:
        if (address.version == 6) is not is_bracketed or not is_public(address):
            raise NotAWebhookURL("The address is not one of the public internet.")
        return
    labels = host.split(".")
    # `0x7f.1` and `2130706433` are addresses to some resolvers; no top-level domain has a digit
    # first.
    if (
        is_bracketed
        or len(labels) < 2
        or not all(_LABEL.fullmatch(label) for label in labels)
        or labels[-1][0].isdigit()
        or labels[-1] in _NOT_ON_THE_INTERNET
    ):
        raise NotAWebhookURL("The address needs the full name of a server on the public internet.")


# RFC 6761, 6762, 7686 and 9476, and what cloud providers and routers answer to.
_NOT_ON_THE_INTERNET: Final = frozenset(
    {"localhost", "local", "internal", "invalid", "test", "example", "onion", "alt", "arpa"}
    | {"home", "lan", "corp", "localdomain", "intranet", "private"}
)


def _literal(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _is_loopback(host: str) -> bool:
    address = _literal(host)
    return host == _LOOPBACK_NAME if address is None else address.is_loopback
