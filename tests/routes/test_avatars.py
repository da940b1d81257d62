"""/api/avatars: every answer, on an importer with behaviour."""

from __future__ import annotations

import io
import tomllib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from app_core.avatars.library import AvatarLibrary
from app_core.config import Config
from app_core.face.track import load_track
from app_core.storage.claims import CLAIMS
from tests.back_end import CLUSTER
from tests.below import entries_below
from tests.conftest import checked_client, until
from tests.importing import CROWD, GOOD, SIZE, Importer, make_still_avatar

PATH = "/api/avatars"
BEARER = {"Authorization": "Bearer secret"}
LATER = {"Prefer": "respond-async"}


@pytest.fixture
def importer() -> Importer:
    return Importer()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    home = tmp_path / "avatars"
    make_still_avatar(home / "aigul", "Aigul")
    return home


@pytest.fixture
def make(make_service: Any, importer: Importer, folder: Path, tmp_path: Path) -> Any:
    def make(**settings: Any) -> Any:
        config = Config(
            avatar="aigul", avatar_dir=folder, work_dir=tmp_path / "work", sway=False, **settings
        )
        library = AvatarLibrary(folder)
        return checked_client(make_service(config=config, library=library, importer=importer))

    return make


@pytest.fixture
def client(make: Any) -> Any:
    return make()


def form(content: bytes = GOOD, file_name: str = "me.jpg", **fields: str) -> dict[str, Any]:
    given = {"consent": "true", "name": "Айгүл"} | fields
    return {key: value for key, value in given.items() if value} | {
        "file": (io.BytesIO(content), file_name)
    }


def post(client: Any, *args: Any, headers: Any = None, **fields: Any) -> Any:
    return client.post(PATH, data=form(*args, **fields), headers=headers)


def left(tmp_path: Path) -> list[Path]:
    """Files of uploads, and of imports that did not end well."""
    work, avatars = tmp_path / "work", tmp_path / "avatars"
    return entries_below(work) + [path for path in avatars.iterdir() if path.name.startswith(".")]


def test_the_list_names_all_and_the_default(client: Any) -> None:
    told = client.get(PATH).json
    assert told["default"] == "aigul"
    (aigul,) = told["avatars"]
    assert (aigul["id"], aigul["name"], aigul["status"]) == ("aigul", "Aigul", "ready")
    assert (aigul["width"], aigul["height"], aigul["kind"]) == (*SIZE, "photo")
    assert not aigul["removable"] and not aigul["editable"]
    assert client.get(f"{PATH}/aigul").json == aigul


def test_a_photo_becomes_an_avatar_that_speaks(client: Any, tmp_path: Path) -> None:
    answer = post(client)
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"{PATH}/aigul-2"
    told = answer.json
    assert (told["id"], told["name"], told["status"]) == ("aigul-2", "Айгүл", "ready")
    assert (told["finder"], told["faces"], told["progress"]) == ("fake", 1, 1.0)
    assert told["removable"] and told["editable"]
    assert [a["id"] for a in client.get(PATH).json["avatars"]] == ["aigul", "aigul-2"]
    assert left(tmp_path) == []
    metadata = tomllib.loads((tmp_path / "avatars/aigul-2/avatar.toml").read_text())
    assert metadata["consent"].startswith("20") and metadata["consent"].endswith("+00:00")
    said = {"text": "one", "pace": "asap", "size": "128x128", "avatar": "aigul-2"}
    assert client.post("/api/stream_mjpeg", json=said).status_code == 200


def test_an_import_says_what_it_saw_and_says_it_later_too(client: Any) -> None:
    told = post(client, CROWD, id="me").json
    assert [warning["code"] for warning in told["warnings"]] == ["second_face", "dark"]
    assert all(warning["sentence"].endswith(".") for warning in told["warnings"])
    assert told["people"] == 2
    assert client.get(f"{PATH}/me").json == told
    moved = client.put(f"{PATH}/me/mouth", json={"gains": {"jaw": 1.5}}).json
    assert moved["warnings"] == told["warnings"]
    assert post(client, id="fine").json["warnings"] == []


