"""Of the sound that the network takes, and of the network's arithmetic."""

from __future__ import annotations

import numpy as np
import pytest

from app_core.lipsync.viseme.articulation import TRACKS
from app_core.lipsync.viseme.heard.hearing import Hearing
from app_core.lipsync.viseme.heard.network import (
    DILATIONS,
    TAPS,
    WEIGHTS,
    HearingNetwork,
    weights,
)
from app_core.lipsync.viseme.heard.spectrum import BANDS, HOPS, Spectrum
from app_core.types import Float32


def sine(hz: float, rate: int, level: float = 0.5, seconds: float = 0.6) -> Float32:
    time = np.arange(round(seconds * rate)) / rate
    return (level * np.sin(2 * np.pi * hz * time)).astype(np.float32)


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 44100, 48000])
def test_a_tone_has_its_level_in_its_band_at_any_rate(rate: int) -> None:
    rows = Spectrum(rate).push(sine(1000, rate), silent_rows=0)[5:-5]
    whole = 10 * np.log10((10 ** (rows / 10)).sum(1))
    assert np.abs(whole - 20 * np.log10(0.5 / np.sqrt(2))).max() < 0.3
    assert (rows.argmax(1) == Spectrum(16000).push(sine(1000, 16000)).mean(0).argmax()).all()


def test_a_narrow_line_has_fewer_bands() -> None:
    assert Spectrum(16000).present == Spectrum(48000).present == BANDS
    assert 25 < Spectrum(8000).present < 32


def test_rows_do_not_depend_on_the_cut_and_end_with_the_silence_asked_for() -> None:
    pcm = np.random.default_rng(0).normal(0, 0.1, 12345).astype(np.float32)
    whole = Spectrum(11025).push(pcm, silent_rows=6)
    assert len(whole) == -(-12345 * HOPS // 11025) + 6
    cut = Spectrum(11025)
    parts = [cut.push(part) for part in np.split(pcm, [3, 4, 700, 5000, 5001])]
    assert np.array_equal(whole, np.concatenate([*parts, cut.push(pcm[:0], silent_rows=6)]))
    present = whole[:, : cut.present]
    assert present[-2:].max() < -100 < present[:-9].min()


def speech_like(rows: int) -> Float32:
    random = np.random.default_rng(4)
    return random.normal(-40, 12, (rows, BANDS)).astype(np.float32)


@pytest.mark.parametrize("gain_db", [-12.0, 9.0])
def test_what_is_heard_does_not_depend_on_the_gain(gain_db: float) -> None:
    usual = weights().usual
    levels = speech_like(300)
    plain, loudness = Hearing(usual, BANDS, -100.0).push(levels)
    louder, same = Hearing(usual, BANDS, -100.0).push(levels + np.float32(gain_db))
    assert np.abs(plain - louder).max() < 1e-3 and np.abs(loudness - same).max() < 1e-3
    assert np.ptp(plain) > 2


def test_a_microphone_that_colours_the_sound_is_soon_forgotten() -> None:
    usual = weights().usual
    levels = np.random.default_rng(4).normal(-40, 2, (3000, BANDS)).astype(np.float32)
    colour = np.linspace(-8, 8, BANDS).astype(np.float32)
    plain = Hearing(usual, BANDS, -100.0).push(levels)[0]
    coloured = Hearing(usual, BANDS, -100.0).push(levels + colour)[0]
    spread = np.abs(coloured - plain).mean(1)
    assert spread[:5].min() > 0.3 and spread[-500:].max() < 0.07


def test_missing_bands_are_like_the_mean() -> None:
    heard = Hearing(weights().usual, 28, -100.0).push(speech_like(50))[0]
    assert not heard[:, 28:].any() and heard[:, :28].any()


def silu(values: Float32) -> Float32:
    return np.asarray(values / (1 + np.exp(-values)), np.float32)


def plain_network(rows: Float32) -> Float32:
    """Written down with numpy's own products."""
    trained = weights()
    for layer, dilation in enumerate(DILATIONS):
        kernel, bias = trained.kernels[layer], trained.biases[layer]
        past = np.concatenate([np.zeros(((TAPS - 1) * dilation, rows.shape[1]), np.float32), rows])
        taps = [past[tap * dilation :][: len(rows)] @ kernel[tap] for tap in range(TAPS)]
        new = silu(np.sum(taps, axis=0) + bias)
        rows = new + rows if layer else new
    hidden = silu(rows @ trained.hidden[0] + trained.hidden[1])
    return np.asarray(hidden @ trained.output[0] + trained.output[1], np.float32)


def test_the_network_does_what_its_weights_say_in_blocks_of_any_size() -> None:
    heard = np.random.default_rng(2).normal(0, 1, (301, BANDS)).astype(np.float32)
    whole = HearingNetwork(weights()).push(heard)
    assert whole.shape == (301, len(TRACKS) + 1)
    assert np.allclose(whole, plain_network(heard), atol=2e-3)
    cut = HearingNetwork(weights())
    parts = [cut.push(part) for part in np.split(heard, [1, 2, 9, 200, 203])]
    assert np.allclose(whole, np.concatenate(parts), atol=1e-5)


def test_the_weights_are_small_plain_arrays() -> None:
    assert WEIGHTS.stat().st_size < 1_100_000
    with np.load(WEIGHTS, allow_pickle=False) as file:
        assert all(file[name].dtype.kind == "f" for name in file.files)
    assert 0 < weights().threshold < 1
