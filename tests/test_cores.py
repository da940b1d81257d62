"""Cores and who uses them, on trees of files as Linux shows them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from app_core import cores
from app_core.cores import Cores, Usage
from app_core.engine.capacity import Capacity
from app_core.lipsync.wav2lip import load

TICKS = os.sysconf("SC_CLK_TCK")
HOST = frozenset(range(64))
Tree = Callable[[dict[str, str]], Path]


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    def write(files: dict[str, str]) -> Path:
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path

    return write


@pytest.fixture(autouse=True)
def first_in_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where these tests are niced."""
    monkeypatch.setattr(cores, "niceness", lambda: 0)


def stat(*busy_s: int) -> str:
    """/proc/stat of as many processors; each one's seconds are its user's and its kernel's."""
    lines = [
        f"cpu{n} {s * TICKS // 2} 777 {s * TICKS // 2} 5 5 0 0 0 0 0" for n, s in enumerate(busy_s)
    ]
    return "\n".join(["cpu  9 9 9 9 9 9 9 9 0 0", *lines, "intr 5 0", "ctxt 7"]) + "\n"


BUSY_HOST = stat(*[1000] * 64)


def test_without_groups_the_processors_count(tree: Tree) -> None:
    root = tree({"proc/stat": stat(10, 20, 40)})
    assert Cores(root, frozenset({0, 1, 2})).count == 3
    assert Cores(root, frozenset({0, 1, 2})).usage() == Usage(70, 0)


def test_only_the_processors_that_we_are_bound_to(tree: Tree) -> None:
    found = Cores(tree({"proc/stat": stat(10, 20, 40, 80)}), frozenset({1, 3}))
    assert found.count == 2
    assert found.usage() == Usage(100, 0)


def test_niced_work_counts_for_those_who_are_niced_too(tree: Tree) -> None:
    root = tree({"proc/stat": stat(10, 20)})
    assert Cores(root, frozenset({0, 1})).usage() == Usage(30, 0)
    assert Cores(root, frozenset({0, 1}), nice=15).usage() == Usage(30 + 2 * 777 / TICKS, 0)


def test_a_group_with_a_quota_is_a_machine_of_its_own(tree: Tree) -> None:
    """As a container sees itself: its group is the root of what it sees."""
    root = tree(
        {
            "proc/stat": BUSY_HOST,
            "proc/self/cgroup": "0::/\n",
            "sys/fs/cgroup/cpu.max": "400000 100000\n",
            "sys/fs/cgroup/cpu.stat": "usage_usec 2500000\nuser_usec 1\nnr_throttled 3\n",
        }
    )
    found = Cores(root, HOST)
    assert found.count == 4
    assert found.usage() == Usage(2.5, 3)


def test_the_tightest_of_all_ancestors_counts(tree: Tree) -> None:
    groups = "sys/fs/cgroup/machine.slice"
    root = tree(
        {
            "proc/stat": BUSY_HOST,
            "proc/self/cgroup": "0::/machine.slice/pod/app\n",
            "sys/fs/cgroup/cpu.stat": "usage_usec 99000000\n",
            f"{groups}/cpu.max": "max 100000\n",
            f"{groups}/pod/cpu.max": "150000 100000\n",
            f"{groups}/pod/cpu.stat": "usage_usec 7000000\nnr_throttled 0\n",
            f"{groups}/pod/app/cpu.max": "300000 100000\n",
            f"{groups}/pod/app/cpu.stat": "usage_usec 1000000\nnr_throttled 8\n",
        }
    )
    found = Cores(root, HOST)
    assert found.count == 1.5
    assert found.usage() == Usage(7, 0), "what the pod's other programs take is taken from us"