def test_a_face_and_a_rotation_can_be_chosen(client: Any, tmp_path: Path) -> None:
    assert post(client, id="me", face="1", rotate="270").status_code == 201
    metadata = tomllib.loads((tmp_path / "avatars/me/avatar.toml").read_text())
    assert (metadata["face"], metadata["rotate"]) == (1, 270)
    assert post(client, id="it", face="10.5,20", rotate="0").status_code == 201
    metadata = tomllib.loads((tmp_path / "avatars/it/avatar.toml").read_text())
    assert (metadata["face"], metadata["rotate"]) == ("10.5,20", 0)


def test_an_import_can_be_watched(client: Any, importer: Importer) -> None:
    importer.gate.clear()
    answer = post(client, headers=LATER, id="me")
    assert (answer.status_code, answer.json["status"]) == (202, "importing")
    assert answer.headers["Location"] == f"{PATH}/me"
    assert until(lambda: client.get(f"{PATH}/me").json["stage"] == "faces")
    told = client.get(f"{PATH}/me").json
    assert (told["progress"], told["preview_url"], told["width"]) == (0.5, None, None)
    assert client.get(f"{PATH}/me/preview.jpg").status_code == 409
    assert client.get(f"{PATH}/me/landmarks").status_code == 409
    assert client.put(f"{PATH}/me/mouth", json={"gains": {"jaw": 1}}).status_code == 409
    importer.gate.set()
    assert until(lambda: client.get(f"{PATH}/me").json["status"] == "ready")


@pytest.mark.parametrize(
    ("content", "status", "code"),
    [(b"nobody", 400, "no_face"), (b"broken", 400, "bad_input"), (b"full", 507, "disk_full")],
)
def test_a_bad_upload_says_why_and_leaves_nothing(
    client: Any, tmp_path: Path, content: bytes, status: int, code: str
) -> None:
    answer = post(client, content, id="me")
    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert client.get(f"{PATH}/me").status_code == 404
    later = post(client, content, headers=LATER, id="me")
    assert later.status_code == 202
    assert until(lambda: client.get(f"{PATH}/me").json["status"] == "failed")
    told = client.get(f"{PATH}/me").json
    assert (told["error"]["code"], told["stage"]) == (code, "reading")
    others_are_told = [CLAIMS] if CLUSTER else []
    assert [path.name for path in left(tmp_path)] == others_are_told
    assert client.delete(f"{PATH}/me").json == {"id": "me", "removed": True}
    assert client.get(f"{PATH}/me").status_code == 404


def test_a_failed_id_can_be_tried_again(client: Any) -> None:
    post(client, b"nobody", headers=LATER, id="me")
    assert until(lambda: client.get(f"{PATH}/me").json["status"] == "failed")
    assert post(client, id="me").status_code == 201
    assert client.get(f"{PATH}/me").json["status"] == "ready"


def test_a_bug_is_no_traceback(client: Any) -> None:
    answer = post(client, b"bug")
    assert (answer.status_code, answer.json["code"]) == (500, "internal")
    assert "bug" not in answer.text


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"consent": ""}, "consent"),
        ({"face": "left"}, "face"),
        ({"face": "-1"}, "face"),
        ({"rotate": "45"}, "rotate"),
        ({"consent": "yes"}, "consent"),
        ({"id": "../up"}, "id"),
        ({"id": "Big"}, "id"),
        ({"id": "a" * 65}, "id"),
        ({"name": "n" * 81}, "name"),
        ({"color": "red"}, "color"),
        ({"name": "n" * 5000}, "name"),
    ],
)
def test_a_wrong_field_is_named(
    client: Any, importer: Importer, tmp_path: Path, fields: dict[str, str], field: str
) -> None:
    answer = post(client, **fields)
    assert (answer.status_code, answer.json["field"]) == (400, field)
    assert left(tmp_path) == [] and importer.began == []


