"""How much, how many and how long: what a client may cost."""

from __future__ import annotations

import resource
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app_core.config import Config
    from app_core.config.access_settings import Network

MOST_DESCRIPTORS = 1 << 16
SPARE_THREADS = 16
"""Threads beyond those of renders and sockets: pages, health, and saying that the server is
full."""


@dataclass(frozen=True)
class Limits:
    """Seconds, bytes and counts. ``threads`` are all; the last ``spare_threads`` of them answer
    the ``always`` paths alone."""

    threads: int
    spare_threads: int = 8
    uploads: int = 8
    """Bodies that are received by a thread at once."""
    connections: int = 4096
    lingering: int = 512
    """Connections that are answered and wait for the client's end."""
    always: tuple[str, ...] = ("/api/health/live",)
    paced_rate: float = 0.0
    """Requests a second of one address; 0: as fast as they come."""
    paced_burst: int = 60
    """Requests that a page makes of its own, and some."""
    paced: int = 256
    """Requests that wait for their turn."""
    unpaced: tuple[Network, ...] = ()
    """Addresses that speak for many clients."""

    head_s: float = 10.0
    """For a whole head from the connection or its first byte, and for silence inside a body."""
    idle_s: float = 15.0
    """Between two requests."""
    send_s: float = 10.0
    """A client that takes nothing for this long is gone."""
    linger_s: float = 2.0
    longest_linger_s: float = 10.0
    """As long as a client goes on sending a body that nobody wants."""

    line_bytes: int = 1 << 16
    """Of a request line: 5000 letters take up to 60,000."""
    fields_bytes: int = 1 << 16
    """Of all header fields together."""
    json_bytes: int = 1 << 20
    """Of a body that is no form, as its view will say."""
    body_bytes: int = json_bytes + (1 << 16)
    """Of a body that is received before a thread is spent, with the sizes of its chunks."""
    bodies_bytes: int = 64 << 20
    """Of all such bodies that are on their way."""
    answers_bytes: int = 256 << 20
    """Of all answers that lie in memory until their clients take them."""
    drained_bytes: int = 16 << 20
    """Read and thrown away after an answer, so that the client is there to read it."""

    slowest_body: int = 64 << 10
    """Bytes a second."""
    slowest_answer: int = 16 << 10
    """Bytes a second."""

    def body_time_s(self, size: int) -> float:
        """For a whole body of ``size`` bytes."""
        return self.head_s + size / self.slowest_body

    def upload_time_s(self, size: int) -> float:
        """For the first ``size`` bytes of a body that a thread receives."""
        return 4 * self.send_s + size / self.slowest_body

    def answer_time_s(self, size: int) -> float:
        """For a whole answer of ``size`` bytes."""
        return 3 * self.send_s + size / self.slowest_answer


def threads_for(config: Config) -> int:
    """Three for each render. Each socket of a session holds one for its life, so theirs come on
    top: sockets that are all taken leave as many to plain requests as before."""
    return 3 * config.max_jobs + config.most_sockets + SPARE_THREADS


def raise_descriptors(most: int = MOST_DESCRIPTORS) -> int:
    """Lets this process open as many files as the system grants, ``most`` at most. How many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = most if hard == resource.RLIM_INFINITY else min(hard, most)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        return wanted
    return most if soft == resource.RLIM_INFINITY else soft


def connections_below(descriptors: int, most: int) -> int:
    """How many connections leave room for the files, pipes and children of their requests."""
    return max(16, min(most, descriptors - max(64, min(512, descriptors // 2))))
