"""Where a webhook may lead: to the internet, and not to what only this machine can reach.

Whoever may set the webhook, or the DNS of its host, must not make the worker talk to the database,
the platform's metadata service or the office network (OWASP: server-side request forgery).
"""

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address

# Metadata services that stand outside of every private range: Azure's and Oracle's.
METADATA = frozenset({IPv4Address("168.63.129.16"), IPv4Address("192.0.0.192")})


class AddressRefused(OSError):
    """The host has an address that is not public."""


def addresses_of(host: str, port: int, *, allow_private: bool) -> list[str]:
    """The addresses of a host, asked for once; connect to these and not to the name.

    Raises AddressRefused when one of them is not public, and OSError when there are none.
    """
    entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in entries))
    if not allow_private and not all(is_public(address) for address in addresses):
        raise AddressRefused("the host has an address that is not public")
    return addresses


def is_public(text: str) -> bool:
    """Whether an address is one of the internet's own, in whichever form it is written."""
    address = ip_address(text)
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return _is_public_v4(address.ipv4_mapped)
        # 6to4 carries any IPv4 address; the reserved ranges hold NAT64 and the IPv4-compatible.
        is_tunnel = address.sixtofour is not None or address.teredo is not None
        if is_tunnel or address.is_reserved or address.is_site_local:
            return False
        return address.is_global and not address.is_multicast
    return _is_public_v4(address)


def _is_public_v4(address: IPv4Address) -> bool:
    is_special = address.is_multicast or address.is_reserved or address in METADATA
    return address.is_global and not is_special
