"""Fits the network and writes what ``app_core`` reads."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from app_core.lipsync.viseme.articulation import CLOSE, TRACKS
from app_core.lipsync.viseme.heard.hearing import Hearing
from app_core.lipsync.viseme.heard.network import DILATIONS, LOOKAHEAD, SEAL, TAPS
from app_core.lipsync.viseme.heard.spectrum import BANDS, Spectrum

if TYPE_CHECKING:
    from app_core.types import Float32
    from tools.articulation_net.utterance import Utterance

log = logging.getLogger(__name__)

CHANNELS, HIDDEN = 112, 64
_ROWS, _BATCH = 400, 20
_PAST = TAPS * sum(DILATIONS)
"""Rows at the start of an excerpt whose past is cut off: they do not count."""
_TRACK_WEIGHTS = (1.0, 1.5, 1.0, 1.0, 1.5, 1.5, 0.7, 0.6)
_SPEED_WEIGHT, _SEAL_WEIGHT = 2.0, 0.4
_SEALED_WEIGHT, _FOCUS = 1.5, 1.5
"""How much more a sealed row counts, and the exponent of the focal loss."""
_STEEPEST = 3e-3


def heard(utterance: Utterance, usual: Float32, silent_rows: int = LOOKAHEAD) -> Float32:
    """What the network takes, (rows + silent_rows, BANDS)."""
    spectrum = Spectrum(utterance.rate)
    levels = spectrum.push(utterance.pcm, silent_rows=silent_rows)
    return Hearing(usual, spectrum.present, -100.0).push(levels)[0]


def usual_levels(utterances: list[Utterance]) -> Float32:
    """Decibels of a voice's mean in each band against its loudest moment, (BANDS,)."""
    rows = []
    for utterance in utterances:
        levels = Spectrum(utterance.rate).push(utterance.pcm, silent_rows=0)
        power = np.log10((10 ** (levels / 10)).sum(1) + 1e-12) * 10
        loudest = np.maximum.accumulate(power)
        rows.append((levels - loudest[:, None])[power > loudest - 20])
    return np.asarray(np.concatenate(rows).mean(0), np.float32)


class ArticulationNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        inputs = (BANDS, *[CHANNELS] * (len(DILATIONS) - 1))
        self.layers = nn.ModuleList(
            nn.Conv1d(count, CHANNELS, TAPS, dilation=dilation, bias=False)
            for count, dilation in zip(inputs, DILATIONS, strict=True)
        )
        self.norms = nn.ModuleList(nn.BatchNorm1d(CHANNELS) for _ in DILATIONS)
        self.hidden = nn.Conv1d(CHANNELS, HIDDEN, 1)
        self.output = nn.Conv1d(HIDDEN, SEAL + 1, 1)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        """(batch, BANDS, rows) -> (batch, SEAL + 1, rows)."""
        for place, (layer, norm) in enumerate(zip(self.layers, self.norms, strict=True)):
            past = (TAPS - 1) * DILATIONS[place]
            new = nn.functional.silu(norm(layer(nn.functional.pad(rows, (past, 0)))))
            rows = new if place == 0 else rows + new
        found: torch.Tensor = self.output(nn.functional.silu(self.hidden(rows)))
        return found

    def exported(self) -> dict[str, Float32]:
        """Arrays for ``heard.network.weights``: the norms are folded into the kernels."""
        found = {}
        for place, (layer, norm) in enumerate(zip(self.layers, self.norms, strict=True)):
            scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
            found[f"kernel{place}"] = (layer.weight * scale[:, None, None]).permute(2, 1, 0)
            found[f"bias{place}"] = norm.bias - norm.running_mean * scale
        found["hidden"], found["hidden_bias"] = self.hidden.weight[..., 0].T, self.hidden.bias
        found["output"], found["output_bias"] = self.output.weight[..., 0].T, self.output.bias
        return {name: tensor.detach().numpy() for name, tensor in found.items()}


def save(path: Path, net: ArticulationNet, usual: Float32, threshold: float) -> None:
    small = {name: array.astype(np.float16) for name, array in net.exported().items()}
    np.savez(path, usual=usual.astype(np.float32), threshold=np.float32(threshold), **small)


