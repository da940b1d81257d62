"""Where compiled kernels are kept."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app_core import kernels
from app_core.config import ROOT


def test_the_cache_follows_every_source_of_kernels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "one.py").write_text("from app_core.kernels import kernel\n")
    (tmp_path / "other.py").write_text("x = 1\n")
    monkeypatch.setattr(kernels, "_PACKAGE", tmp_path)
    first = kernels._cache()
    (tmp_path / "other.py").write_text("x = 2\n")
    assert kernels._cache() == first
    (tmp_path / "one.py").write_text("from app_core.kernels import kernel  # more\n")
    second = kernels._cache()
    assert second is not None and second != first
    assert second.is_dir()
    assert first is not None and not first.exists(), "older kernels are thrown away"


def test_a_first_start_knows_that_it_compiles(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernels, "_FOLDER", tmp_path)
    assert not kernels.compiled()
    (tmp_path / "warp_1234").mkdir()
    (tmp_path / "warp_1234" / "warp.drawn-31.py311.nbi").touch()
    assert kernels.compiled()
    monkeypatch.setattr(kernels, "_FOLDER", None)
    assert not kernels.compiled()


def test_without_a_folder_kernels_still_run(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    program = (
        "from pathlib import Path\n"
        "import pathlib\n"
        "real = Path.mkdir\n"
        "def refuse(self, *a, **k):\n"
        "    raise PermissionError(13, 'read-only', str(self))\n"
        "Path.mkdir = refuse\n"
        "from app_core import kernels\n"
        "assert kernels._FOLDER is None\n"
        "twice = kernels.kernel(lambda x: x * 2)\n"
        "assert twice(4) == 8\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={k: v for k, v in os.environ.items() if k != "NUMBA_CACHE_DIR"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "compiles them anew" in done.stderr


def test_a_user_without_a_home_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a container: no HOME, and a uid that passwd does not know."""
    import pwd

    def unknown(uid: int) -> None:
        raise KeyError(uid)

    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    assert list(kernels._folders()) == [kernels._PACKAGE / "__pycache__"]
    from app_core.face.alignment_finder import has_alignment, hub_folder

    assert not hub_folder().exists()
    assert not has_alignment()
