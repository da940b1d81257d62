from __future__ import annotations

import hashlib
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from app_core.cli.models import ACCEPT, command
from app_core.config import ROOT
from app_core.errors import BadInput, Cancelled, Conflict, ModelFailed, NotFound
from app_core.weights.turn import turn
from app_core.weights.voice_catalogue import VOICES, voice_weights
from app_core.weights.voices import (
    VoiceWeights,
    bring,
    check_terms,
    faults,
    installed,
    recorded,
)
from tests.conftest import until
from tests.file_server import FileServer, serving
from tests.voice_files import CARD, WEIGHTS, voice_of


@pytest.fixture
def server() -> Iterator[FileServer]:
    with serving({"card": CARD, "weights": WEIGHTS}) as made:
        yield made


@pytest.fixture
def voice(server: FileServer) -> VoiceWeights:
    return voice_of(server, "anna")


class Pull:
    """What one pull says and tells."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.told: list[tuple[int, int | None]] = []
        self.stale = threading.Event()

    def run(self, voice: VoiceWeights, models: Path) -> list[str]:
        bring(voice, models, self.said.append, lambda *of: self.told.append(of), self.stale.is_set)
        return self.said


def test_a_voice_is_brought_checked_and_its_unknown_sha256_recorded(
    voice: VoiceWeights, tmp_path: Path
) -> None:
    assert not installed(voice, tmp_path)
    pull = Pull()
    said = pull.run(voice, tmp_path)
    assert said[0] == "tube:anna: 1.0 MiB, code MIT, weights CC0-1.0"
    card = hashlib.sha256(CARD).hexdigest()
    assert said[1].endswith(f"{card} recorded on this pull, not checked against anybody")
    assert said[2].endswith("anna.onnx, 1.0 MiB, sha256 is right")
    assert pull.told[-1] == (len(WEIGHTS), len(WEIGHTS))
    assert [done for done, _ in pull.told] == sorted(done for done, _ in pull.told)
    assert installed(voice, tmp_path) and faults(voice, tmp_path) == []
    assert recorded(tmp_path / "tube" / "anna.card") == card
    checked = subprocess.run(
        ["sha256sum", "-c", "anna.card.sha256"], cwd=tmp_path / "tube", check=False, timeout=10
    )
    assert checked.returncode == 0


def test_what_is_here_is_not_brought_again(
    voice: VoiceWeights, server: FileServer, tmp_path: Path
) -> None:
    Pull().run(voice, tmp_path)
    server.asked.clear()
    assert Pull().run(voice, tmp_path) == ["tube:anna: here already, 1.0 MiB"]
    (tmp_path / "tube" / "anna.onnx").write_bytes(WEIGHTS[::-1])
    (fault,) = faults(voice, tmp_path)
    assert fault.endswith("anna.onnx is not the file that it should be")
    Pull().run(voice, tmp_path)
    assert [path for path, _, _ in server.asked] == ["weights"]
    assert faults(voice, tmp_path) == []


def test_a_recorded_file_that_changes_is_noticed(
    voice: VoiceWeights, server: FileServer, tmp_path: Path
) -> None:
    Pull().run(voice, tmp_path)
    card = tmp_path / "tube" / "anna.card"
    card.write_bytes(b"License: MIT\n")
    (fault,) = faults(voice, tmp_path)
    assert fault.endswith("anna.card is not the file that was first pulled")
    assert Pull().run(voice, tmp_path)[1].endswith("sha256 is that of the first pull")
    assert card.read_bytes() == CARD
    card.unlink()
    server.files["card"] = b"License: all rights reserved\n"
    with pytest.raises(ModelFailed, match="sha256 is another"):
        Pull().run(voice, tmp_path)
    Path(f"{card}.sha256").unlink()
    assert "recorded on this pull" in Pull().run(voice, tmp_path)[1]


def test_a_file_without_a_record_is_a_fault(voice: VoiceWeights, tmp_path: Path) -> None:
    Pull().run(voice, tmp_path)
    (tmp_path / "tube" / "anna.card.sha256").write_text("no sum")
    (fault,) = faults(voice, tmp_path)
    assert "has no sha256 on record" in fault


def test_two_that_bring_one_voice_download_it_once(
    voice: VoiceWeights, server: FileServer, tmp_path: Path
) -> None:
    server.hold = threading.Event()
    pulls = [Pull(), Pull()]
    threads = [threading.Thread(target=pull.run, args=(voice, tmp_path)) for pull in pulls]
    for thread in threads:
        thread.start()
    assert until(lambda: any("waiting for it" in said for pull in pulls for said in pull.said))
    server.hold.set()
    for thread in threads:
        thread.join(10)
    assert sorted(path for path, _, _ in server.asked) == ["card", "weights"]
    assert faults(voice, tmp_path) == []
    assert any("here already" in pull.said[-1] for pull in pulls)


def test_another_process_is_waited_for_until_nobody_wants_it(
    voice: VoiceWeights, tmp_path: Path
) -> None:
    folder = tmp_path / "tube"
    code = "import sys; from pathlib import Path; from app_core.weights.turn import turn\n"
    code += f"with turn(Path({str(folder)!r}), str): print(flush=True); sys.stdin.read()"
    other = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with other:
        assert other.stdout is not None
        other.stdout.readline()
        pull = Pull()
        pull.stale.set()
        with pytest.raises(Cancelled):
            pull.run(voice, tmp_path)
        assert pull.said == [f"another process brings files to {folder}: waiting for it"]
        other.communicate(timeout=10)
    with turn(folder, pull.said.append):
        assert len(pull.said) == 1
    assert list(folder.iterdir()) == []


PULL = """
import sys
from pathlib import Path
from types import SimpleNamespace
from app_core.weights.voices import bring
from tests.voice_files import voice_of
voice = voice_of(SimpleNamespace(url=lambda path: f"{sys.argv[2]}{path}"), "anna")
def say(sentence):
    print(sentence, flush=True)
