"""Which addresses of hosts are public: those that the registries of IANA give to anybody.

The tables are our own. What `ipaddress` calls global differs between versions of Python, and it
knows only some of the forms of IPv6 in which an IPv4 address of this machine or network can hide.
"""

from __future__ import annotations

import ipaddress

_IPV4_SPECIAL = tuple(
    ipaddress.IPv4Network(text)
    for text in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
        *("172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16"),
        *("198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        "168.63.129.16/32",
    )
)
"""Not globally reachable, multicast, reserved; and the address at which a cloud serves the machines
in it, which only they reach."""
_IPV6_UNICAST = ipaddress.IPv6Network("2000::/3")
"""All that is given out. What embeds an IPv4 address lies elsewhere, but for those below:
compatible (::/96), mapped (::ffff:0:0/96), translated (::ffff:0:0:0/96, 64:ff9b::/96,
64:ff9b:1::/48)."""
_IPV6_SPECIAL = tuple(
    ipaddress.IPv6Network(text)
    for text in ("2001::/23", "2001:db8::/32", "2002::/16", "3ffe::/16", "3fff::/20")
)
"""Protocols, Teredo among them; documentation; 6to4; what was given back; documentation."""
_ISATAP = (0x0000_5EFE, 0x0200_5EFE)
"""Third quarter of an address that ends in an IPv4 address, whatever network it is in."""


def is_public(address: str) -> bool:
    """Return whether anybody could reach an address.

    Args:
        address: Answer of a resolver.
    """
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv4Address):
        return not any(ip in network for network in _IPV4_SPECIAL)
    return (
        ip in _IPV6_UNICAST
        and not any(ip in network for network in _IPV6_SPECIAL)
        and int(ip) >> 32 & 0xFFFF_FFFF not in _ISATAP
    )
