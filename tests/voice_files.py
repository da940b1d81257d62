"""A catalogue of voices whose files a test's own server has."""

from __future__ import annotations

import hashlib
from typing import Any

from app_core.weights.download import WebFile
from app_core.weights.voices import VoiceFile, VoiceWeights
from tests.file_server import FileServer

CARD, WEIGHTS = b"License: CC0\n", bytes(range(256)) * 4000


def voice_of(server: FileServer, name: str, **changed: Any) -> VoiceWeights:
    """``tube:<name>``: a card whose sha256 nobody has told, and weights."""
    url, size, sha256 = server.url("weights"), len(WEIGHTS), hashlib.sha256(WEIGHTS).hexdigest()
    fields: dict[str, Any] = {
        "id": f"tube:{name}",
        "name": name.title(),
        "engine": "tube",
        "languages": ("ru", "kk"),
        "licence": "MIT",
        "weights_licence": "CC0-1.0",
        "commercial": True,
        "folder": "tube",
        "files": (
            VoiceFile(f"{name}.card", WebFile(server.url("card"), None, None)),
            VoiceFile(f"{name}.onnx", WebFile(url, size, sha256)),
        ),
        "module": "",
        "mend": "",
    }
    return VoiceWeights(**fields | changed)
