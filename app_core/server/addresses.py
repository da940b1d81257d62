"""Which addresses a server can listen on."""

from __future__ import annotations

import logging
import socket

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
