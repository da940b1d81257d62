"""An importer with behaviour: what the upload says decides what becomes of it."""

from __future__ import annotations

import shutil
import threading
import uuid
from functools import cache
from pathlib import Path

import cv2
import numpy as np

from app_core.avatars.importing.import_queue import Import
from app_core.avatars.metadata import write_metadata
from app_core.errors import BadInput, Cancelled, NoFace
from app_core.face.track import crop_track, load_track, save_track
from tests.faces import FOLDER

SIZE = (270, 480)
GOOD = b"a face"
CROWD = b"two faces in the dark"


@cache
def _still() -> np.ndarray:
    pixels = cv2.imread(str(FOLDER / "aigul" / "still.png"))
    return cv2.resize(pixels, SIZE, interpolation=cv2.INTER_AREA)


def make_still_avatar(home: Path, name: str = "Somebody", **more: object) -> Path:
    """A small avatar with a still, as an import makes it."""
    home.mkdir(parents=True)
    cv2.imwrite(str(home / "still.png"), _still())
    track = load_track(FOLDER / "aigul" / "track.npz")
    scale = (SIZE[0] / 1080, SIZE[1] / 1920)
    save_track(home / "track.npz", crop_track(track, (0, 0), scale))
    made = {"name": name, "kind": "photo", "finder": "fake", "pictures": 1, "seen": 1}
    write_metadata(home, made | more | {"gains": {"jaw": 1.0, "open": 1.0}})
    return home


class Importer:
    """``gate`` holds imports still while it is clear. An upload that says "nobody", "broken",
    "full" or "bug" fails so; what it began is removed, as it is by a cancel.
    """

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.began: list[str] = []
        self.sources: list[Path] = []

    def __call__(self, item: Import, home: Path) -> None:
        self.began.append(item.id)
        self.sources.append(item.source)
        part = home.with_name(f".{home.name}.part-{uuid.uuid4().hex[:8]}")
        part.mkdir(parents=True)
        try:
            item.note("reading", 0.1)
            said = item.source.read_bytes()
            if said == b"nobody":
                raise NoFace("No face was found in this photo", field="file")
            if said == b"broken":
                raise BadInput("This is no photo and no clip", field="file")
            if said == b"full":
                raise OSError(28, "No space left on device")
            if said == b"bug":
                raise RuntimeError("a bug")
            item.note("faces", 0.5)
            while not self.gate.wait(0.01):
                if item.cancelled():
                    raise Cancelled("The import was cancelled")
            if item.cancelled():
                raise Cancelled("The import was cancelled")
            saw = {"people": 2, "warnings": ["second_face", "dark"]} if said == CROWD else {}
            saw |= item.choice.metadata | {"owner": item.owner or None}
            made = make_still_avatar(part / "made", item.name, consent=item.consent, **saw)
            made.rename(home)
        finally:
            shutil.rmtree(part)
