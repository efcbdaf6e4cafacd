"""The IP addresses that a webhook may reach: public ones, and no internal ones.

A person who sets the webhook, or controls the DNS of its host, must not make the worker connect to
internal servers. Examples are the database, the platform's metadata service and the office network
(OWASP: server-side request forgery).
"""

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address

from consumer.errors import AddressRefused

# Metadata services whose IP addresses are in no private range: Azure's and Oracle's.
METADATA = frozenset({IPv4Address("168.63.129.16"), IPv4Address("192.0.0.192")})


def addresses_of(host: str, port: int, *, allow_private: bool) -> list[str]:
    """Look up the IP addresses of a host once. Connect to these, not to the host name.

    Raises AddressRefused if one of them is not public and `allow_private` is False. Raises OSError
    if there are none.
    """
    entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in entries))
    if not allow_private and not all(is_public(address) for address in addresses):
        raise AddressRefused("the host has an address that is not public")
    return addresses


def is_public(text: str) -> bool:
    """Whether an IP address is public, in every notation, IPv4 inside IPv6 included."""
    address = ip_address(text)
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return _is_public_v4(address.ipv4_mapped)
        # 6to4 can carry any IPv4 address. NAT64 and IPv4-compatible are in the reserved ranges.
        is_tunnel = address.sixtofour is not None or address.teredo is not None
        if is_tunnel or address.is_reserved or address.is_site_local:
            return False
        return address.is_global and not address.is_multicast
    return _is_public_v4(address)


def _is_public_v4(address: IPv4Address) -> bool:
    is_special = address.is_multicast or address.is_reserved or address in METADATA
    return address.is_global and not is_special
