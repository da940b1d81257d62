"""What came of a simulated run."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field

import numpy as np

FULL = 0.9
"""Of memory, of a network, of the core of a web tier: more than that is broken."""


@dataclass(frozen=True, slots=True)
class Sample:
    """The cluster at a moment; parts are 0..1, refusals and first pictures since the last one."""

    at_s: float
    live: int
    """Sessions and readers."""
    replicas: int
    refused: int
    first_p95_ms: float
    """NaN where nobody came."""
    cores: float
    """Of the machines that are in use."""
    frames: float
    """Of those that the models draw."""
    memory: float
    """Of the machine that has least left."""
    network: float
    """Of such a machine, the mean."""
    web_cores: float
    web_network: float
    """Of each web tier's line; what it relays comes in and goes out over it."""
    ledger: float
    """Of the core of the one process that knows all replicas."""


@dataclass(slots=True)
class Outcome:
    came: int = 0
    served: int = 0
    """To their end."""
    gave_up: int = 0
    refused: int = 0
    """Answers of 503."""
    cut: int = 0
    """Streams and films that died with their replica; their clients came again."""
    deaths: int = 0
    live_s: float = 0.0
    """Of all sessions and readers together, seconds."""
    core_s: float = 0.0
    """That they took."""
    reasons: Counter[str] = field(default_factory=Counter)
    """Of what there was too little, by answers of 503."""
    broke: dict[str, tuple[float, int]] = field(default_factory=dict)
    """What was used up: when first, and how many were live then."""
    first_ms: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """By kind of arrival."""
    samples: list[Sample] = field(default_factory=list)

    def break_at(self, what: str, at_s: float, live: int) -> None:
        self.broke.setdefault(what, (at_s, live))

    def refuse(self, why: str, at_s: float, live: int) -> None:
        self.refused += 1
        self.reasons[why] += 1
        self.break_at(why, at_s, live)

    def note(self, sample: Sample) -> None:
        self.samples.append(sample)
        for what, part in (
            ("memory", sample.memory),
            ("network", sample.network),
            ("web tier's core", sample.web_cores),
            ("web tier's network", sample.web_network),
            ("ledger", sample.ledger),
        ):
            if part > FULL:
                self.break_at(what, sample.at_s, sample.live)

    def percentiles_ms(self, *wanted: float) -> list[float]:
        """Of the first pictures of all."""
        all_ms = [ms for values in self.first_ms.values() for ms in values]
        return [float(each) for each in np.percentile(all_ms, wanted)] if all_ms else []