def test_the_file_is_one_file(client: Any, tmp_path: Path) -> None:
    for data in (
        {"consent": "true"},
        {"consent": "true", "file": "text"},
        {"consent": "true", "file": [(io.BytesIO(b"1"), "a"), (io.BytesIO(b"2"), "b")]},
        {"name": (io.BytesIO(b"1"), "a"), "file": (io.BytesIO(b"1"), "a")},
    ):
        answer = client.post(PATH, data=data, content_type="multipart/form-data")
        assert answer.status_code == 400, data
        assert answer.json["field"] in ("file", "name")
    assert left(tmp_path) == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"random bytes without a boundary",
        b"--x\r\n",
        b"--x\r\nContent-Type: a\r\n\r\nno disposition\r\n--x--\r\n",
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\ncut',
        b'--x\r\nContent-Disposition: form-data; name="consent"\r\n\r\n\xff\xfe\r\n--x--\r\n',
        b"--x\r\n" + b"h" * 400_000,
    ],
)
def test_a_form_that_is_none(client: Any, tmp_path: Path, body: bytes) -> None:
    answer = client.post(PATH, data=body, content_type="multipart/form-data; boundary=x")
    assert (answer.status_code, answer.json["code"]) == (400, "bad_input")
    assert client.post(PATH, data=body, content_type="multipart/form-data").status_code == 400
    assert left(tmp_path) == []


def test_not_a_form(client: Any) -> None:
    assert client.post(PATH, json={"file": "x"}).status_code == 415
    assert client.post(PATH, data=b"x", content_type="image/jpeg").status_code == 415


def test_too_large(make: Any, tmp_path: Path) -> None:
    client = make(max_upload_mb=1)
    part = b'--x\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n'
    consent = part % (b"consent", b"", b"true")
    for much in (1 << 20, (1 << 20) + 1, 2 << 20):
        body = consent + part % (b"file", b'; filename="a"', b"x" * much) + b"--x--\r\n"
        answer = client.post(PATH, data=body, content_type="multipart/form-data; boundary=x")
        assert (answer.status_code == 413) == (much > 1 << 20), much
    assert answer.json["code"] == "too_large" and "1 MiB" in answer.json["error"]
    assert left(tmp_path) == []


def test_an_id_that_is_taken(client: Any, importer: Importer) -> None:
    assert post(client, id="aigul").status_code == 409
    importer.gate.clear()
    assert post(client, headers=LATER, id="me").status_code == 202
    assert post(client, id="me").status_code == 409
    importer.gate.set()


def test_names_make_ids_of_their_own(client: Any) -> None:
    ids = [post(client, name=name).json["id"] for name in ("Щучка!", "Щучка!", "李")]
    assert ids == ["shchuchka", "shchuchka-2", "avatar"]
    answer = post(client, GOOD, "photos/Жан.JPG", name="")
    assert (answer.json["id"], answer.json["name"]) == ("zhan", "Жан")