@pytest.mark.parametrize("mount", ["cpu,cpuacct", "cpu"])
def test_version_1(tree: Tree, mount: str) -> None:
    group = f"sys/fs/cgroup/{mount}/docker/abc"
    account = group if "acct" in mount else "sys/fs/cgroup/cpuacct/docker/abc"
    root = tree(
        {
            "proc/stat": BUSY_HOST,
            "proc/self/cgroup": "4:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n1:name=x:/y\n",
            f"sys/fs/cgroup/{mount}/cpu.cfs_quota_us": "-1\n",
            f"{group}/cpu.cfs_quota_us": "200000\n",
            f"{group}/cpu.cfs_period_us": "100000\n",
            f"{group}/cpu.stat": "nr_periods 40\nnr_throttled 2\nthrottled_time 900\n",
            f"{account}/cpuacct.usage": "3000000000\n",
        }
    )
    found = Cores(root, HOST)
    assert found.count == 2
    assert found.usage() == Usage(3, 2)


def test_a_path_of_the_host_that_a_container_cannot_see(tree: Tree) -> None:
    root = tree(
        {
            "proc/self/cgroup": "2:cpu,cpuacct:/docker/abc\n0::/../../elsewhere\n",
            "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "50000\n",
            "sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
            "sys/fs/cgroup/cpu,cpuacct/cpuacct.usage": "1500000000\n",
        }
    )
    assert Cores(root, HOST).count == 0.5
    assert Cores(root, HOST).usage() == Usage(1.5, 0)


def test_fewer_processors_than_the_quota_are_what_counts(tree: Tree) -> None:
    root = tree(
        {
            "proc/stat": stat(10, 20),
            "proc/self/cgroup": "0::/\n",
            "sys/fs/cgroup/cpu.max": "400000 100000\n",
            "sys/fs/cgroup/cpu.stat": "usage_usec 5\n",
        }
    )
    found = Cores(root, frozenset({0, 1}))
    assert found.count == 2
    assert found.usage() == Usage(30, 0)


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"proc/stat": "cpu0 x\n", "proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "max\n"},
        {"proc/self/cgroup": "1:cpu:/\n", "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "much\n"},
        {"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/cpu.max": "1 0\n"},
    ],
)
def test_what_cannot_be_read_bounds_nothing(tree: Tree, files: dict[str, str]) -> None:
    found = Cores(tree(files), HOST)
    assert found.count == 64
    assert found.usage() == Usage(None, 0)


def test_a_container_on_a_busy_host_admits_what_fits_its_own_quota(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 0.0
    monkeypatch.setattr("app_core.engine.core_budget.time.monotonic", lambda: now)
    monkeypatch.setattr("app_core.engine.core_budget.time.process_time", lambda: now / 10)
    files = {
        "proc/stat": BUSY_HOST,
        "proc/self/cgroup": "0::/\n",
        "sys/fs/cgroup/cpu.max": "400000 100000\n",
        "sys/fs/cgroup/cpu.stat": "usage_usec 0\nnr_throttled 0\n",
    }
    own = Cores(tree(files), HOST)
    monkeypatch.setattr("app_core.engine.core_budget.Cores", lambda: own)
    capacity = Capacity(share=0.75)
    capacity.calibrate(4.0, 512, 512)
    for second in range(1, 11):
        now = float(second)
        tree(
            {
                "proc/stat": stat(*[1000 + second] * 64),
                "sys/fs/cgroup/cpu.stat": f"usage_usec {second * 600_000}\nnr_throttled 0\n",
            }
        )
        seen = capacity.snapshot()
    assert seen.cores == 4
    assert seen.others == pytest.approx(0.5, abs=0.01), "of our group, beside our own 0.1"
    assert seen.sessions == pytest.approx((0.75 * 4 - 0.5) / 0.1, abs=1)


def test_a_network_gets_the_threads_of_the_quota(monkeypatch: pytest.MonkeyPatch) -> None:
    for count, threads in ((0.5, 1), (1.0, 1), (2.0, 1), (4.0, 3), (5.5, 4)):
        monkeypatch.setattr(load, "core_count", lambda count=count: count)
        assert load._threads() == threads
    assert cores.core_count() >= 0.01
