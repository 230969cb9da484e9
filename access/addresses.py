"""Where a request came from, as our outermost proxy saw it."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, TypeAlias

from django.conf import settings

if TYPE_CHECKING:
    from django.http import HttpRequest

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address


def address_of(request: HttpRequest) -> Address | None:
    """Return the address of whoever asks; None for what is no address.

    A wrong number of trusted proxies would make one customer of everybody, so it is the operator's to set.
    """
    chain = [request.META.get("REMOTE_ADDR") or "local"]
    hops = settings.TRUSTED_PROXY_COUNT
    if hops:
        chain = request.headers.get("X-Forwarded-For", chain[0]).split(",")[-hops:]
    try:
        return ipaddress.ip_address(chain[0].strip())
    except ValueError:
        return None


def network_of(address: Address, prefix: int) -> str:
    """Return the network of so many bits that an address lies in."""
    return str(ipaddress.ip_network((address, prefix), strict=False))