def test_a_full_queue_says_when_to_come_back(client: Any, importer: Importer) -> None:
    importer.gate.clear()
    answers = [post(client, headers=LATER) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [202] * 4 + [503]
    assert answers[-1].headers["Retry-After"] == "15"
    importer.gate.set()
    assert until(lambda: len(client.get(PATH).json["avatars"]) == 5)
    assert until(lambda: post(client).status_code == 201)


def test_removing(client: Any, tmp_path: Path) -> None:
    post(client, id="me")
    answer = client.delete(f"{PATH}/me")
    assert answer.json == {"id": "me", "removed": True}
    assert not (tmp_path / "avatars/me").exists()
    assert left(tmp_path) == []
    for path in ("me", "..", "a" * 65, "%2e%2e"):
        assert client.delete(f"{PATH}/{path}").status_code == 404
    said = {"text": "one", "avatar": "me"}
    assert client.post("/api/stream_mjpeg", json=said).status_code == 404


def test_what_cannot_be_removed(make: Any, folder: Path) -> None:
    make_still_avatar(folder / "ours", "Ours")
    client = make()
    assert client.delete(f"{PATH}/aigul").status_code == 409
    assert (folder / "aigul/still.png").exists()
    assert client.put(f"{PATH}/aigul/mouth", json={"gains": {"jaw": 0.5}}).status_code == 409
    assert client.delete(f"{PATH}/ours").status_code == 200


def test_a_broken_avatar_is_listed_as_such(client: Any, folder: Path) -> None:
    (make_still_avatar(folder / "ours") / "still.png").write_bytes(b"GIF89a")
    ours = client.get(f"{PATH}/ours").json
    assert (ours["status"], ours["error"]["code"]) == ("failed", "bad_input")
    assert len(client.get(PATH).json["avatars"]) == 2
    assert client.get(f"{PATH}/ours/preview.jpg").status_code == 400
    assert client.delete(f"{PATH}/ours").status_code == 200


def picture(answer: Any) -> np.ndarray:
    return cv2.imdecode(np.frombuffer(answer.data, np.uint8), cv2.IMREAD_COLOR)


def test_the_preview(client: Any, folder: Path) -> None:
    path = f"{PATH}/aigul/preview.jpg"
    whole = client.get(path)
    assert (whole.mimetype, picture(whole).shape) == ("image/jpeg", (SIZE[1], SIZE[0], 3))
    assert picture(client.get(f"{path}?size=96")).shape == (96, 54, 3)
    assert picture(client.get(f"{path}?size=96&square=true")).shape == (96, 96, 3)
    tag = whole.headers["ETag"]
    again = client.get(path, headers={"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")
    still = folder / "aigul/still.png"
    cv2.imwrite(str(still), cv2.imread(str(still))[:, ::-1])
    fresh = client.get(path, headers={"If-None-Match": tag})
    assert fresh.status_code == 200 and fresh.headers["ETag"] != tag
    for wrong in ("size=0", "size=5000", "size=x", "square=maybe", "color=1", "size=64&size=65"):
        assert client.get(f"{path}?{wrong}").status_code == 400, wrong
    assert client.get(f"{PATH}/nobody/preview.jpg").status_code == 404


def test_the_landmarks(client: Any) -> None:
    told = client.get(f"{PATH}/aigul/landmarks").json
    assert (told["width"], told["height"]) == SIZE
    assert len(told["points"]["lip_upper_outer"]) == 17
    left_corner, right_corner = told["mouth"]["corner_left"], told["mouth"]["corner_right"]
    assert 0 < left_corner[0] < right_corner[0] < SIZE[0]
    assert client.get(f"{PATH}/nobody/landmarks").status_code == 404


def test_the_mouth_is_moved(client: Any, folder: Path) -> None:
    post(client, id="me")
    before = load_track(folder / "me/track.npz")
    mouth = client.get(f"{PATH}/me/landmarks").json["mouth"]
    moved = {name: [x + 3, y + 2] for name, (x, y) in mouth.items()}
    answer = client.put(f"{PATH}/me/mouth", json={"points": moved, "gains": {"jaw": 0.5}})
    assert answer.status_code == 200
    assert answer.json["gains"] == {"jaw": 0.5, "open": 1.0}
    now = client.get(f"{PATH}/me/landmarks").json["mouth"]
    assert all(np.allclose(now[name], moved[name], atol=0.05) for name in moved)
    after = load_track(folder / "me/track.npz")
    assert np.array_equal(after.landmarks[0, 68:], before.landmarks[0, 68:])
    metadata = tomllib.loads((folder / "me/avatar.toml").read_text())
    assert (metadata["name"], metadata["gains"]) == ("Айгүл", {"jaw": 0.5, "open": 1.0})
    only = client.put(f"{PATH}/me/mouth", json={"gains": {"open": 2.0}}).json
    assert only["gains"] == {"jaw": 0.5, "open": 2.0}
    assert sorted(path.name for path in (folder / "me").iterdir()) == [
        "avatar.toml",
        "still.png",
        "track.npz",
    ]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "points"),
        ([], None),
        ({"points": {}}, "points"),
        ({"points": {"nose": [1, 1]}}, "points"),
        ({"points": {"upper": [1]}}, "points"),
        ({"points": {"upper": ["1", 2]}}, "points"),
        ({"points": {"upper": [1e9, 2]}}, "points"),
        ({"points": {"lip_upper_outer": [[1, 1]] * 16}}, "points"),
        ({"points": {"lip_upper_outer": [[1, 1]] * 17}}, "points"),
        ({"gains": {"jaw": 0.1}}, "gains"),
        ({"gains": {"open": 2.1}}, "gains"),
        ({"gains": {"lips": 1}}, "gains"),
        ({"gain": 1}, "gain"),
    ],
)
def test_a_wrong_mouth_changes_nothing(client: Any, folder: Path, body: Any, field: Any) -> None:
    make_still_avatar(folder / "me")
    files = {path: path.read_bytes() for path in (folder / "me").iterdir()}
    answer = client.put(f"{PATH}/me/mouth", json=body)
    assert (answer.status_code, answer.json["field"]) == (400, field)
    assert {path: path.read_bytes() for path in (folder / "me").iterdir()} == files


