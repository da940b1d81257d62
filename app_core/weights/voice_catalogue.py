"""The voices that can be brought: where their files are, and under which licences.

The sha256 of each Piper file is that of the Git LFS pointer in copies of its repository, and of
each Silero file what several projects have pinned. MODEL_CARD, the licence in the words of whoever
made the voice, has been changed over time: nobody has told the sha256 of the one that comes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from app_core.errors import NotFound
from app_core.weights.download import WebFile
from app_core.weights.voices import VoiceFile, VoiceWeights

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app_core.weights.voices import Note

_PIPER = (
    "https://huggingface.co/rhasspy/piper-voices/resolve/c10ece1aade47bb51c153c893d14e5bf8e5b7117"
)
_SILERO = "https://models.silero.ai/models/tts/ru/v5_cis_base_nostress.jit"
_SILERO_LICENCE = (
    "https://raw.githubusercontent.com/snakers4/silero-models/"
    "d9355348e2781dc8fa25a135d1602c530afae24c/LICENSE_CIS"
)
_CLEAR, _UNCLEAR, _FORBIDDEN = True, None, False


def _piper(
    key: str,
    name: str,
    weights_licence: str,
    commercial: bool | None,
    weights: tuple[int, str],
    settings: tuple[int, str],
    *notes: Note,
) -> VoiceWeights:
    """``weights`` and ``settings``: bytes and sha256 of the .onnx and its .json."""
    region, speaker, quality = key.split("-")
    language = region.partition("_")[0]
    base = f"{_PIPER}/{language}/{region}/{speaker}/{quality}"
    return VoiceWeights(
        id=f"piper:{key}",
        name=name,
        engine="piper",
        languages=(language,),
        licence="GPL-3.0-or-later",
        weights_licence=weights_licence,
        commercial=commercial,
        folder="piper",
        files=(
            VoiceFile(f"{key}.MODEL_CARD", WebFile(f"{base}/MODEL_CARD", None, None)),
            VoiceFile(f"{key}.onnx.json", WebFile(f"{base}/{key}.onnx.json", *settings)),
            VoiceFile(f"{key}.onnx", WebFile(f"{base}/{key}.onnx", *weights)),
        ),
        module="piper",
        mend="pip install piper-tts==1.8.0",
        notes=notes,
    )


def _coqui(
    model: str, name: str, languages: tuple[str, ...], weights_licence: str, size: int
) -> VoiceWeights:
    pull = f".venv/bin/python -m soyle_coqui pull {model}"
    return VoiceWeights(
        id=f"coqui:{model}",
        name=name,
        engine="coqui",
        languages=languages,
        licence="MPL-2.0",
        weights_licence=weights_licence,
        commercial=_FORBIDDEN,
        folder="",
        files=(),
        module="",
        mend="",
        how=f"make coqui && cd integrations/coqui && {pull}",
        elsewhere_size=size,
    )


VOICES = (
    VoiceWeights(
        id="silero",
        name="Silero v5 CIS base",
        engine="silero",
        languages=("ru", "kk"),
        licence="MIT",
        weights_licence="MIT",
        commercial=_CLEAR,
        folder="silero",
        files=(
            VoiceFile(
                "LICENSE_CIS",
                WebFile(
                    _SILERO_LICENCE,
                    1076,
                    "a27fc071e03323fecda8a6ba416109bf36811801fa0c95e4371cf9105848718d",
                ),
            ),
            VoiceFile(
                "v5_cis_base_nostress.jit",
                WebFile(
                    _SILERO,
                    91_695_221,
                    "d7d361caf78b8480bcd65a0c367af665a2bf6f06c8507306e3781dc7c6ce781b",
                ),
            ),
        ),
        module="torch",
        mend="make neural",
    ),
    _piper(
        "kk_KZ-issai-high",
        "ISSAI",
        "CC-BY-4.0",
        _CLEAR,
        (127_864_258, "4dee767c893e8535da821447d12cb030e3569e11254c14030a1da5d8b2222c16"),
        (4358, "eb145ac8712b87beda9f0266e95b98cad76acce89d4626cd8b1408234e9842f0"),
    ),
    _piper(
        "kk_KZ-raya-x_low",
        "Raya",
        "CC-BY-4.0",
        _CLEAR,
        (28_130_791, "75552af00254baee9f85b976877e039f9530ea86ddb83d70262b72925785a0aa"),
        (4167, "b8a239282afd4094e19a1aab0d44623e3bc4c7b4150d57c39ce972193c9e70e3"),
    ),
    _piper(
        "kk_KZ-iseke-x_low",
        "Iseke",
        "CC-BY-4.0",
        _CLEAR,
        (28_130_791, "dcf526e1c089823c9f896f8f7fddd9b05d538752e139c8a2b4cf4fba41c9715c"),
        (4168, "7af909edcbec3d595cb8cfb810dbf19ea3d6bed5edc18ed9e5ed80631fd5e3a9"),
    ),
    _piper(
        "ru_RU-denis-medium",
        "Denis",
        "CC0-1.0",
        _UNCLEAR,
        (63_201_294, "15fab56e11a097858ee115545d0f697fc2a316c41a291a5362349fb870411b0a"),
        (4823, "831c860dac0b5073eaa81610a0a638ec23d90a6cf8e5f871b4485c2cec3767c8"),
        "from_lessac",
    ),
    _piper(
        "ru_RU-dmitri-medium",
        "Dmitri",
        "CC0-1.0",
        _UNCLEAR,
        (63_201_294, "f073356ebc4bd0f80c5af58df2953a5988bd5bdab1eb38635ce960b071fbefcb"),
        (4824, "667ef3117bc642c2892dff7690d8bdc8ca4228aeaa783b2dc1416df632855e0d"),
        "from_lessac",
    ),
    _piper(
        "ru_RU-irina-medium",
        "Irina",
        "not stated",
        _UNCLEAR,
        (63_201_294, "8ff38212d23da300bbe3705c645e6e5b9475f0bfde01558eb17813e22acaaaaa"),
        (4765, "c2ec28bb38e2b59e93b959b3e40348c1afebbd272f30fed5d41205d08e98a9d7"),
        "no_licence_stated",
        "from_lessac",
    ),
    _piper(
        "ru_RU-ruslan-medium",
        "Ruslan",
        "CC-BY-NC-SA-4.0",
        _FORBIDDEN,
        (63_201_294, "72a5f88e0b20928064eb45d88e1daa21f8af62d18613580d32cbb4aed48dcf7f"),
        (4882, "706a4fb17bc304abd07809b552deae615e64dcbffbfbd09854ba37ca59e88117"),
    ),
    _piper(
        "en_US-ljspeech-medium",
        "LJ Speech",
        "public domain",
        _CLEAR,
        (63_531_379, "6f52a751e2349abe7a76735eb09dc1875298c77ea2342ffd2fef79ff81b87f22"),
        (4972, "141d612cc0a95ed7efc1ca936b845c2364967f2e9217c5dbfcf69fc4d6c65860"),
    ),
    _piper(
        "en_US-ljspeech-high",
        "LJ Speech, high quality",
        "public domain",
        _CLEAR,
        (114_199_011, "5d4f08ba6a2a48c44592eed3ce56bf85e9de3dd4e20df90541ae68a8310c029a"),
        (4970, "7e1f4634af596d83cca997fb7a931ba80b70f8a316a2655ee69c55365e0ace14"),
    ),
    _piper(
        "en_US-norman-medium",
        "Norman",
        "public domain",
        _CLEAR,
        (63_531_379, "b9739443232a80a59c7d18810dd856899bf16a7964725f5ab81ea49b1351cb71"),
        (4968, "6c2db7f558a4a8deb9fe822583c1c5105f6c4e834dd0f9de8ad17a888ee9fe1d"),
    ),
    _piper(
        "en_US-libritts-high",
        "LibriTTS, 904 speakers",
        "CC-BY-4.0",
        _CLEAR,
        (136_673_811, "9127a559e11603f10b366d1a20ac7426826081dbc521de4c2420c57728d73f0f"),
        (20_163, "2efdc6d7f954588b8180132cbd9b8001933fdd00932c92bc92fd0d2028a9eb3d"),
    ),
    _piper(
        "en_US-lessac-medium",
        "Lessac",
        "Blizzard Challenge 2013 licence",
        _FORBIDDEN,
        (63_201_294, "5efe09e69902187827af646e1a6e9d269dee769f9877d17b16b1b46eeaaf019f"),
        (4885, "efe19c417bed055f2d69908248c6ba650fa135bc868b0e6abb3da181dab690a0"),
    ),
    _coqui("xtts", "XTTS v2", ("ru", "en"), "Coqui Public Model License 1.0.0", 1_870_000_000),
    _coqui("mms-kaz", "MMS Kazakh", ("kk",), "CC-BY-NC-4.0", 145_000_000),
)


def voice_weights(voice_id: str, voices: Sequence[VoiceWeights] = VOICES) -> VoiceWeights:
    """Those of a voice. Raises NotFound (field ``voice``) that names those there are."""
    for voice in voices:
        if voice.owns(voice_id):
            return voice
    names = ", ".join(voice.id for voice in voices)
    raise NotFound(
        f"There is no voice {voice_id!r} to be brought; there are: {names}", field="voice"
    )
