"""Which threads have ended or do not move, and for how long."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from app_core.threads import Pulse

LONGEST_STEP_S = 2.0
"""Counted between two looks at the most: when the whole process stood still, nobody was stuck."""


class Trouble(NamedTuple):
    pulse: Pulse
    silent_s: float
    dead: bool

    def __str__(self) -> str:
        if self.dead:
            return f"the thread '{self.pulse.name}' has ended by itself"
        doing = f" ({self.pulse.doing})" if self.pulse.doing else ""
        return f"the thread '{self.pulse.name}' has not moved for {self.silent_s:.0f} s{doing}"


@dataclass(slots=True)
class _Seen:
    beats: int
    silent_s: float = 0.0
    told: bool = False


class Stillness:
    """Looked at by one thread. One that was found stuck stays watched until it moves or ends, also
    when nobody names it any more."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._looked_s = clock, clock()
        self._seen: dict[Pulse, _Seen] = {}
        self.troubles: tuple[Trouble, ...] = ()

    def look(self, pulses: Iterable[Pulse]) -> tuple[list[Trouble], list[Pulse]]:
        """Those that are in trouble since this look, and those that were and are not any more."""
        now = self._clock()
        step_s, self._looked_s = min(now - self._looked_s, LONGEST_STEP_S), now
        named = dict.fromkeys(pulses)
        before = {trouble.pulse for trouble in self.troubles}
        for pulse in before:
            if pulse.lives:
                named.setdefault(pulse)
        self._seen = {p: self._seen.get(p) or _Seen(p.beats) for p in named}
        found = [t for pulse, seen in self._seen.items() if (t := _trouble(pulse, seen, step_s))]
        self.troubles = tuple(found)
        new = [trouble for trouble in found if not self._seen[trouble.pulse].told]
        for trouble in new:
            self._seen[trouble.pulse].told = True
        well = before - {trouble.pulse for trouble in found}
        return new, [pulse for pulse in well if pulse in named]


def _trouble(pulse: Pulse, seen: _Seen, step_s: float) -> Trouble | None:
    if pulse.dead:
        return Trouble(pulse, seen.silent_s, dead=True)
    moved = pulse.beats != seen.beats or not pulse.doing
    seen.silent_s = 0.0 if moved else seen.silent_s + step_s
    seen.beats = pulse.beats
    if seen.silent_s > pulse.allowed_s:
        return Trouble(pulse, seen.silent_s, dead=False)
    seen.told = False
    return None
