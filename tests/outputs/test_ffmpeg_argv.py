"""What every output tells ffmpeg, for all encoders and presets, word by word."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

import pytest

from app_core.config import ROOT
from app_core.media import raw_video
from app_core.media.encoding import RawVideo, encoder_options, encoding_argv
from app_core.media.ffmpeg import VIDEO_ENCODERS, Ffmpeg
from app_core.outputs import frame_encoder
from app_core.outputs.fragmented_mp4 import FragmentedMp4
from app_core.outputs.mp4 import Mp4Writer
from app_core.outputs.output import Format
from app_core.request import Encoding, Preset

GOLDEN = json.loads((ROOT / "tests" / "data" / "ffmpeg_argv.json").read_text("utf-8"))
FORMAT = Format(512, 720, fps=30, sample_rate=16000)
FFMPEG = Ffmpeg("ffmpeg", "8.0")
PATH = Path("/x/out.mp4")


class Asked(Exception):
    """Nothing is started."""


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The argument list that a process would have had; its inputs are pipe:3, pipe:4."""
    found: list[str] = []

    def process(argv: Sequence[str], *, inputs: Sequence[Any], gently: bool, **_: Any) -> None:
        assert gently, "films and imports give way to live work"
        names = {pipe.url: f"pipe:{number}" for number, pipe in enumerate(inputs, 3)}
        found[:] = [names.get(word, word) for word in argv]
        for pipe in inputs:
            pipe.close()
        raise Asked

    monkeypatch.setattr(frame_encoder, "FfmpegProcess", process)
    monkeypatch.setattr(raw_video, "FfmpegProcess", process)
    return found


@pytest.mark.parametrize("name", [name for name in GOLDEN if name != "raw"])
def test_films_are_encoded_as_ever(name: str, asked: list[str]) -> None:
    kind, encoder, preset, crf, threads = name.split()
    encoding = Encoding(encoder, int(crf), preset)
    output: Mp4Writer | FragmentedMp4
    if kind == "mp4":
        output = Mp4Writer(PATH, encoding, FFMPEG, None if threads == "None" else int(threads))
    else:
        output = FragmentedMp4(encoding, FFMPEG)
    with pytest.raises(Asked):
        output.start(FORMAT)
    assert asked == shlex.split(GOLDEN[name])


def test_what_imports_write_is_encoded_as_ever(asked: list[str]) -> None:
    with pytest.raises(Asked):
        raw_video.RawWriter(FFMPEG, PATH, (FORMAT.width, FORMAT.height), FORMAT.fps)
    golden = shlex.split(GOLDEN["raw"])
    after = golden.index("-fps_mode")
    assert asked[:after] == golden[:after]
    assert sorted(asked[after:]) == sorted(golden[after:]), "the order of these means nothing"
    for name in ("-c:v", "-preset", "-crf", "-bf", "-x264-params", "-pix_fmt", "-color_range"):
        assert asked[asked.index(name, after) + 1] == golden[golden.index(name, after) + 1]
    assert asked[-3:] == golden[-3:]


def test_every_encoder_and_preset_is_there() -> None:
    whole = {tuple(name.split()[1:3]) for name in GOLDEN if name.startswith("mp4")}
    assert {encoder for encoder, _ in whole} == set(VIDEO_ENCODERS)
    assert {preset for _, preset in whole} == set(get_args(Preset))
    assert len(whole) == 4 * 9


def test_other_encoders_are_refused() -> None:
    video = RawVideo("pipe:3", 2, 2, 25)
    with pytest.raises(ValueError, match="mpeg4"):
        encoding_argv(["ffmpeg"], "out.mp4", Encoding("mpeg4"), video)
    with pytest.raises(ValueError, match="libx265 is not streamed"):
        encoder_options(Encoding("libx265", streamed=True), 64, 48, 25)
