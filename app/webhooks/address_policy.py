"""Which IP addresses webhooks may be sent to: public ones, and those the operator allows. Pure.

Python's ``is_global`` is not enough: it differs between versions and accepts addresses that
embed a private one.
"""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

DENIED_NETWORKS = tuple(
    ip_network(each)
    for each in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
        *("172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24"),
        *("192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15"),
        *("198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3"),
        "168.63.129.16/32",  # Azure's metadata service has a public address
        "2001::/23",  # Teredo and other protocols
        *("2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20"),
    )
)
GLOBAL_UNICAST = ip_network("2000::/3")
"""Public IPv6. Excludes IPv4 in IPv6, NAT64, unique local, link-local, unassigned addresses."""


class AddressDeniedError(Exception):
    """The address policy forbids a connection to this address."""


def check_addresses(
    addresses: Sequence[str], allowed: Sequence[Network], *, plain: bool
) -> list[Address]:
    """Parse the addresses of one host. Raise AddressDeniedError if any of them is denied.

    ``plain``: a connection without TLS, which is permitted to ``allowed`` networks only.
    """
    if not addresses:
        raise AddressDeniedError("The host name has no address: check its DNS records.")
    parsed = [ip_address(each) for each in addresses]
    for address in parsed:
        if any(address in network for network in allowed):
            continue
        if plain:
            raise AddressDeniedError(
                "Without TLS, only networks in HEALTH_WEBHOOK_ALLOWED_NETWORKS are allowed:"
                " use an https URL."
            )
        if not is_public(address):
            raise AddressDeniedError(
                "The address is not public: use a publicly reachable host, or add its network to"
                " HEALTH_WEBHOOK_ALLOWED_NETWORKS."
            )
    return parsed


def is_public(address: Address) -> bool:
    if isinstance(address, IPv6Address) and (address.scope_id or address not in GLOBAL_UNICAST):
        return False
    return not any(address in network for network in DENIED_NETWORKS)
