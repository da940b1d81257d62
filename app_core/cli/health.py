"""Whether the server of these settings answers, for whatever watches it: no curl is needed."""

from __future__ import annotations

import http.client
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app_core.config import Config

PATH = "/api/health/live"
PATIENCE_S = 3.0
EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}
"""Where a server that listens on all addresses is asked."""


def command(config: Config) -> int:
    """0 where the first address that is listened on answers; else 1, and says what happens."""
    host, port = config.addresses[0]
    connection = http.client.HTTPConnection(EVERYWHERE.get(host, host), port, timeout=PATIENCE_S)
    try:
        connection.request("GET", PATH, headers={"Host": "localhost"})
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        sys.stdout.write(f"nobody answers on {host}:{port}: {error}\n")
        return 1
    finally:
        connection.close()
    sys.stdout.write(f"{host}:{port} answers {status}\n")
    return 0 if status == http.client.OK else 1
