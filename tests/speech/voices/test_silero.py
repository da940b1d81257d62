from __future__ import annotations

import importlib.util
import sys
import threading
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from app_core.cancel_scope import never
from app_core.errors import Cancelled, VoiceFailed
from app_core.media.ffmpeg import Ffmpeg, find_ffmpeg
from app_core.speech.synthesizer import Synthesizer
from app_core.speech.text.piece import Piece
from app_core.speech.voices import silero
from app_core.speech.voices.espeak import russian_stresses
from app_core.speech.voices.silero import FILE, silero_voices
from app_core.turns import live
from app_core.types import PLAIN, Float32, Prosody
from tests.conftest import until

if importlib.util.find_spec("torch") is None:
    pytest.skip("needs torch, which `make neural` installs", allow_module_level=True)

import torch

from tests.silero_network import RATE, SYMBOL_SAMPLES, tone, write_network

SYMBOLS = "|||!'+,-.:;?hабвгдежзийклмнопрстуфхцчшщъыьэюяёєіїјўґғҕҗҙқҝҡңҥҫүұҳҷҹһӑӗәӝӟӣӥӧөӯӱӳӵӏ—… "
"""As Silero publishes them; 1 ends a text and 2 begins it."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write_network(tmp_path / FILE)


@pytest.fixture
def voices(file: Path, tmp_path: Path) -> dict[str, Synthesizer]:
    return {voice.id: voice for voice in silero_voices(tmp_path, find_ffmpeg).voices}


@pytest.fixture
def accentor_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "silero_stress" else find(name)
    )


def said(
    voice: Synthesizer, text: str, prosody: Prosody = PLAIN, stresses: tuple[int, ...] = ()
) -> Float32:
    piece = Piece(0, voice.languages[0], text, text, (), stresses)
    (pcm,) = voice.synthesize(piece, prosody, never)
    return pcm


def heard(pcm: Float32, speaker: int) -> str:
    """The symbols that the network was given, without the first and the last."""
    found = []
    for block in pcm.reshape(-1, SYMBOL_SAMPLES):
        power = np.abs(np.fft.rfft(block * np.hanning(len(block)), RATE))
        found.append(round((int(np.argmax(power)) - tone(0, speaker)) / 40))
    assert found[0] == 2 and found[-1] == 1
    return "".join(SYMBOLS[symbol] for symbol in found[1:-1])


def test_the_speakers_are_those_of_the_file(voices: dict[str, Synthesizer]) -> None:
    russian = [voice for voice in voices.values() if voice.languages == ("ru",)]
    kazakh = [voice for voice in voices.values() if voice.languages == ("kk",)]
    assert len(russian) == 29 and len(kazakh) == 2 and len(voices) == 31
    assert {voice.id for voice in kazakh} == {"silero:kaz_zhadyra", "silero:kaz_zhazira"}
    assert all(v.licence == v.weights_licence == "MIT" for v in voices.values())


@pytest.mark.usefixtures("accentor_absent")
@pytest.mark.parametrize(
    ("voice", "number"),
    [
        ("kaz_zhadyra", 13),
        ("kaz_zhazira", 14),
        ("ru_aigul", 20),
        ("ru_eduard", 27),
        ("ru_saida", 42),
        ("ru_zinaida", 48),
    ],
)
def test_a_speaker_has_the_number_of_the_file(
    voices: dict[str, Synthesizer], voice: str, number: int
) -> None:
    pcm = said(voices[f"silero:{voice}"], "мы, ал.")
    assert pcm.dtype == np.float32 and heard(pcm, number).replace("+", "") == "мы, ал."


def test_kazakh_is_given_as_it_is_said(voices: dict[str, Synthesizer]) -> None:
    text = "Сәлем, әлем! Бүгін ауа райы – жақсы… Қалың қар?"
    expected = "сәлем, әлем! бүгін ауа райы — жақсы… қалың қар?"
    assert heard(said(voices["silero:kaz_zhadyra"], text), 13) == expected


def test_what_it_does_not_know_is_left_out(voices: dict[str, Synthesizer]) -> None:
    text = "Ол «ABC» 5% деді (иә) ☃ солай."
    assert heard(said(voices["silero:kaz_zhazira"], text), 14) == "ол   деді иә  солай."


@pytest.mark.parametrize(
    ("text", "given"), [("Иә", "иә."), ("Жоқ,", "жоқ."), ("Ә", "ә."), ("Иә!", "иә!"), ("О.", "о.")]
)
def test_the_shortest_texts_end_as_sentences(
    voices: dict[str, Synthesizer], text: str, given: str
) -> None:
    assert heard(said(voices["silero:kaz_zhadyra"], text), 13) == given


@pytest.mark.usefixtures("accentor_absent")
def test_russian_is_stressed_where_it_is_marked_and_by_a_dictionary(
    voices: dict[str, Synthesizer], caplog: pytest.LogCaptureFixture
) -> None:
    text = "Старый замок стоит на горе, и берёза, а 2+2."
    at = text.index("замок") + 1
    aigul = voices["silero:ru_aigul"]
    assert "зам+ок сто+ит" in heard(said(aigul, text), 20)
    marked = heard(said(aigul, text, stresses=(at,)), 20)
    assert marked.startswith("ст+арый з+амок сто+ит") and "бер+ёза" in marked
    assert marked.count("+") == heard(said(aigul, text), 20).count("+")
    warned = [r for r in caplog.records if "pip install torch" in r.getMessage()]
    assert len(warned) == 1


@pytest.mark.usefixtures("accentor_absent")
def test_marks_that_are_on_no_vowel_are_passed_over(voices: dict[str, Synthesizer]) -> None:
    aigul = voices["silero:ru_aigul"]
    usual = heard(said(aigul, "Дом на горе."), 20)
    assert heard(said(aigul, "Дом на горе.", stresses=(0, 3, 99)), 20) == usual


@pytest.mark.parametrize(
    ("text", "marked"),
    [
        ("Молоко каждое утро.", "Молок+о к+аждое +утро."),
        ("Ещё берёза и шёлк.", "Ещ+ё бер+ёза +и ш+ёлк."),
        ("Кот.", "К+от."),
        ("Гм, тсс!", "Гм, тсс!"),
        ("", ""),
    ],
)
def test_a_dictionary_knows_the_stress(text: str, marked: str) -> None:
    for at in sorted(russian_stresses(text), reverse=True):
        text = f"{text[:at]}+{text[at:]}"
    assert text == marked


def fake_accentor(monkeypatch: pytest.MonkeyPatch, accentor: Any) -> list[str]:
    """The package's interface; its own weights are 65 MB."""
    asked: list[str] = []
    package = ModuleType("silero_stress")
    package.__spec__ = importlib.util.spec_from_loader("silero_stress", None)

    def load_accentor(lang: str = "ru") -> Any:
        torch.set_num_threads(1)  # as the package does
        assert lang == "ru"
        return lambda text: asked.append(text) or accentor(text)

    package.load_accentor = load_accentor  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "silero_stress", package)
    return asked


