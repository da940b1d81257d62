"""By which names this server may be called: against pages that rebind their own name to it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from flask import request

from app_core.config.access_settings import is_loopback
from app_core.errors import BadInput, Forbidden

if TYPE_CHECKING:
    from app_core.config import Config

_HOST = re.compile(r"(?:[A-Za-z0-9._~-]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{0,5}))?", re.ASCII)
_TARGET = re.compile(r"[a-z][a-z0-9+.-]*://(?P<host>[^/?#]*)", re.IGNORECASE)
"""A request target in absolute form (RFC 9112, section 3.2.2)."""
"""A name, an address or an [address], and a port; of names also those with an underscore."""


def asked_host() -> str:
    """The Host header as it came; Werkzeug's own is empty for names with an underscore."""
    given: str = request.environ.get("HTTP_HOST", "")
    return given


def check_host(config: Config) -> None:
    """Raises BadInput for a Host header that is missing or names no host, and Forbidden for a name
    that this server does not answer to.
    """
    asked = asked_host()
    if not asked and request.environ.get("SERVER_PROTOCOL", "HTTP/1.0") == "HTTP/1.0":
        return
    found = _HOST.fullmatch(asked)
    if found is None or not 0 < int(found["port"] or 80) < 1 << 16:
        raise BadInput("The Host header must name one host")
    target = _TARGET.match(request.environ.get("RAW_URI", ""))
    if target is not None and target["host"].lower() != asked.lower():
        raise BadInput("The address and the Host header name different hosts")
    host = _name(asked)
    if not is_loopback(host) and not _is_named(host, config):
        raise Forbidden(
            "This server does not answer to this name; ALLOWED_HOSTS names those it does"
        )


def _is_named(host: str, config: Config) -> bool:
    """Where nothing is named, a token or a public address to listen on lets all names in."""
    named = {_name(entry) for entry in config.named_hosts}
    if not named:
        local = all(is_loopback(listening) for listening, _ in config.addresses)
        if config.guarded or not local:
            return True
    named |= {_name(origin.partition("://")[2]) for origin in config.allowed_origins}
    return host in named or "*" in named or "*" in config.allowed_origins


def _name(netloc: str) -> str:
    """The name or address in ``host:port`` or ``[address]:port``."""
    if netloc.startswith("["):
        return netloc[1:].partition("]")[0].lower()
    return netloc.partition(":")[0].lower().removesuffix(".")
