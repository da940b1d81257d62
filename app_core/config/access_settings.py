"""The settings of who may call, by which names, and through which proxies."""

from __future__ import annotations

import ipaddress
from pathlib import Path

from pydantic import BaseModel, Field


def is_loopback(host: str) -> bool:
    """A name or address of this machine alone."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class AccessSettings(BaseModel):
    api_token: str = Field("", description="Bearer token that every request needs; empty: none")
    api_token_file: Path | None = Field(
        None,
        description="File of more bearer tokens, a line `name token` for each client, read again"
        " when it changes; empty: none",
    )
    cors_origins: str = Field(
        "", description="Other origins whose pages may call, separated by commas"
    )
    allowed_hosts: str = Field(
        "",
        description="Names beside localhost that this server answers to, separated by commas;"
        " *: any; empty: any if it has a token or listens beyond this machine",
    )
    trusted_proxies: str = Field(
        "",
        description="Addresses or networks of proxies whose X-Forwarded-For, -Proto, -Host and"
        " -Prefix are believed, separated by commas; empty: none",
    )

    @property
    def allowed_origins(self) -> frozenset[str]:
        return frozenset(o.strip() for o in self.cors_origins.split(",") if o.strip())

    @property
    def named_hosts(self) -> frozenset[str]:
        return frozenset(h.strip() for h in self.allowed_hosts.split(",") if h.strip())
