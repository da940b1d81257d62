"""The settings of sessions and of WebRTC: how many, how long, which ports and servers."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated

from pydantic import BaseModel, Field, field_validator, model_validator

LEAST_PORTS = 2
_SERVER = re.compile(
    r"(?:stun|turns?):(?:\[[0-9A-Fa-f:.]+\]|[\w.-]+)(?::(?P<port>\d{1,5}))?"
    r"(?:\?transport=(?:udp|tcp))?"
)


class LiveSettings(BaseModel):
    max_sessions: Annotated[int, Field(ge=1, le=1024)] = Field(
        64, description="Sessions at once, count; measured capacity may refuse earlier"
    )
    session_grace_s: Annotated[float, Field(gt=0)] = Field(
        30.0, description="A session that nobody watches ends after this long, seconds"
    )
    session_idle_s: Annotated[float, Field(gt=0)] = Field(
        900.0, description="A session that is told nothing ends after this long, seconds"
    )
    session_queue: Annotated[int, Field(ge=1, le=1024)] = Field(
        32, description="Utterances of one session that may wait to be said, count"
    )
    webrtc_ports: str = Field(
        "",
        description="UDP ports for WebRTC, first-last, two for each peer at most; empty: any that"
        " is free",
    )
    webrtc_public_address: str = Field(
        "",
        description="Address that browsers reach this machine by, where a router forwards the UDP"
        " ports of it one to one; empty: its own",
    )
    webrtc_min_kbps: Annotated[int, Field(ge=0, le=100_000)] = Field(
        0, description="Least rate of a WebRTC picture of full size, kbit/s; 0: by its size"
    )
    webrtc_max_kbps: Annotated[int, Field(ge=0, le=100_000)] = Field(
        0, description="Highest rate of a WebRTC picture, kbit/s; 0: by its size"
    )
    ice_servers: str = Field(
        "",
        description="STUN and TURN servers of this server and its pages, stun:host:port,"
        " turn:host:port?transport=udp, turns:host:port, separated by commas; empty: none",
    )
    turn_user: str = Field("", description="Name for the TURN servers")
    turn_password: str = Field("", repr=False, description="Password for the TURN servers")
    turn_secret: str = Field(
        "",
        repr=False,
        description="Secret shared with the TURN servers, in place of a password: each client gets"
        " a password of its own for six hours (coturn: use-auth-secret); empty: none",
    )

    @field_validator("webrtc_ports")
    @classmethod
    def _range(cls, value: str) -> str:
        value = value.strip()
        if not value:
            return value
        first, dash, last = value.partition("-")
        if not dash or not all(end.isascii() and end.isdigit() for end in (first, last)):
            raise ValueError("must be first-last, as 50000-50100")
        if not 1024 <= int(first) <= int(last) - LEAST_PORTS + 1 <= 65536 - LEAST_PORTS:
            raise ValueError(f"must be {LEAST_PORTS} ports or more of 1024-65535")
        return value

    @field_validator("webrtc_public_address")
    @classmethod
    def _address(cls, value: str) -> str:
        return str(ipaddress.ip_address(value.strip())) if value.strip() else ""

    @field_validator("ice_servers")
    @classmethod
    def _known_schemes(cls, value: str) -> str:
        urls = [url.strip() for url in value.split(",")] if value.strip() else []
        for url in urls:
            found = _SERVER.fullmatch(url)
            if found is None or not 0 < int(found["port"] or 1) < 1 << 16:
                raise ValueError(
                    f"'{url}' is not stun:host:port, turn:host:port or turns:host:port"
                )
        return ",".join(urls)

    @model_validator(mode="after")
    def _fitting(self) -> LiveSettings:
        if self.webrtc_max_kbps and self.webrtc_min_kbps > self.webrtc_max_kbps:
            raise ValueError("WEBRTC_MIN_KBPS is above WEBRTC_MAX_KBPS")
        relays = any(url.startswith("turn") for url in self.ice_urls)
        if relays and not (self.turn_secret or (self.turn_user and self.turn_password)):
            raise ValueError(
                "a TURN server in ICE_SERVERS needs TURN_SECRET, or TURN_USER and TURN_PASSWORD"
            )
        if self.turn_secret and self.turn_password:
            raise ValueError(
                "TURN_SECRET makes the passwords: TURN_PASSWORD is of no use beside it"
            )
        return self

    @property
    def webrtc_port_range(self) -> range | None:
        if not self.webrtc_ports:
            return None
        first, _, last = self.webrtc_ports.partition("-")
        return range(int(first), int(last) + 1)

    @property
    def ice_urls(self) -> tuple[str, ...]:
        return tuple(self.ice_servers.split(",")) if self.ice_servers else ()

    @property
    def most_sockets(self) -> int:
        return 2 * self.max_sessions  # each holds a thread of the server for its life

    @property
    def most_peers(self) -> int:
        return 4 * self.max_sessions
