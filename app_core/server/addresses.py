"""Which addresses a server can listen on."""

from __future__ import annotations

import logging
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app_core.config import Config

logger = logging.getLogger("soyle")


def free_addresses(addresses: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """Those that can be listened on; a taken one is named."""
    free = []
    for host, port in addresses:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as error:
                logger.warning("cannot listen on %s:%d: %s", host, port, error.strerror)
                continue
        free.append((host, port))
    return free


def listening(config: Config) -> Config | None:
    """On those of its addresses that are free; None, which is told, where there are none."""
    free = free_addresses(config.addresses)
    if not free:
        logger.error("no address is free; set LISTEN=host:port,...")
        return None
    shown = [f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in free]
    return config.model_copy(update={"listen": ",".join(shown)})