def test_a_mouth_that_is_no_json(client: Any, folder: Path) -> None:
    make_still_avatar(folder / "me")
    assert client.put(f"{PATH}/me/mouth", data=b"x").status_code == 415
    assert client.put(f"{PATH}/nobody/mouth", json={"gains": {"jaw": 1}}).status_code == 404
    huge = b'{"points": "' + b"x" * (1 << 20) + b'"}'
    sent = client.put(f"{PATH}/me/mouth", data=huge, content_type="application/json")
    assert sent.status_code == 413


def test_the_token_and_signed_pictures(make: Any) -> None:
    client = make(api_token="secret")
    for method, path in (
        ("GET", PATH),
        ("POST", PATH),
        ("DELETE", f"{PATH}/aigul"),
        ("GET", f"{PATH}/aigul/preview.jpg"),
        ("PUT", f"{PATH}/aigul/mouth"),
    ):
        assert client.open(path, method=method).status_code == 401
    post(client, headers=BEARER, id="me")
    urls = {a["id"]: a["preview_url"] for a in client.get(PATH, headers=BEARER).json["avatars"]}
    assert client.get(urls["me"]).status_code == 200
    assert client.get(f"{urls['me']}&size=96").status_code == 200
    assert client.get(urls["me"].replace("/me/", "/aigul/")).status_code == 401
    token = urls["me"].partition("?")[2]
    assert client.get(f"{PATH}/me?{token}").json["preview_url"] == urls["me"]
    assert client.delete(f"{PATH}/me?{token}").status_code == 401
    assert client.get(f"/api/jobs/me?{token}").status_code == 401


def test_other_origins(make: Any) -> None:
    client = make(cors_origins="https://good.kz")
    bad = {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}
    good = {"Sec-Fetch-Site": "cross-site", "Origin": "https://good.kz"}
    assert post(client, headers=bad).status_code == 403
    assert client.delete(f"{PATH}/aigul", headers=bad).status_code == 403
    answer = client.get(PATH, headers=good)
    assert answer.headers["Access-Control-Allow-Origin"] == "https://good.kz"
    tag = {"Sec-Fetch-Site": "cross-site", "Referer": "https://good.kz/page"}
    assert client.get(f"{PATH}/aigul/preview.jpg", headers=tag).status_code == 200
