"""Videos that speak, made of a small clip: what is in the file, and every way to fail."""

from __future__ import annotations

import os
import re
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from app_core.avatars.library import AvatarLibrary
from app_core.config import Config
from app_core.errors import BadInput, Busy, Cancelled, DiskFull, FfmpegFailed, NotFound
from app_core.job import JobStatus
from app_core.lipsync.viseme.model import VisemeModel
from app_core.lipsync.viseme.rig import find_pose
from app_core.media.decoder import ClipFootage, measure_clip
from app_core.media.ffmpeg import Ffmpeg, find_ffmpeg
from app_core.request import (
    ChunksRequest,
    GenerateRequest,
    MjpegRequest,
    RenderRequest,
    VideoRequest,
)
from app_core.services.chunks import wait_for_film
from app_core.services.lipsync_service import LipsyncService
from app_core.services.video_lipsync_stream import (
    process_video_lipsync_streaming,
    start_video_decoder,
    start_video_encoder,
)
from app_core.types import Frame
from tests.begun import begun
from tests.clips import (
    FPS,
    HEIGHT,
    PICTURES,
    WIDTH,
    children,
    luma,
    make_avatar,
    make_clip,
    make_track,
    pixels,
)
from tests.conftest import until
from tests.fakes import ToneVoice, ToneVoices

Make = Callable[..., LipsyncService]
FIVE = "one two three four five"
"""A second of the tone voice."""
LONG = " ".join(["word"] * 1000)


@pytest.fixture(scope="module")
def ffmpeg() -> Ffmpeg:
    return find_ffmpeg()


