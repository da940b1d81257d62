"""Clients that take up room and give nothing, in a process of their own.

Each kind is a function in ``holding`` (connections that are held), ``flooding`` (requests and
messages without end) or ``pretending`` (viewers that are none). It takes a ``Target`` and yields
once, with the local ports of what it holds, when all have asked; the process holds on for HOLD_S
and then ends, whatever is still open.

python -m benchmarks.attackers KIND COUNT HOLD_S HOST PORT [PATH]
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import TYPE_CHECKING, NamedTuple

from benchmarks import flooding, holding, pretending
from benchmarks.target import NoRoom, Target

if TYPE_CHECKING:
    from collections.abc import Callable


NO_ROOM = 75
"""The status of an attack for which the server never had room."""


class Kind(NamedTuple):
    attack: Callable[[Target], list[int]]
    clients: int
    gone_s: float | None
    """Within so many seconds the server holds none of its connections; None: it may hold them."""


KINDS = {
    "nobody": Kind(lambda target: [], 0, None),
    "closers": Kind(holding.closers, 60, 15),
    "half heads": Kind(holding.half_heads, 160, 15),
    "no body": Kind(holding.no_body, 160, 15),
    "downloads": Kind(holding.downloads, 156, 25),
    "silent": Kind(holding.silent, 500, 15),
    "descriptors": Kind(holding.silent, 1500, 15),
    "half upgrades": Kind(holding.half_upgrades, 160, 15),
    "half whep": Kind(holding.half_whep, 160, 15),
    "sockets that do not read": Kind(holding.deaf_sockets, 24, 25),
    "sockets without pongs": Kind(holding.pongless_sockets, 24, 30),
    "sockets that stay": Kind(holding.staying_sockets, 24, 20),
    "listeners that do not read": Kind(holding.deaf_listeners, 60, 50),
    "sound that trickles": Kind(holding.trickling_sockets, 8, None),
    "flood of text": Kind(flooding.text_messages, 4, 30),
    "flood of bytes": Kind(flooding.binary_messages, 4, 30),
    "flood of pings": Kind(flooding.pings, 4, 30),
    "flood of listeners": Kind(flooding.talking_listeners, 8, 15),
    "flood of sessions": Kind(flooding.sessions, 4, None),
    "flood of pages": Kind(flooding.pages, 8, None),
    "flood of films": Kind(flooding.films, 4, None),
    "flood of bad texts": Kind(flooding.bad_texts, 5, None),
    "crowd of texts": Kind(flooding.texts, 20, None),
    "crowd of large bodies": Kind(flooding.large_bodies, 20, None),
    "offers without peers": Kind(flooding.offers, 2, None),
    "whep without peers": Kind(flooding.whep, 2, None),
    "flood of patches": Kind(flooding.patches, 4, None),
    "peers that stop": Kind(pretending.stopping_peers, 3, None),
}


def main() -> None:
    name, count, hold_s, host, port, *path = sys.argv[1:]
    end_s = time.monotonic() + float(hold_s)
    target = Target((host, int(port)), int(count), end_s, path[0] if path else "/")
    try:
        ports = KINDS[name].attack(target)
    except NoRoom as error:
        sys.stderr.write(f"{name}: {error}\n")
        sys.exit(NO_ROOM)
    sys.stdout.write(json.dumps(ports) + "\n")
    sys.stdout.flush()
    time.sleep(max(0.0, end_s - time.monotonic()))
    for job in target.jobs:
        target.ask("DELETE", f"/api/jobs/{job}")
    os._exit(0)  # without a goodbye


if __name__ == "__main__":
    main()
