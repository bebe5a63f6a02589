"""Where a webhook must never lead: one list of addresses, and one of ways to write them."""

import ipaddress
from collections.abc import Iterator

# Several of each special-purpose network: its ends and something within.
V4_NETWORKS = (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
    "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24",
    "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
    "224.0.0.0/4", "240.0.0.0/4",
)  # fmt: skip
V6_NETWORKS = (
    "::/128", "::1/128", "::/96", "::ffff:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64",
    "100:0:0:1::/64", "2001::/32", "2001:1::1/128", "2001:2::/48", "2001:3::/32",
    "2001:4:112::/48", "2001:10::/28", "2001:20::/28", "2001:30::/28", "2001:db8::/32", "2002::/16",
    "2620:4f:8000::/48", "3fff::/20", "5f00::/16", "fc00::/7", "fd00::/8", "fe80::/10", "fec0::/10",
    "ff00::/8",
)  # fmt: skip
INSIDE = ("127.0.0.1", "10.0.0.5", "169.254.169.254", "192.168.1.1", "172.16.0.1", "100.64.0.1")


def addresses() -> list[str]:
    """Addresses of every special-purpose network, and inner v4 ones in v6's clothes."""
    found = []
    for text in (*V4_NETWORKS, *V6_NETWORKS):
        network = ipaddress.ip_network(text)
        middle = network.network_address + network.num_addresses // 3
        found += [network.network_address, middle, network.broadcast_address]
    return list(dict.fromkeys([*(str(one) for one in found), *_disguised()]))


def _disguised() -> Iterator[str]:
    for text in INSIDE:
        number = int(ipaddress.IPv4Address(text))
        yield str(ipaddress.IPv6Address(0xFFFF << 32 | number))  # mapped
        yield str(ipaddress.IPv6Address(number))  # compatible
        yield str(ipaddress.IPv6Address(0x64FF9B << 96 | number))  # NAT64
        yield str(ipaddress.IPv6Address(0x64FF9B0001 << 80 | number))  # NAT64, local use
        yield str(ipaddress.IPv6Address(0x2002 << 112 | number << 80))  # 6to4
        yield str(ipaddress.IPv6Address(0x20010000 << 96 | ~number & 0xFFFFFFFF))  # Teredo


def urls() -> list[str]:
    """Addresses as somebody might write them into a webhook."""
    literal = [f"https://[{one}]/" if ":" in one else f"https://{one}/" for one in addresses()]
    return [
        *literal,
        *_WRITTEN,
        *(f"https://a{chr(n)}b.com/" for n in range(0x2D) if chr(n) not in "-"),
    ]


_WRITTEN = [
    "https://localhost/", "https://LOCALHOST/", "https://localhost./", "https://a.localhost/",
    "https://printer.local/", "https://metadata.google.internal/", "https://db/", "https://x.test/",
    "https://router.lan/", "https://1.0.0.127.in-addr.arpa/", "https://hidden.onion/",
    # Numbers that some resolvers take for 127.0.0.1 or 169.254.169.254.
    "https://2130706433/", "https://0x7f000001/", "https://017700000001/", "https://127.1/",
    "https://127.0.1/", "https://0x7f.0.0.1/", "https://0177.0.0.1/", "https://127.0.0.0x1/",
    "https://0/", "https://2852039166/", "https://0xa9fea9fe/", "https://127.000.000.001/",
    "https://1.1.1.1.1/", "https://256.1.1.1/", "https://0x1.com.0x7f/",
    # Letters that become others, and digits that are none.
    "https://\u24db\u24de\u24d2alhost/", "https://\uff11\uff12\uff17.0.0.1/",
    "https://127\u30020\u30020\u30021/", "https://\u017f.com/",
    # Who is asked, and who is named.
    "https://user@hooks.partner.com/", "https://user:secret@hooks.partner.com/",
    "https://hooks.partner.com@127.0.0.1/", "https://127.0.0.1#@hooks.partner.com/",
    "https://127.0.0.1\\@hooks.partner.com/", "https://hooks.partner.com\\@127.0.0.1/",
    "https://hooks.partner.com%00.127.0.0.1/", "https://%31%32%37.0.0.1/",
    "https://hooks.partner.com:443@127.0.0.1/", "https:///127.0.0.1/", "https:127.0.0.1/",
    "https://", "https:///", "//127.0.0.1/", "hooks.partner.com", "", " ",
    # Other ways out.
    "http://hooks.partner.com/", "ftp://hooks.partner.com/", "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_FLUSHALL", "unix:///var/run/docker.sock", "data:text/plain,a",
    "javascript:alert(1)", "HTTPS://hooks.partner.com/ ", "wss://hooks.partner.com/",
    # Ports of what is inside.
    *(f"https://hooks.partner.com:{n}/" for n in (0, 1, 22, 25, 80, 5432, 6379, 65536, 99999)),
    "https://hooks.partner.com:/", "https://hooks.partner.com:443:443/",
    "https://hooks.partner.com:+443/", "https://hooks.partner.com:4 43/",
    # Headers in a line.
    "https://hooks.partner.com/\r\nHost: 127.0.0.1", "https://hooks.partner.com/%\r\n",
    "https://hooks.partner.com\r\nX: y/", "https://hooks.partner.com/a b", "https://hooks.partner.com/\t",
    "https://hooks.partner.com/#fragment", "https://hooks.partner.com/\x7f", "https://a..com/",
    "https://-a.com/", "https://a-.com/", "https://.com/", "https://com./", "https://a_b.com/",
    f"https://{'a' * 64}.com/", f"https://hooks.partner.com/{'a' * 500}", "https://[::1",
    "https://::1/", "https://[127.0.0.1]/", "https://[fe80::1%25eth0]/", "https://[v1.a]/",
    "https://[hooks.partner.com]/", "https://a.home/", "https://a.corp/", "https://a.intranet/",
    "https://127.0.0.1:8443/", "https://[::ffff:127.0.0.1]:8443/", "https://a.b.0/",
    "https://[::ffff:a9fe:a9fe]/latest/meta-data/", "https://169.254.169.254/latest/meta-data/",
]  # fmt: skip