@pytest.fixture(scope="module")
def avatars(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_avatar(tmp_path_factory.mktemp("avatars"))


@pytest.fixture
def make(make_service: Make, avatars: Path, tmp_path: Path) -> Make:
    def made(folder: Path = avatars, room_mb: float = 200, **parts: Any) -> LipsyncService:
        settings = {"base_video_path": parts.pop("base", None)}
        work = tmp_path / "work"
        work.mkdir()
        config = Config(avatar="clip", avatar_dir=folder, work_dir=work, max_jobs=8, **settings)
        library = AvatarLibrary(folder, room_mb, ClipFootage(find_ffmpeg))
        return make_service(config=config, library=library, **parts)

    return made


def video(text: str = FIVE, **fields: Any) -> VideoRequest:
    return VideoRequest(text=text, **({"preset": "ultrafast", "crf": 1} | fields))


def decoded(ffmpeg: Ffmpeg, path: Path) -> np.ndarray:
    """(frames, HEIGHT, WIDTH) luma."""
    asked = ["-i", f"file:{path}", "-map", "0:v", "-fps_mode", "passthrough"]
    raw = ffmpeg.run([*asked, "-f", "rawvideo", "pipe:1"])
    frames = np.frombuffer(raw, np.uint8).reshape(-1, HEIGHT * 3 // 2, WIDTH)
    return frames[:, :HEIGHT].astype(int)


def shown(ffmpeg: Ffmpeg, path: Path, *before: str) -> list[int]:
    """When each decoded frame is shown, in the stream's own units."""
    asked = [*before, "-i", f"file:{path}", "-map", "0:v", "-fps_mode", "passthrough"]
    text = ffmpeg.run([*asked, "-f", "framecrc", "pipe:1"]).decode()
    return [int(line.split(",")[2]) for line in text.splitlines() if not line.startswith("#")]


@pytest.mark.parametrize("words", [3, 23], ids=["shorter", "longer than the clip"])
@pytest.mark.parametrize("room_mb", [200, 0], ids=["kept", "forward"])
def test_one_frame_for_each_of_the_sound_and_a_loop_without_a_seam(
    make: Make, ffmpeg: Ffmpeg, tmp_path: Path, words: int, room_mb: float
) -> None:
    path, count = tmp_path / "film.mp4", words * 5
    told = process_video_lipsync_streaming(
        make(room_mb=room_mb), video(" ".join(["word"] * words)), path
    )
    frames = decoded(ffmpeg, path)
    assert len(frames) == count == told["frames"]
    middle = frames[:, HEIGHT // 4 + 1 : HEIGHT * 3 // 4, WIDTH // 4 : WIDTH * 3 // 4]
    source = np.stack([pixels(i % PICTURES)[:HEIGHT, :] for i in range(count)]).astype(int)
    source = source[:, HEIGHT // 4 + 1 : HEIGHT * 3 // 4, WIDTH // 4 : WIDTH * 3 // 4]
    assert np.abs(middle - source).mean((1, 2)).max() < 2
    assert np.abs(np.median(frames[:, :8], (1, 2)) - [luma(i) for i in range(count)]).max() <= 2
    assert children() == []


def test_what_the_file_says(make: Make, ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    from tests.outputs.test_mp4 import described

    path = tmp_path / "film.mp4"
    process_video_lipsync_streaming(make(), video(" ".join(["word"] * 23)), path)
    times = shown(ffmpeg, path)
    assert set(np.diff(times)) == {1}
    assert shown(ffmpeg, path, "-skip_frame", "nokey") == [0, 50, 100]
    text = described(ffmpeg, path)
    assert re.search(r"Video: h264 .*yuv420p\(tv, smpte170m.*128x96.*, 25 fps", text)
    assert re.search(r"Audio: aac \(LC\).*48000 Hz", text)
    assert re.search(r"comment\s*: Synthetic", text)
    assert re.search(r"Duration: 00:00:04.6", text)


def test_outside_of_the_mouths_region_pixels_are_the_decoders(make: Make) -> None:
    service = make(model=VisemeModel(), room_mb=0)
    job = begun(service, video())
    plate = service.library.plate(service.library.get("clip"), static=False)
    pose = find_pose(plate.track.landmarks[0], WIDTH, HEIGHT)
    changed = 0
    frames = list(service.frames(job.id, lambda frame: frame))
    for frame in frames:
        source = pixels(frame.index)
        inside = np.zeros((HEIGHT, WIDTH), bool)
        inside[pose.top : pose.bottom, pose.left : pose.right] = True
        differs = frame.picture.y != source[:HEIGHT]
        assert not differs[~inside].any()
        changed += bool(differs.any())
        chroma = np.concatenate([frame.picture.u.ravel(), frame.picture.v.ravel()])
        outer = np.tile(~inside[::2, ::2].ravel(), 2)
        assert np.array_equal(chroma[outer], source[HEIGHT:].ravel()[outer])
    assert len(frames) == 25
    assert changed > 10


def test_frames_come_at_the_clips_rate_or_the_asked_one(
    make: Make, ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    base = make_clip(tmp_path / "base.mp4", fps=50)
    make_track(tmp_path / "base.npz", faceless=tuple(range(PICTURES)), fps=50)
    service = make(base=base)
    path = tmp_path / "film.mp4"
    for fields, count, step in (({}, 50, 1), ({"fps": 25}, 25, 2), ({"fps": 10}, 10, 5)):
        told = process_video_lipsync_streaming(service, video(**fields), path)
        assert told["frames"] == count == told["frames_without_face"]
        seen = np.median(decoded(ffmpeg, path)[:, :8], (1, 2))
        assert np.abs(seen - [luma(i * step) for i in range(count)]).max() <= 2


def played(service: LipsyncService, request: RenderRequest) -> tuple[int, list[int]]:
    """The job's rate, and the picture of the clip that each of its frames is drawn on."""
    job = begun(service, request)
    with service.frames(job.id, lambda frame: int(np.median(frame.picture.y[-16:, :16]))) as frames:
        lumas = list(frames)
    assert len(lumas) == -(-len(job.sound) * job.request.fps // job.sound.sample_rate)
    return job.request.fps, [round((seen - luma(0)) / 3) for seen in lumas]


@pytest.mark.parametrize("own", [24, 30])
@pytest.mark.parametrize(
    "request_of",
    [
        lambda **fields: MjpegRequest(**fields, size="auto", pace="asap"),
        lambda **fields: MjpegRequest.parse_query(
            {name: str(value) for name, value in fields.items()} | {"size": "auto", "pace": "asap"}
        ),
        lambda **fields: GenerateRequest(**fields, static_mode=False),
        lambda **fields: video(**fields),
    ],
)
def test_a_clip_keeps_its_own_rate_unless_another_is_asked(
    own: int, request_of: Callable[..., RenderRequest], make: Make, tmp_path: Path
) -> None:
    service = make(make_avatar(tmp_path / "avatars", fps=own))
    fps, shown = played(service, request_of(text=FIVE))
    assert (fps, shown) == (own, list(range(own))), "each picture once, none left out"
    fps, shown = played(service, request_of(text=FIVE, fps=25))
    assert fps == 25
    steps = np.diff(shown)
    odd = np.flatnonzero(steps != 1)
    assert set(steps[odd]) == {2 if own == 30 else 0}
    assert len(odd) == abs(own - 25) - (own == 30)
    assert len(set(np.diff(odd))) <= 1, "and those that are, evenly"


def test_chunks_of_a_clip_have_its_rate(make: Make, tmp_path: Path) -> None:
    service = make(make_avatar(tmp_path / "avatars", fps=30))
    job = service.chunks.start(ChunksRequest(text=FIVE, chunk_size=2))
    for chunk in job.chunks:
        wait_for_film(job, chunk, lambda: False)
    assert job.request.fps == 30
    assert [chunk.frames for chunk in job.chunks] == [12, 12, 6]
    assert [chunk.duration_s for chunk in job.chunks] == [0.4, 0.4, 0.2]


def test_a_still_has_the_usual_rate(make: Make, tmp_path: Path) -> None:
    service = make(make_avatar(tmp_path / "avatars", fps=30))
    for wanted, fps in (({}, 25), ({"fps": 30}, 30)):
        assert (
            played(service, GenerateRequest.parse({"text": FIVE, "size": "128x128"} | wanted))[0]
            == fps
        )


def test_live_a_faster_clip_comes_at_the_usual_rate_where_only_that_fits(
    make: Make, tmp_path: Path
) -> None:
    service = make(make_avatar(tmp_path / "avatars", fps=30))
    service.capacity.calibrate(1.0, 512, 512, model_fps=100)
    asked = MjpegRequest(text=LONG, size="auto")
    rates = []
    for _ in range(3):
        job = begun(service, asked)
        rates.append(job.request.fps)
    assert rates == [30, 30, 30]
    service.capacity.calibrate(1.0, 512, 512, model_fps=130)
    job = begun(service, asked)
    assert job.request.fps == 25, "117 frames/s are to be had"
    with pytest.raises(Busy):
        service.submit(asked)


def test_the_base_video_with_its_track_and_another_avatar(make: Make, tmp_path: Path) -> None:
    base = make_clip(tmp_path / "base.mp4", fps=30)
    make_track(tmp_path / "base.npz")
    service = make(base=base)
    path = tmp_path / "film.mp4"
    told = process_video_lipsync_streaming(service, video(), path)
    assert (told["frames"], told["frames_without_face"]) == (30, 0)
    assert process_video_lipsync_streaming(service, video(avatar="clip"), path)["frames"] == 25


def test_a_missing_base_video_is_named(make: Make) -> None:
    service = make(base=Path("/nowhere/base.mov"))
    with pytest.raises(NotFound, match=r"BASE_VIDEO_PATH is /nowhere/base.mov"):
        service.submit(video())


def test_pictures_without_a_face_pass_and_are_counted(
    make: Make, ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    folder = make_avatar(tmp_path / "faceless", faceless=tuple(range(5, 15)))
    service = make(folder, model=VisemeModel())
    job = begun(service, video())
    with service.frames(job.id, lambda frame: frame) as frames:
        same = [np.array_equal(f.picture.y, pixels(f.index)[:HEIGHT]) for f in frames]
    assert all(same[5:15])
    assert not all(same[:5]) and not all(same[15:])
    assert job.describe()["frames"]["without_face"] == 10


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"encoder": "mpeg4"}, "libx264"),
        ({"encoder": "libx264 -y"}, "works on this machine: libx264"),
    ],
)
def test_an_encoder_that_is_not_here(make: Make, fields: dict[str, str], words: str) -> None:
    with pytest.raises(BadInput, match=words) as caught:
        make().submit(video(**fields))
    assert caught.value.field == "encoder"


def test_a_gpu_decoder_that_is_not_here(make: Make, ffmpeg: Ffmpeg) -> None:
    if ffmpeg.nvdec:
        pytest.skip("this machine has one")
    with pytest.raises(BadInput, match="no NVIDIA decoder works") as caught:
        make().submit(video(use_nvdec=True))
    assert caught.value.field == "use_nvdec"


def test_the_other_encoder_that_is_here(make: Make, ffmpeg: Ffmpeg, tmp_path: Path) -> None:
    if "libx265" not in ffmpeg.encoders:
        pytest.skip("this ffmpeg has no libx265")
    path = tmp_path / "film.mp4"
    told = process_video_lipsync_streaming(make(), video(encoder="libx265", crf=15), path)
    assert told["encoder"] == "libx265"
    assert b"hvc1" in path.read_bytes()
    assert len(decoded(ffmpeg, path)) == 25


def test_statistics_are_kept_with_the_job(make: Make, tmp_path: Path) -> None:
    voices = ToneVoices(ToneVoice(delay_s=0.02))
    service = make(model=VisemeModel(), voices=voices, room_mb=0)
    job = begun(service, video())
    assert job.describe()["statistics"] is None
    service.render(job.id, tmp_path / "film.mp4")
    told = job.describe()["statistics"]
    assert told["speech_s"] >= 0.1
    assert 0 < told["opening_s"] < told["total_s"]
    assert 0 < told["inference_s"] < told["total_s"]
    assert told["resolution"] == "128x96"
    assert (told["encoder"], told["nvdec"], told["frames"]) == ("libx264", False, 25)
    assert told["frames_per_s"] == pytest.approx(25 / told["total_s"], rel=0.05)


class Render(threading.Thread):
    """A long film in a thread of its own, which waits until both ffmpegs run."""

    def __init__(self, service: LipsyncService, path: Path) -> None:
        super().__init__()
        self.job = begun(service, video(LONG))
        self._service, self._path = service, path
        self.error: Exception | None = None
        self.start()
        assert until(lambda: self.job.frames_done > 5)

    def run(self) -> None:
        try:
            self._service.render(self.job.id, self._path)
        except Exception as error:
            self.error = error

    def ended(self) -> Exception | None:
        self.join(20)
        assert not self.is_alive()
        return self.error


@pytest.mark.parametrize("word", ["stream_loop", "libx264"], ids=["decoder", "encoder"])
def test_a_killed_ffmpeg_fails_the_job_and_leaves_nothing(
    make: Make, tmp_path: Path, word: str
) -> None:
    service = make(room_mb=0)
    render = Render(service, tmp_path / "film.mp4")
    (victim,) = children(word)
    os.kill(victim, signal.SIGKILL)
    assert isinstance(render.ended(), FfmpegFailed)
    assert render.job.status is JobStatus.FAILED
    assert children() == []
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["work"]
    assert process_video_lipsync_streaming(service, video(), tmp_path / "next.mp4")["frames"] == 25


def test_what_a_film_starts_gives_way_to_live_work(make: Make, tmp_path: Path) -> None:
    """Else it counts as other programs', and live streams are refused for it."""
    service = make(room_mb=0)
    render = Render(service, tmp_path / "film.mp4")
    own = os.getpriority(os.PRIO_PROCESS, 0)
    started = {os.getpriority(os.PRIO_PROCESS, pid) for pid in children("stream_loop")}
    started |= {os.getpriority(os.PRIO_PROCESS, pid) for pid in children("libx264")}
    assert started == {min(own + 10, 19)}
    (films,) = children("stream_loop")
    # Linux weighs sessions before it weighs what is in them: in one of its own it would not be nice
    # to this process. A group of its own keeps Ctrl-C of a terminal away.
    assert os.getsid(films) == os.getsid(0)
    assert os.getpgid(films) == films
    watched = begun(service, MjpegRequest(text=LONG, size="auto"))
    with service.frames(watched.id, lambda frame: frame) as frames:
        next(frames)
        (decoder,) = {*children("stream_loop")} - {films}
        assert os.getpriority(os.PRIO_PROCESS, decoder) == own
    service.cancel(render.job.id)
    assert isinstance(render.ended(), Cancelled)


def test_a_cancel_in_the_middle_leaves_nothing(make: Make, tmp_path: Path) -> None:
    service = make(room_mb=0)
    render = Render(service, tmp_path / "film.mp4")
    assert len(children()) == 2
    service.cancel(render.job.id)
    assert isinstance(render.ended(), Cancelled)
    assert render.job.status is JobStatus.CANCELLED
    assert children() == []
    assert not [t.name for t in threading.enumerate() if t.name.startswith(("frames", "ffmpeg-"))]
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["work"]


def test_a_job_without_a_reader_opens_no_decoder(make: Make) -> None:
    service = make(room_mb=0)
    job = begun(service, video(LONG))
    assert until(lambda: len(job.mouths) > 10)
    assert children() == []
    service.cancel(job.id)


def test_a_full_disk(make: Make, tmp_path: Path) -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full here")
    service = make(room_mb=0)
    (tmp_path / "film.mp4.part").symlink_to("/dev/full")
    with pytest.raises(DiskFull):
        process_video_lipsync_streaming(service, video(LONG), tmp_path / "film.mp4")
    assert children() == []
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["work"]


def test_decoder_and_encoder_alone_copy_a_video(
    ffmpeg: Ffmpeg, avatars: Path, tmp_path: Path
) -> None:
    """What a Python caller can build from the two."""
    path, rate = tmp_path / "copy.mp4", 8000
    silence = np.zeros(rate // FPS, np.float32)
    with (
        start_video_decoder(ffmpeg, avatars / "clip" / "loop.mp4") as decoder,
        start_video_encoder(ffmpeg, path, WIDTH, HEIGHT, FPS, rate) as encoder,
    ):
        for index in range(60):
            encoder.write(Frame(index, index / FPS, decoder.read(), silence))
        encoder.finish()
    seen = np.median(decoded(ffmpeg, path)[:, :8], (1, 2))
    assert np.abs(seen - [luma(i) for i in range(60)]).max() <= 3
    assert children() == []


def test_a_broken_clip_degrades_the_server_and_is_named(make: Make, tmp_path: Path) -> None:
    folder = make_avatar(tmp_path / "broken")
    (folder / "clip" / "loop.mp4").write_bytes(b"no video")
    health = make(folder).health()
    assert health["status"] == "degraded"
    assert "loop.mp4 is broken" in health["reason"]


def test_a_clip_that_says_a_recording_moves_at_its_own_rate(
    make_service: Make, config: Config, ffmpeg: Ffmpeg, tmp_path: Path
) -> None:
    folder = make_avatar(tmp_path / "avatars", fps=30)
    library = AvatarLibrary(folder, footage=ClipFootage(lambda: ffmpeg))
    service = make_service(config=config.model_copy(update={"avatar": "clip"}), library=library)
    sound = tmp_path / "s.wav"
    soundfile.write(sound, np.zeros(16_000), 16_000)
    home = folder / "clip"

    def said(face: Path, static: bool | None = None) -> tuple[int, int]:
        """Pictures, and how many different ones."""
        seen: list[int] = []
        service.process(face, sound, None, static, lambda frame: seen.append(int(frame[-1, -1, 1])))
        return len(seen), len(set(seen))

    for face in (Path("clip"), home, home / "loop.mp4"):
        count, different = said(face)
        assert count == 30 and different > 20, face
    assert said(home, False) == said(home)
    still = service.process(home, sound, tmp_path / "film.mp4", True)
    assert still is not None and measure_clip(ffmpeg, still).fps == 25.0
    film = service.process(home, sound, tmp_path / "film.mp4")
    assert film is not None and measure_clip(ffmpeg, film).fps == 30.0
    assert said(home / "still.png")[0] == 25
    assert service.process(home, sound, tmp_path / "film.mp4", static=True)