def test_silero_stress_is_asked_where_it_is_installed(
    monkeypatch: pytest.MonkeyPatch, voices: dict[str, Synthesizer]
) -> None:
    asked = fake_accentor(monkeypatch, lambda text: text.replace("горе", "гор+е"))
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        pcm = said(voices["silero:ru_aigul"], "Замок на горе.", stresses=(1,))
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert asked == ["З+амок на горе."] and heard(pcm, 20) == "з+амок на гор+е."
    assert heard(said(voices["silero:kaz_zhadyra"], "Ол сонда."), 13) == "ол сонда."
    assert len(asked) == 1


def test_a_broken_silero_stress_leaves_the_dictionary(
    monkeypatch: pytest.MonkeyPatch, voices: dict[str, Synthesizer]
) -> None:
    def fail(text: str) -> str:
        raise KeyError(text)

    fake_accentor(monkeypatch, fail)
    assert heard(said(voices["silero:ru_aigul"], "Молоко там."), 20) == "молок+о т+ам."


@pytest.mark.parametrize("speed", [0.5, 1.25, 2.0])
def test_speed_shortens_speech_and_the_tones_stay(
    voices: dict[str, Synthesizer], speed: float
) -> None:
    zhadyra = voices["silero:kaz_zhadyra"]
    text = "а" * 20 + "."
    usual, changed = (said(zhadyra, text, Prosody(s)) for s in (1.0, speed))
    assert len(changed) == round(len(usual) / speed)
    middle = changed[len(changed) // 3 : len(changed) // 3 + 8192]
    hertz = np.argmax(np.abs(np.fft.rfft(middle * np.hanning(8192), RATE)))
    assert hertz == pytest.approx(tone(SYMBOLS.index("а"), 13), abs=10)


def test_the_same_text_is_the_same_sound_in_threads_that_load_it_once(
    monkeypatch: pytest.MonkeyPatch, voices: dict[str, Synthesizer]
) -> None:
    loads: list[Any] = []
    load = silero.SileroNetwork._load
    monkeypatch.setattr(silero.SileroNetwork, "_load", lambda s: loads.append(s) or load(s))
    text = "Сәлем, әлем!"
    wrong: list[str] = []

    def speak(name: str, number: int) -> None:
        for _ in range(5):
            if heard(said(voices[name], text), number) != text.lower():
                wrong.append(name)

    threads = [
        threading.Thread(target=speak, args=(f"silero:kaz_{name}", number))
        for name, number in (("zhadyra", 13), ("zhazira", 14)) * 2
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    assert not wrong and len(loads) == 1


def test_live_speech_comes_before_files_and_the_unwanted_leave(
    monkeypatch: pytest.MonkeyPatch, voices: dict[str, Synthesizer]
) -> None:
    zhadyra = voices["silero:kaz_zhadyra"]
    zhadyra.warm()
    order: list[str] = []
    go, begun, left = threading.Event(), threading.Event(), threading.Event()
    run = silero.SileroNetwork._run

    def slow(self: Any, network: Any, ids: list[int], speaker: int) -> Float32:
        begun.set()
        assert go.wait(10)
        order.append("".join(SYMBOLS[symbol] for symbol in ids[1:-1]))
        return run(self, network, ids, speaker)

    monkeypatch.setattr(silero.SileroNetwork, "_run", slow)

    def speak(text: str, is_live: bool) -> None:
        live.set(is_live)
        said(zhadyra, text)

    def leave() -> None:
        with pytest.raises(Cancelled):
            list(zhadyra.synthesize(Piece(0, "kk", "ешкім.", "", ()), PLAIN, gone.is_set))
        left.set()

    gone = threading.Event()
    turns = zhadyra._network._turns  # type: ignore[attr-defined]
    threads = [threading.Thread(target=speak, args=("бірінші.", False))]
    threads[0].start()
    assert begun.wait(10)
    for count, (target, args) in enumerate(
        [(speak, ("файл сөзі.", False)), (leave, ()), (speak, ("тірі сөз.", True))], start=1
    ):
        threads.append(threading.Thread(target=target, args=args))
        threads[-1].start()
        assert until(lambda count=count: len(turns) == count)
    gone.set()
    assert left.wait(10)
    go.set()
    for thread in threads:
        thread.join(10)
    assert not any(thread.is_alive() for thread in threads)
    assert order == ["бірінші.", "тірі сөз.", "файл сөзі."]


def test_nobody_waits_so_nothing_is_loaded(voices: dict[str, Synthesizer]) -> None:
    voice = voices["silero:kaz_zhadyra"]
    with pytest.raises(Cancelled):
        list(voice.synthesize(Piece(0, "kk", "Ана.", "", ()), PLAIN, lambda: True))
    assert voice._network._loaded is None  # type: ignore[attr-defined]


@pytest.mark.parametrize("text", ["", "...", "Hello 5%", "☃"])
def test_what_it_cannot_say_is_left_to_another_voice(
    voices: dict[str, Synthesizer], text: str
) -> None:
    with pytest.raises(VoiceFailed, match="nothing in the text"):
        said(voices["silero:kaz_zhadyra"], text)


def test_another_language_is_refused(voices: dict[str, Synthesizer]) -> None:
    for voice, language in (("kaz_zhadyra", "ru"), ("ru_aigul", "kk")):
        with pytest.raises(VoiceFailed, match=f"'{language}'"):
            piece = Piece(0, language, "Ана.", "", ())
            list(voices[f"silero:{voice}"].synthesize(piece, PLAIN, never))


def test_no_file_and_no_torch_are_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = silero_voices(tmp_path, find_ffmpeg)
    assert not found.voices and str(tmp_path / FILE) in found.missing[0].why
    write_network(tmp_path / FILE)
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "torch" else find(name)
    )
    found = silero_voices(tmp_path, find_ffmpeg)
    assert not found.voices and "pip install torch==2.13.0" in found.missing[0].why


def test_a_cut_and_a_foreign_file_are_told_and_may_be_brought_again(
    voices: dict[str, Synthesizer], file: Path
) -> None:
    whole = file.read_bytes()
    voice = voices["silero:kaz_zhadyra"]
    for content in (b"", whole[: len(whole) // 2], b"<html>Not found</html>"):
        file.write_bytes(content)
        for attempt in (voice.warm, lambda: said(voice, "Ана.")):
            with pytest.raises(VoiceFailed, match=r"nostress\.jit cannot be loaded: bring it"):
                attempt()
    file.write_bytes(whole)
    assert heard(said(voice, "Ана."), 13) == "ана."


class Other(torch.nn.Module):
    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        return pictures


class Nothing(torch.nn.Module):
    def forward(self, ids: torch.Tensor, speaker: torch.Tensor) -> torch.Tensor:
        return torch.log(-torch.ones(ids.numel()))


@pytest.mark.parametrize(("module", "why"), [(Other(), "forward"), (Nothing(), "no sound")])
def test_a_network_of_something_else_is_told(
    tmp_path: Path, module: torch.nn.Module, why: str
) -> None:
    write_network(tmp_path / FILE, module)
    voice = silero_voices(tmp_path, find_ffmpeg).voices[-1]
    with pytest.raises(VoiceFailed, match=f"Silero failed: .*{why}"):
        said(voice, "Ана.")


def test_without_ffmpeg_it_speaks_at_its_own_speed(file: Path, tmp_path: Path) -> None:
    voice = silero_voices(tmp_path, lambda: Ffmpeg("/nowhere/ffmpeg", "")).voices[-1]
    assert len(said(voice, "Ана."))
    with pytest.raises(VoiceFailed, match="could not be started"):
        said(voice, "Ана.", Prosody(1.5))
