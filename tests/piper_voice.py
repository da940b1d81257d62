"""A Piper voice of a few kilobytes: every phoneme has its own tone, length and loudness.

The network's file is written as protobuf by hand, so that nothing but ONNX Runtime is needed.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

RATE, HOP = 22050, 256
SYMBOLS = 256
PAUSES = {"_": 0, "^": 2, "$": 2, " ": 2, ".": 8, ",": 6, "!": 8, "?": 8}
"""Frames of silence."""
VOWELS = "aɑæeɛəiɪoɵɔuʉʊyɨʌɐ"
_FLOAT, _INT64 = 1, 7


def write_voice(
    folder: Path, name: str, language: str, speakers: Sequence[str] = (), **changes: Any
) -> Path:
    """The network's path; its description beside it. ``changes``: fields of the description."""
    from piper.phoneme_ids import DEFAULT_PHONEME_ID_MAP

    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.onnx"
    path.write_bytes(network(DEFAULT_PHONEME_ID_MAP, len(speakers)))
    description = {
        "audio": {"sample_rate": RATE, "quality": "tiny"},
        "espeak": {"voice": language},
        "inference": {"noise_scale": 0.667, "length_scale": 1, "noise_w": 0.8},
        "phoneme_type": "espeak",
        "phoneme_map": {},
        "phoneme_id_map": DEFAULT_PHONEME_ID_MAP,
        "num_symbols": SYMBOLS,
        "num_speakers": max(len(speakers), 1),
        "speaker_id_map": {speaker: number for number, speaker in enumerate(speakers)},
        "piper_version": "1.0.0",
    }
    path.with_name(path.name + ".json").write_text(
        json.dumps(description | changes), encoding="utf-8"
    )
    return path


def tone(number: int, speaker: int = 0) -> float:
    """Hertz of the phoneme with that id."""
    return (200.0 + 10.0 * number) * (1 + speaker / 2)


def network(ids: dict[str, list[int]], speakers: int) -> bytes:
    """input, input_lengths, scales, and sid where there are several speakers -> output."""
    frames = np.full(SYMBOLS, 5, np.float32)
    loudness = np.full(SYMBOLS, 0.2, np.float32)
    for sign, (number,) in ids.items():
        if sign in PAUSES or not sign.isalpha() or sign in "ˈˌːʲ":
            frames[number], loudness[number] = PAUSES.get(sign, 0), 0.0
        elif sign in VOWELS:
            frames[number], loudness[number] = 8, 0.5
    tones = np.array([tone(number) for number in range(SYMBOLS)], np.float32)
    constants = {
        "frames": frames,
        "loudness": loudness,
        "tones": tones,
        "first": np.array([0], np.int64),
        "second": np.array([1], np.int64),
        "zero": np.array(0, np.int64),
        "one": np.array(1, np.int64),
        "hop": np.array(HOP, np.float32),
        "radians": np.array(2 * np.pi / RATE, np.float32),
        "shape": np.array([1, 1, 1, -1], np.int64),
        "speakers": 1 + np.arange(max(speakers, 1), dtype=np.float32) / 2,
    }
    nodes = [
        _node("Squeeze", ["input", "first"], "ids"),
        _node("Gather", ["scales", "second"], "length"),
        _node("Gather", ["frames", "ids"], "own"),
        _node("Mul", ["own", "length"], "scaled"),
        _node("Ceil", ["scaled"], "durations"),
        _node("CumSum", ["durations", "zero"], "ends"),
        _node("ReduceSum", ["durations", "first"], "total", keepdims=0),
        _node("Mul", ["total", "hop"], "last"),
        _node("Cast", ["last"], "samples", to=_INT64),
        _node("Range", ["zero", "samples", "one"], "numbers"),
        _node("Cast", ["numbers"], "times", to=_FLOAT),
        _node("Div", ["times", "hop"], "moments"),
        _node("Unsqueeze", ["moments", "second"], "column"),
        _node("LessOrEqual", ["ends", "column"], "over"),
        _node("Cast", ["over"], "counted", to=_INT64),
        _node("ReduceSum", ["counted", "second"], "which", keepdims=0),
        _node("Gather", ["ids", "which"], "phonemes"),
        _node("Gather", ["tones", "phonemes"], "hertz"),
        _node("Gather", ["speakers", "sid" if speakers else "first"], "higher"),
        _node("Mul", ["hertz", "higher"], "pitch"),
        _node("Mul", ["pitch", "times"], "turns"),
        _node("Mul", ["turns", "radians"], "angle"),
        _node("Sin", ["angle"], "wave"),
        _node("Gather", ["loudness", "phonemes"], "gain"),
        _node("Mul", ["wave", "gain"], "sound"),
        _node("Reshape", ["sound", "shape"], "output"),
    ]
    inputs = [_value("input", _INT64, 2), _value("input_lengths", _INT64, 1)]
    inputs.append(_value("scales", _FLOAT, 1))
    if speakers:
        inputs.append(_value("sid", _INT64, 1))
    graph = b"".join(
        [
            *(_field(1, node) for node in nodes),
            _field(2, b"voice"),
            *(_field(5, _tensor(name, array)) for name, array in constants.items()),
            *(_field(11, value) for value in inputs),
            _field(12, _value("output", _FLOAT, 4)),
        ]
    )
    opset = _field(1, b"") + _number(2, 15)
    return _number(1, 8) + _field(7, graph) + _field(8, opset)


def _node(kind: str, inputs: Sequence[str], output: str, **attributes: int) -> bytes:
    given = [_field(1, name.encode()) for name in inputs]
    made = [
        _field(5, _field(1, name.encode()) + _number(3, value) + _number(20, 2))
        for name, value in attributes.items()
    ]
    return b"".join([*given, _field(2, output.encode()), _field(4, kind.encode()), *made])


def _tensor(name: str, array: np.ndarray[Any, Any]) -> bytes:
    kind = _FLOAT if array.dtype == np.float32 else _INT64
    sizes = b"".join(_number(1, size) for size in array.shape)
    return sizes + _number(2, kind) + _field(8, name.encode()) + _field(9, array.tobytes())


def _value(name: str, kind: int, dimensions: int) -> bytes:
    """A tensor of a rank alone: each dimension has a name of its own."""
    free = b"".join(_field(1, _field(2, f"{name}{i}".encode())) for i in range(dimensions))
    return _field(1, name.encode()) + _field(2, _field(1, _number(1, kind) + _field(2, free)))


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _varint(value: int) -> bytes:
    made = bytearray()
    while value > 0x7F:
        made.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*made, value])
