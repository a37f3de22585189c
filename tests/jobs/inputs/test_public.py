"""Addresses that only this machine or network reaches, in every form that hides them."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from joblist.addresses.public import is_public

INSIDE = ("127.0.0.1", "10.0.0.1", "169.254.169.254", "192.168.1.1", "168.63.129.16", "8.8.8.8")
FORMS = {
    "compatible": lambda v4: v4,
    "mapped": lambda v4: 0xFFFF << 32 | v4,
    "translated": lambda v4: 0xFFFF << 48 | v4,
    "NAT64": lambda v4: 0x64_FF9B << 96 | v4,
    "local NAT64": lambda v4: 0x64_FF9B_0001 << 80 | v4,
    "local NAT64, shorter": lambda v4: 0x64_FF9B_0001 << 80 | v4 >> 16 << 64 | (v4 & 0xFFFF) << 40,
    "6to4": lambda v4: 0x2002 << 112 | v4 << 80 | 1,
    "Teredo server": lambda v4: 0x2001_0000 << 96 | v4 << 64,
    "Teredo client": lambda v4: 0x2001_0000 << 96 | v4 ^ 0xFFFF_FFFF,
    "ISATAP": lambda v4: 0x2606_4700 << 96 | 0x5EFE << 32 | v4,
    "ISATAP, global": lambda v4: 0x2606_4700 << 96 | 0x0200_5EFE << 32 | v4,
}
"""Form -> function that hides an IPv4 address in an IPv6 address."""
REGISTERED = (
    *("::7f00:1", "::ffff:0:7f00:1", "3fff::1", "3fff:fff::1", "5f00::1", "100::1", "100:0:0:1::1"),
    *("2001::1", "2001:2::1", "2001:10::1", "2001:20::1", "2001:1ff::1", "4000::1", "fec0::1"),
    *("168.63.129.16", "192.0.0.8", "192.88.99.1", "203.0.113.9", "239.0.0.1", "0.1.2.3", "host"),
)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("address", INSIDE)
def test_an_ipv4_address_in_an_ipv6_address_is_not_public(form: str, address: str) -> None:
    hidden = ipaddress.IPv6Address(FORMS[form](int(ipaddress.IPv4Address(address))))
    assert not is_public(str(hidden))


@pytest.mark.parametrize("address", REGISTERED)
def test_what_the_registries_keep_back_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "193.0.14.129", "168.63.129.17", "2606:4700::1111", "2a00:1450::1"]
)
def test_what_anybody_reaches_is_public(address: str) -> None:
    assert is_public(address)


@given(st.ip_addresses())
def test_nothing_is_public_that_python_calls_private(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    if is_public(str(address)):
        assert address.is_global
        assert not address.is_multicast
