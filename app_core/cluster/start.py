"""``app.py cluster``: the cluster is brought up, or joined, and a web tier stands before it."""

from __future__ import annotations

import json
import logging
import os
import secrets
import select
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from app_core.config import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app_core.config import Config

logger = logging.getLogger("soyle")

_KEEPER = [sys.executable, "-m", "app_core.cluster.keeper"]
COMES_UP_S = 900.0
"""For a Ray of its own and all replicas, which may have kernels to compile and weights to load.
Whoever runs a Ray that is joined knows how long its machines take."""
ENDS_S = 60.0
"""For what runs to end, and for Ray."""


class Cluster(NamedTuple):
    address: str
    """Of Ray, host:port."""
    secret: str
    """What the replicas know a web tier by."""
    keeper: int
    """The process that keeps it up, by its id."""


class NoCluster(Exception):
    """It does not come up."""


def deploy() -> int:
    """Replicas with the settings of now, in place of those that run. The exit status."""
    return subprocess.run([*_KEEPER, "deploy"], cwd=ROOT, stdin=subprocess.DEVNULL).returncode


def guard(config: Config) -> None:
    """A Ray that is started here lets in nobody but this process and those that it starts. Of one
    that runs already RAY_AUTH_MODE and RAY_AUTH_TOKEN are Ray's own settings."""
    if not config.ray_address and "RAY_AUTH_MODE" not in os.environ:
        os.environ |= {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}


@contextmanager
def kept(config: Config, *arguments: str) -> Iterator[Cluster]:
    """While the ``with`` block runs; ``web``: others bring the replicas up. Raises NoCluster."""
    keeper = subprocess.Popen(
        [*_KEEPER, *arguments],
        cwd=ROOT,
        env=os.environ | {"RAY_COLOR_PREFIX": "0"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert keeper.stdin is not None
    assert keeper.stdout is not None
    try:
        patience_s = None if arguments or config.ray_address else COMES_UP_S
        ready, _, _ = select.select([keeper.stdout], [], [], patience_s)
        if not ready:
            raise NoCluster(f"the cluster does not come up within {COMES_UP_S:.0f} s")
        line = keeper.stdout.readline()
        if not line:
            raise NoCluster(f"the cluster does not come up: status {keeper.wait(ENDS_S)}")
        yield Cluster(**json.loads(line), keeper=keeper.pid)
    finally:
        keeper.stdin.close()
        try:
            keeper.wait(ENDS_S)
        except subprocess.TimeoutExpired:
            logger.error("the cluster does not end in time, and is cut")
            keeper.kill()
            keeper.wait()
        keeper.stdout.close()
