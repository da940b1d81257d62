"""The processor time that this process may use, and who uses it: Linux's files, read.

A control group with a quota is a machine of its own: what other groups do on the host is none of
our cores, and what our own group does beside us is. Without one, the processors that we are bound
to count.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_V1_QUOTA = "cpu.cfs_quota_us"
_V1_PERIOD = "cpu.cfs_period_us"
_MOUNTS = Path("sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class Usage:
    """Since some fixed moment."""

    busy_s: float | None
    """Processor seconds that all programs, this one too, took of our cores; None where unknown."""
    throttled: int
    """Periods in which the control group was stopped at its quota."""


@dataclass(frozen=True, slots=True)
class _Group:
    """A control group with a quota."""

    cores: float
    folder: Path
    usage: Path
    """Of version 1 a file of nanoseconds, of version 2 ``cpu.stat``."""


class Cores:
    """``root``, ``cpus`` and ``nice`` (default: those of this process) can be given by tests."""

    def __init__(
        self,
        root: Path = Path("/"),
        cpus: frozenset[int] | None = None,
        nice: int | None = None,
    ) -> None:
        self._root = root
        self._niced = (niceness() if nice is None else nice) > 0
        self._cpus = affinity() if cpus is None else cpus
        groups = [*_groups_v2(root), *_groups_v1(root)]
        group = min(groups, key=lambda group: group.cores, default=None)
        bound = group is not None and group.cores < len(self._cpus)
        self._group = group if bound else None
        self.count = group.cores if group is not None and bound else float(len(self._cpus))

    def usage(self) -> Usage:
        if self._group is None:
            return Usage(self._processors_s(), 0)
        stat = _fields(self._group.folder / "cpu.stat")
        if self._group.usage.name == "cpu.stat":
            micros = stat.get("usage_usec")
            return Usage(None if micros is None else micros / 1e6, stat.get("nr_throttled", 0))
        nanos = _number(self._group.usage)
        return Usage(None if nanos is None else nanos / 1e9, stat.get("nr_throttled", 0))

    def _processors_s(self) -> float | None:
        """Of those we are bound to. Niced work is left out where ours is not: it gives way."""
        ticks, found = 0, False
        for line in _lines(self._root / "proc/stat"):
            name, *fields = line.split()
            if not (name.startswith("cpu") and name[3:].isdigit() and int(name[3:]) in self._cpus):
                continue
            try:
                user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, fields[:8])
            except ValueError:
                return None
            user += nice if self._niced else 0
            ticks, found = ticks + user + system + irq + softirq + steal, True
        return ticks / os.sysconf("SC_CLK_TCK") if found else None


def niceness() -> int:
    """Of this process: 0, or more for one that gives way to others."""
    return os.getpriority(os.PRIO_PROCESS, 0) if hasattr(os, "getpriority") else 0


def affinity() -> frozenset[int]:
    """The processors that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return frozenset(os.sched_getaffinity(0))
    return frozenset(range(os.cpu_count() or 1))


def core_count() -> float:
    """Cores that this process may use: its processors, or the quota of its control groups."""
    return Cores().count


def _groups_v2(root: Path) -> list[_Group]:
    """Those of our ancestors, and our own, that have a quota."""
    own = _own_paths(root).get("")
    if own is None:
        return []
    mount = root / _MOUNTS
    if (mount / "unified").is_dir():
        mount /= "unified"
    found = []
    for folder in _upwards(mount, own):
        quota, _, period = " ".join(_lines(folder / "cpu.max")).partition(" ")
        if quota.isdigit() and period.isdigit() and int(period):
            found.append(_Group(int(quota) / int(period), folder, folder / "cpu.stat"))
    return found


def _groups_v1(root: Path) -> list[_Group]:
    own = _own_paths(root)
    mount, accounts = (_mount(root, own, name) for name in ("cpu", "cpuacct"))
    if mount is None:
        return []
    found = []
    for folder in _upwards(mount, own["cpu"]):
        quota, period = _number(folder / _V1_QUOTA), _number(folder / _V1_PERIOD)
        if quota is not None and quota > 0 and period:
            within = folder.relative_to(mount)
            usage = (accounts or mount) / within / "cpuacct.usage"
            found.append(_Group(quota / period, folder, usage))
    return found


def _own_paths(root: Path) -> dict[str, str]:
    """Our control group by controller; version 2 has no name."""
    found: dict[str, str] = {}
    for line in _lines(root / "proc/self/cgroup"):
        _, controllers, path = line.split(":", 2)
        found |= dict.fromkeys(controllers.split(","), path)
    return found


def _mount(root: Path, own: dict[str, str], controller: str) -> Path | None:
    """Where a controller of version 1 is mounted: alone, or with those that it shares it with."""
    if controller not in own:
        return None
    names = [controller, "cpu,cpuacct", "cpuacct,cpu"]
    return next((p for p in (root / _MOUNTS / name for name in names) if p.is_dir()), None)


def _upwards(mount: Path, path: str) -> list[Path]:
    """Our group and its ancestors as far as they can be seen. Inside a container the mount is
    often the container's own group, whatever path the host has for it.
    """
    parts = [part for part in path.split("/") if part]
    if ".." in parts or not mount.joinpath(*parts).is_dir():
        return [mount]
    return [mount.joinpath(*parts[:count]) for count in range(len(parts), -1, -1)]


def _fields(path: Path) -> dict[str, int]:
    found = {}
    for line in _lines(path):
        name, _, value = line.partition(" ")
        if value.isdigit():
            found[name] = int(value)
    return found


def _number(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except (OSError, UnicodeDecodeError):
        return []
