"""The address of a client, whatever a proxy has written around it, and what stands for a client."""

import ipaddress

UNKNOWN = "unknown"
# A client with one IPv6 address has a network of this size.
IPV6_PREFIX = 64
MAX_FORWARDED_CHARS = 80


def client_address(forwarded: str | None) -> str:
    """The bare IP address in a field of `X-Forwarded-For`, or "" if there is none.

    Azure adds a port, RFC 7239 has brackets and quotation marks, and a system may add the zone
    of a link. An IPv4 address that is mapped to IPv6 is returned as IPv4.
    """
    text = (forwarded or "")[:MAX_FORWARDED_CHARS].strip().strip('"').strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        ip = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return ""
    return str(getattr(ip, "ipv4_mapped", None) or ip)


def network_of(address: str | None) -> str:
    """What a limit counts as one client: an IPv4 address, or a network of IPv6.

    All clients without an address are one, so that no invented text gets a count of its own.
    """
    if not (plain := client_address(address)):
        return UNKNOWN
    if ":" in plain:
        return str(ipaddress.ip_network((plain, IPV6_PREFIX), strict=False))
    return plain
