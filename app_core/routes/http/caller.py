"""Who asks: for shares and for what is written down of a request."""

from __future__ import annotations

import ipaddress

from flask import g, request

from app_core.routes.http.forwarded import peer_address

HOME_PREFIX = 64
"""Bits of an IPv6 address that one home or host has."""


def caller() -> str:
    """``token NAME`` of a token that has a name (``g.token_name``), else ``address A``: of IPv6 the
    network that one client has as a whole.
    """
    return own() or f"address {_network(request.remote_addr or '')}"


def own() -> str:
    """The client whose jobs, sessions and faces alone this request may reach, where its token has a
    name; empty: everybody's. Everything that looks one up for a request asks for it.
    """
    return token_owner(g.get("token_name", ""))


def token_owner(name: str) -> str:
    """The mark on what belongs to a token's client; empty for the operator's, without a name."""
    return f"token {name}" if name else ""


def _network(address: str) -> str:
    found = peer_address(address)
    if found is None:
        return address
    if found.version == 4:
        return str(found)
    return str(ipaddress.ip_network((found, HOME_PREFIX), strict=False))
