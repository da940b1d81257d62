"""Who asks: for shares and for what is written down of a request."""

from __future__ import annotations

import ipaddress

from flask import g, request

HOME_PREFIX = 64
"""Bits of an IPv6 address that one home or host has."""


def caller() -> str:
    """``token NAME`` of a token that has a name (``g.token_name``), else ``address A``: of IPv6 the
    network that one client has as a whole.
    """
    if name := g.get("token_name", ""):
        return f"token {name}"
    return f"address {_network(request.remote_addr or '')}"


def _network(address: str) -> str:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if found.version == 4:
        return address
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, HOME_PREFIX), strict=False))
