"""Find the IP address of a client, and the network that rate limits count as one client."""

import ipaddress

UNKNOWN = "unknown"
# A client with one IPv6 address has a network of this size.
IPV6_PREFIX = 64
MAX_FORWARDED_CHARS = 80


def client_address(header: str | None) -> str:
    """Return the bare IP address in a field of `X-Forwarded-For`, or "" if there is none.

    Azure adds a port, RFC 7239 has brackets and quotation marks, and a system may add the zone of a
    link. An IPv4 address mapped to IPv6 is returned as IPv4.
    """
    text = (header or "")[:MAX_FORWARDED_CHARS].strip().strip('"').strip()
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
    """Return what a limit counts as one client: an IPv4 address, or an IPv6 network.

    All clients without an address count as one. An invented text therefore gets no count of its
    own.
    """
    if not (plain := client_address(address)):
        return UNKNOWN
    if ":" in plain:
        return str(ipaddress.ip_network((plain, IPV6_PREFIX), strict=False))
    return plain