bring(voice, Path(sys.argv[1]), say, lambda *of: None, lambda: False)
"""


def pulling(server: FileServer, models: Path) -> subprocess.Popen[str]:
    line = [sys.executable, "-c", PULL, str(models), server.url("")]
    return subprocess.Popen(line, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def test_two_processes_bring_a_voice_once(
    voice: VoiceWeights, server: FileServer, tmp_path: Path
) -> None:
    server.hold = threading.Event()
    with pulling(server, tmp_path) as one, pulling(server, tmp_path) as two:
        assert one.stdout is not None and two.stdout is not None
        first = [one.stdout.readline(), two.stdout.readline()]
        assert sum("waiting for it" in sentence for sentence in first) == 1
        server.hold.set()
        said = [one.communicate(timeout=20)[0], two.communicate(timeout=20)[0]]
    assert sum("here already" in sentence for sentence in said) == 1
    assert sorted(path for path, _, _ in server.asked) == ["card", "weights"]
    assert faults(voice, tmp_path) == []


def test_who_waits_goes_on_where_a_killed_process_was(
    voice: VoiceWeights, server: FileServer, tmp_path: Path
) -> None:
    server.files["card"], server.hold = b"", threading.Event()
    pull = Pull()
    waiting = threading.Thread(target=pull.run, args=(voice, tmp_path))
    part = tmp_path / "tube" / "anna.onnx.part"
    with pulling(server, tmp_path) as one:
        assert one.stdout is not None
        assert one.stdout.readline().startswith("tube:anna: 1.0 MiB")
        assert until(lambda: part.is_file() and part.stat().st_size == len(WEIGHTS) // 2)
        waiting.start()
        assert until(lambda: any("waiting for it" in sentence for sentence in pull.said))
        one.kill()
    server.hold.set()
    waiting.join(10)
    assert faults(voice, tmp_path) == []
    asked = [(path, sent) for path, sent, _ in server.asked]
    assert asked[-1] == ("weights", f"bytes={len(WEIGHTS) // 2}-")


def test_a_folder_that_cannot_be_made_is_named(voice: VoiceWeights, tmp_path: Path) -> None:
    (tmp_path / "tube").write_bytes(b"")
    with pytest.raises(ModelFailed, match="tube cannot be made"):
        Pull().run(voice, tmp_path)


def test_who_forbids_commercial_use_must_be_agreed_with(voice: VoiceWeights) -> None:
    forbidden = replace(voice, commercial=False, weights_licence="CC-BY-NC-4.0")
    with pytest.raises(BadInput, match=r"CC-BY-NC-4\.0, which allows no commercial use") as caught:
        check_terms(forbidden, accepted=False)
    assert caught.value.field == "accept_licence"
    check_terms(forbidden, accepted=True)
    check_terms(replace(voice, commercial=None), accepted=False)
    with pytest.raises(Conflict, match="make coqui"):
        check_terms(replace(forbidden, how="make coqui"), accepted=True)


def test_the_command_line(voice: VoiceWeights, tmp_path: Path) -> None:
    said: list[str] = []
    forbidden = replace(voice, id="tube:oleg", commercial=False, weights_licence="CC-BY-NC-4.0")
    voices = (
        voice,
        replace(forbidden, folder="other", module="no_such_module", mend="make it"),
        replace(voice, id="tube:xtts", files=(), how="make tube", elsewhere_size=1 << 20),
    )

    def run(*arguments: str) -> int:
        said.clear()
        return command(list(arguments), tmp_path, said.append, voices)

    assert run("list") == 0
    assert "tube:anna  missing  1.0 MiB  code MIT, weights CC0-1.0  a voice, ru+kk: Anna" in said
    assert said[-1].startswith("tube:xtts  elsewhere  1.0 MiB  code MIT")
    assert said[-1].endswith("a voice, ru+kk: Anna; brought by: make tube")
    assert run("pull", "tube:xtts") == 1
    assert said[-1] == "tube:xtts is not brought by this but by: make tube"
    assert run("pull", "tube:oleg") == 1
    assert said[-1].endswith("python app.py models pull tube:oleg --accept-licence")
    assert not (tmp_path / "other").exists()
    assert run("pull", "tube:anna", "tube:nobody") == 1
    assert "There is no voice 'tube:nobody'" in said[-1]
    assert run("pull", "tube:anna", ACCEPT, "tube:oleg") == 0
    assert said[-1] == "tube:oleg: to speak it also needs no_such_module: make it"
    assert any("here already" in sentence for sentence in said)
    run("list")
    assert sum("  here  1.0 MiB" in sentence for sentence in said) == 2
    assert any("non-commercial" in sentence for sentence in said)
    run("verify")
    assert not any("tube" in sentence for sentence in said)
    (tmp_path / "other" / "anna.onnx").unlink()
    assert run("verify") == 1
    assert said[-1] == f"{tmp_path / 'other' / 'anna.onnx'} is missing"
    assert run("pull", ACCEPT) == 2


def test_the_catalogue_is_what_it_says() -> None:
    assert len({voice.id for voice in VOICES}) == len(VOICES)
    for voice in VOICES:
        assert bool(voice.files) != bool(voice.how), voice.id
        assert voice.commercial is not None or voice.notes, voice.id
        for file in voice.files:
            assert file.web.url.startswith("https://"), voice.id
            assert (file.web.sha256 is None) == (file.web.size is None), voice.id
        if voice.files:
            last = voice.files[-1].web
            assert last.sha256 and len(last.sha256) == 64
            assert last.size == max(file.web.size or 0 for file in voice.files)
    paths = [(voice.folder, file.name) for voice in VOICES for file in voice.files]
    assert len(set(paths)) == len(paths)
    sums = [file.web.sha256 for voice in VOICES for file in voice.files if file.web.sha256]
    assert len(set(sums)) == len(sums)


def test_a_speaker_is_brought_with_those_that_share_its_file() -> None:
    assert voice_weights("silero:ru_aigul").id == "silero"
    assert voice_weights("piper:kk_KZ-issai-high:Raya").id == "piper:kk_KZ-issai-high"
    with pytest.raises(NotFound) as caught:
        voice_weights("piper:kk_KZ-issai")
    assert caught.value.field == "voice"