class Examples:
    """Rows and tracks, kept small."""

    def __init__(self, usual: Float32) -> None:
        self._usual = usual
        self.rows: list[Any] = []
        self.tracks: list[Any] = []

    def add(self, utterance: Utterance) -> None:
        rows, tracks = heard(utterance, self._usual), utterance.truth()
        target = np.zeros((len(rows), len(TRACKS)), np.float16)
        target[LOOKAHEAD:] = tracks[: len(rows) - LOOKAHEAD]
        self.rows.append(rows.astype(np.float16))
        self.tracks.append(target)

    def batch(self, random: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        lengths = np.array([len(rows) for rows in self.rows], float)
        chosen = random.choice(len(lengths), _BATCH, p=lengths / lengths.sum())
        rows = np.zeros((_BATCH, _ROWS, BANDS), np.float32)
        tracks = np.zeros((_BATCH, _ROWS, len(TRACKS)), np.float32)
        rows[:] = -4.0
        for place, number in enumerate(chosen):
            start = int(random.integers(0, max(1, len(self.rows[number]) - _ROWS)))
            part = self.rows[number][start : start + _ROWS].astype(np.float32)
            rows[place, : len(part)] = _varied(part, random)
            tracks[place, : len(part)] = self.tracks[number][start : start + _ROWS]
        return torch.from_numpy(rows).transpose(1, 2), torch.from_numpy(tracks).transpose(1, 2)


def _varied(rows: Float32, random: np.random.Generator) -> Float32:
    """Other mouths, lines and noises, in the bands themselves."""
    bands = np.arange(BANDS)
    if random.random() < 0.8:
        offset = random.uniform(-2, 2) if random.random() < 0.5 else 0.0
        source = np.clip(bands * random.uniform(0.85, 1.17) + offset, 0, BANDS - 1)
        low = np.minimum(source.astype(int), BANDS - 2)
        part = (source - low).astype(np.float32)
        rows = rows[:, low] * (1 - part) + rows[:, low + 1] * part
    if random.random() < 0.6:
        knots = np.linspace(0, BANDS - 1, 6)
        rows = rows + np.interp(bands, knots, random.normal(size=6) * 0.45).astype(np.float32)
    if random.random() < 0.4:
        knots = np.linspace(0, BANDS - 1, 4)
        floor = random.uniform(-3.5, -1.0) + np.interp(bands, knots, random.normal(size=4) * 0.4)
        power = 10.0**rows + 10.0**floor
        rows = np.log10(power).astype(np.float32)
    if random.random() < 0.15:
        rows = rows.copy()
        rows[:, int(random.integers(24, BANDS)) :] = 0.0
    if random.random() < 0.4:
        rows = rows.copy()
        first = int(random.integers(0, BANDS - 4))
        rows[:, first : first + int(random.integers(1, 7))] = random.uniform(-1.5, 0)
    return np.clip(rows, -4, 3)


def train(
    examples: Examples, steps: int, seed: int, start: dict[str, Any] | None = None
) -> ArticulationNet:
    """``start``: the state of a network that has learned something already."""
    torch.manual_seed(seed)
    random = np.random.default_rng(seed)
    net = ArticulationNet()
    if start is not None:
        net.load_state_dict(start)
    log.info("%d weights", sum(parameter.numel() for parameter in net.parameters()))
    optimizer = torch.optim.AdamW(net.parameters(), _STEEPEST, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _STEEPEST, total_steps=steps)
    weights = torch.tensor(_TRACK_WEIGHTS)[None, :, None]
    started, mean = time.monotonic(), 0.0
    for step in range(steps):
        rows, tracks = examples.batch(random)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            found = net(rows)
        found = found.float()[:, :, _PAST:]
        truth = tracks[:, :, _PAST:]
        apart = found[:, :SEAL] - truth
        loss = (weights * apart**2).mean()
        loss = loss + _SPEED_WEIGHT * (weights * apart.diff(dim=2) ** 2).mean()
        loss = loss + _SEAL_WEIGHT * _focal(found[:, SEAL], (truth[:, CLOSE] > 0.9).float())
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        mean = 0.98 * mean + 0.02 * loss.item() if step else loss.item()
        if step % 50 == 0:
            log.info("step %d of %d: %.5f, %d s", step, steps, mean, time.monotonic() - started)
    return net.eval()


def _focal(logits: torch.Tensor, sealed: torch.Tensor) -> torch.Tensor:
    """After Lin et al., "Focal loss for dense object detection" (2017)."""
    plain = nn.functional.binary_cross_entropy_with_logits(logits, sealed, reduction="none")
    sure = torch.exp(-plain)
    weight = torch.where(sealed > 0, _SEALED_WEIGHT, 1.0)
    return (weight * (1 - sure) ** _FOCUS * plain).mean() * 4
