from __future__ import annotations

import numpy as np
import pytest

from app_core.config import ROOT
from app_core.lipsync.wav2lip.dimensions import COLUMNS
from app_core.lipsync.wav2lip.features import FRAME, MelWindows
from app_core.lipsync.wav2lip.mel import COLUMNS_A_SECOND, HOP, SAMPLE_RATE, SILENCE, MelStream, mel
from app_core.types import Float32, Speech, frame_count

GOLDEN = ROOT / "tests" / "data" / "mel_librosa.npz"


def published_windows(mel: Float32, fps: float) -> Float32:
    """The windows (n, 80, 16) that the published inference makes of (columns, 80), for comparison.

    The last ones are one window, the sound's last 0.2 s, so the pictures end before the sound.
    """
    starts: list[int] = []
    while (start := int(len(starts) * COLUMNS_A_SECOND / fps)) + COLUMNS <= len(mel):
        starts.append(start)
    starts.append(len(mel) - COLUMNS)
    return np.stack([mel[start : start + COLUMNS].T for start in starts])


def sweep() -> np.ndarray:
    """A rising tone with noise, and 75 ms of digital silence in it."""
    random = np.random.default_rng(7)
    t = np.arange(9000) / SAMPLE_RATE
    tone = 0.4 * np.sin(2 * np.pi * (120 * t + 1500 * t**2))
    pcm = (tone + 0.02 * random.standard_normal(9000)).astype(np.float32)
    pcm[3000:4200] = 0
    return pcm


def windows(pcm: np.ndarray, rate: int, fps: int, cuts: tuple[int, ...] = (), **more: float):  # type: ignore[no-untyped-def]
    stream = MelWindows(fps, **more)
    edges = [0, *cuts, len(pcm)]
    pieces = [
        stream.push(Speech(n, "", pcm[a:b], rate, None))
        for n, (a, b) in enumerate(zip(edges, edges[1:], strict=False))
    ]
    return np.concatenate([*pieces, stream.finish()])


def test_columns_are_those_of_librosa() -> None:
    """0.11, reflecting: melspectrogram of the magnitude by hand, as the published code does."""
    found, expected = mel(sweep()), np.load(GOLDEN)["mel"]
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("size", [1, 77, 399, 801, 5000])
def test_pieces_give_the_columns_of_the_whole(size: int) -> None:
    pcm, stream = sweep(), MelStream()
    parts = [stream.push(pcm[at : at + size]) for at in range(0, len(pcm), size)]
    np.testing.assert_array_equal(np.concatenate([*parts, stream.finish()]), mel(pcm))


@pytest.mark.parametrize("samples", [1, 199, 200, 400, 401, 402, 800, 3000])
def test_there_is_a_column_every_200_samples(samples: int) -> None:
    assert len(mel(sweep()[:samples])) == 1 + samples // HOP


def test_silence_is_the_least_there_is_and_no_sound_no_column() -> None:
    assert (mel(np.zeros(4000, np.float32)) == SILENCE).all()
    assert len(mel(np.zeros(0, np.float32))) == 0


@pytest.mark.parametrize("rate", [16000, 22050, 48000])
@pytest.mark.parametrize("fps", [24, 25, 30, 60])
def test_every_frame_of_the_sound_has_a_window(rate: int, fps: int) -> None:
    pcm = np.resize(sweep(), rate // 3 + 11)
    assert len(windows(pcm, rate, fps)) == frame_count(len(pcm), rate, fps)


@pytest.mark.parametrize("rate", [16000, 22050])
def test_windows_do_not_depend_on_the_pieces(rate: int) -> None:
    pcm = np.resize(sweep(), 3 * rate // 2)
    whole, cut = windows(pcm, rate, 25), windows(pcm, rate, 25, cuts=(5, 700, 9001, 20000))
    np.testing.assert_allclose(cut["mel"], whole["mel"], atol=2e-3)
    np.testing.assert_array_equal(cut["voice"], whole["voice"])


def test_windows_are_the_published_ones_until_those_end() -> None:
    pcm = np.resize(sweep(), 2 * SAMPLE_RATE)
    ours, published = windows(pcm, SAMPLE_RATE, 25)["mel"], published_windows(mel(pcm), 25)
    assert (len(published), len(ours)) == (47, 50)
    np.testing.assert_array_equal(ours[:46], published[:46])
    assert (ours[-1][:, 5:] == SILENCE).all()  # it starts at column 156, the last of 161 is 160


def test_an_offset_makes_mouths_come_later() -> None:
    pcm = np.resize(sweep(), SAMPLE_RATE)
    usual, later = windows(pcm, SAMPLE_RATE, 25), windows(pcm, SAMPLE_RATE, 25, offset=5.0)
    np.testing.assert_array_equal(later["mel"][5:], usual["mel"][: len(usual) - 5])
    assert (later["mel"][0][:, :COLUMNS] == SILENCE).all()
    assert len(later) == len(usual)


def test_windows_come_as_soon_as_their_sound_is_there() -> None:
    stream = MelWindows(25)
    settled = stream.push(Speech(0, "", np.resize(sweep(), SAMPLE_RATE), SAMPLE_RATE, None))
    assert len(settled) == 25 - 5  # the window of frame 19 ends 0.18 s after the frame


def test_the_voice_of_a_frame_follows_the_sound() -> None:
    pcm = np.concatenate([sweep(), np.zeros(SAMPLE_RATE, np.float32), sweep()])
    voice = windows(pcm, SAMPLE_RATE, 25)["voice"]
    assert voice.min() == 0 and voice.max() == 1
    assert voice[17:32].max() == 0  # 0.68 s .. 1.28 s: nothing within the 0.2 s of each
    steps = np.abs(np.diff(voice))
    assert steps.max() <= 0.5


def test_no_sound_gives_no_window_and_rates_do_not_mix() -> None:
    stream = MelWindows(25)
    assert stream.finish().shape == (0,) and stream.finish().dtype == FRAME
    stream.push(Speech(0, "", np.zeros(100, np.float32), 16000, None))
    with pytest.raises(ValueError, match="22050 Hz in a job of 16000 Hz"):
        stream.push(Speech(1, "", np.zeros(100, np.float32), 22050, None))
