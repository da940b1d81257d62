from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from app_core.media.ingest.tonemap import SIDE, sdr, write_table

# Linear light of BT.709 primaries in those of BT.2020 (ITU-R BT.2087, M1).
_TO_2020 = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])
_WHITE, _PEAK = 203.0, 1000.0


def hlg(nits: np.ndarray) -> np.ndarray:
    """BT.2100 table 5, the other way: light of a 1000 cd/m2 display to code."""
    luminance = nits @ [0.2627, 0.6780, 0.0593]
    scene = nits / _PEAK * (luminance / _PEAK) ** ((1 - 1.2) / 1.2)
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    bright = a * np.log(np.maximum(12 * scene - b, 1e-9)) + c
    return np.where(scene <= 1 / 12, np.sqrt(3 * scene), bright)


def pq(nits: np.ndarray) -> np.ndarray:
    """BT.2100 table 4, the other way."""
    m1, m2, c1, c2, c3 = 0.1593017578125, 78.84375, 0.8359375, 18.8515625, 18.6875
    power = (nits / 10_000) ** m1
    return ((c1 + c2 * power) / (1 + c3 * power)) ** m2


@pytest.mark.parametrize("transfer", ["smpte2084", "arib-std-b67"])
@pytest.mark.parametrize("shown", [(160, 120, 100), (100, 100, 100), (40, 70, 170), (150, 20, 20)])
def test_colours_below_the_bend_come_back_as_they_are(
    transfer: str, shown: tuple[int, ...]
) -> None:
    """What an SDR display shows, carried in HDR at the same light, is shown the same again."""
    nits = _TO_2020 @ ((np.array(shown) / 255) ** 2.4 * _WHITE)
    code = pq(nits) if transfer == "smpte2084" else hlg(nits)
    assert sdr(code, transfer) * 255 == pytest.approx(shown, abs=2)


@pytest.mark.parametrize("transfer", ["smpte2084", "arib-std-b67"])
def test_brighter_is_never_darker_nor_is_it_clipped_early(transfer: str) -> None:
    greys = np.linspace(0, 1, 400)[:, None].repeat(3, 1)
    shown = sdr(greys, transfer)[:, 1]
    assert (np.diff(shown) > -1e-6).all() and shown[0] == 0 and shown[-1] > 0.999
    code = (pq if transfer == "smpte2084" else hlg)(np.full((1, 3), _WHITE))
    assert 0.8 < sdr(code, transfer)[0, 1] < 0.93, "room for what shines is left above white"


def test_a_bright_colour_keeps_its_hue() -> None:
    nits = _TO_2020 @ (np.array([0.9, 0.5, 0.3]) * 2 * _WHITE)
    light = sdr(pq(nits), "smpte2084") ** 2.4
    assert light[1] / light[0] == pytest.approx(0.5 / 0.9, abs=0.02)
    assert light[2] / light[0] == pytest.approx(0.3 / 0.9, abs=0.02)


def test_the_table_is_in_ffmpegs_order(tmp_path: Path) -> None:
    write_table(tmp_path / "a.cube", "arib-std-b67")
    lines = (tmp_path / "a.cube").read_text().split("\n")
    assert lines[0] == f"LUT_3D_SIZE {SIDE}" and len(lines) == SIDE**3 + 2
    second = np.array(lines[2].split(), float)
    assert second == pytest.approx(sdr(np.array([1 / (SIDE - 1), 0, 0]), "arib-std-b67"), abs=1e-5)
