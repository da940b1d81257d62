"""Where a speech server is asked: only what the settings say, never what a client names."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote, urlsplit

Form = Literal["openai", "plain"]

_SPEECH = "/audio/speech"
_VERSION = re.compile(r"/v\d+$")
_SAFE = "/%:@!$&'()*+,;=~-._?"


@dataclass(frozen=True, slots=True)
class Address:
    host: str
    """A name or an address, without brackets."""
    port: int
    target: str
    """Path and query, as the first line of a request has them."""
    secure: bool

    @property
    def authority(self) -> str:
        """For the Host header: the port only where it is not the scheme's own."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        own = 443 if self.secure else 80
        return name if self.port == own else f"{name}:{self.port}"


def address(url: str, form: Form) -> Address:
    """``url`` may end before ``/v1``, after it, or be whole where the form is ``openai``; in the
    plain form it is whole. Raises ValueError for what is no http or https address.
    """
    parts = urlsplit(url.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("is not an http or https address")
    path = parts.path
    if form == "openai":
        path = path.rstrip("/")
        if not path.endswith(_SPEECH):
            path += _SPEECH if _VERSION.search(path) else f"/v1{_SPEECH}"
    target = quote(path or "/", _SAFE) + (f"?{quote(parts.query, _SAFE)}" if parts.query else "")
    secure = parts.scheme == "https"
    host = parts.hostname.encode("idna").decode() if not parts.hostname.isascii() else None
    return Address(host or parts.hostname, parts.port or (443 if secure else 80), target, secure)
