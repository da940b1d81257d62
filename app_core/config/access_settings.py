"""The settings of who may call, by which names, and through which proxies."""

from __future__ import annotations

import ipaddress
from pathlib import Path

from pydantic import BaseModel, Field, field_validator

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


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
        description="File of more bearer tokens, a line `name token` for each client, # before a"
        " remark, or one token alone; read again when it changes; empty: none",
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

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: str) -> str:
        for entry in _entries(value):
            try:
                ipaddress.ip_network(entry)
            except ValueError as error:
                raise ValueError(f"must be addresses and networks: {error}") from None
        return value

    @property
    def proxy_networks(self) -> tuple[Network, ...]:
        """One of a single address for each address."""
        return tuple(ipaddress.ip_network(entry) for entry in _entries(self.trusted_proxies))

    @property
    def guarded(self) -> bool:
        """Whether requests need a token."""
        return bool(self.api_token) or self.api_token_file is not None

    @property
    def allowed_origins(self) -> frozenset[str]:
        return frozenset(_entries(self.cors_origins))

    @property
    def named_hosts(self) -> frozenset[str]:
        return frozenset(_entries(self.allowed_hosts))


def _entries(value: str) -> list[str]:
    return [entry.strip() for entry in value.split(",") if entry.strip()]
