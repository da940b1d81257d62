"""/api/avatars: the faces there are, new ones from an upload, and the mouth of each."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

from flask import Blueprint, Response, jsonify, request, url_for

from app_core.avatars.collection import LONGEST_NAME
from app_core.errors import BadInput
from app_core.face.face_choice import read_choice
from app_core.routes.avatar_form import AvatarForm
from app_core.routes.avatar_requests import MouthRequest, PreviewQuery
from app_core.routes.film import wants_async
from app_core.routes.http.access import signed
from app_core.routes.http.caller import caller, own
from app_core.routes.http.context import config, json_body, leaving, query, service
from app_core.routes.http.multipart_form import read_form
from app_core.routes.openapi.operation import JPEG, JSON, Good, Operation
from app_core.routes.openapi.responses import Avatar, Avatars, Landmarks, Removed

if TYPE_CHECKING:
    from typing import Any

blueprint = Blueprint("avatars", __name__)
FACE = (404,)
"""Statuses of what is asked of one avatar."""
_FIELDS = ("name", "id", "consent", "face", "rotate")


def _shown(record: dict[str, Any]) -> dict[str, Any]:
    """The record as clients see it, with the address of its picture."""
    path = url_for("avatars.preview", avatar_id=record["id"])
    ready = record["status"] == "ready"
    return record | {"preview_url": signed(path, f"avatar:{record['id']}") if ready else None}


@blueprint.get("/api/avatars")
@Operation(
    "Avatars",
    "Who can be seen, and who is on the way",
    (Good("The avatars by their ids", {JSON: Avatars}),),
)
def all_avatars() -> Response:
    records = [_shown(record) for record in service().avatars.all(own())]
    return jsonify({"avatars": records, "default": config().avatar})


@blueprint.post("/api/avatars")
@Operation(
    "Avatars",
    "Make an avatar of a photo or a clip",
    (
        Good("The avatar, which can speak", {JSON: Avatar}, ("Location",), 201),
        Good(
            "It is being imported (Prefer: respond-async)",
            {JSON: Avatar},
            ("Location", "Preference-Applied"),
            202,
        ),
    ),
    (400, 409, 413, 415, 500, 503, 507),
    form=AvatarForm,
    headers={"Prefer": "respond-async answers 202 at once; the avatar says how far it is"},
    details="400 names the reason: no face, no picture or video, too long, too large. What"
    " makes a worse face is no error: 'warnings' tell it.",
)
def add() -> Response:
    avatars = service().avatars
    with avatars.upload(caller(), request.content_length or 0) as upload:
        fields, file_name = read_form(_FIELDS, "file", upload.place)
        if fields.get("consent") != "true":
            raise BadInput(
                "'consent' must be true: whoever is seen has agreed to be made to speak",
                field="consent",
            )
        stem = PurePath(file_name.replace("\\", "/")).stem.strip()[:LONGEST_NAME]
        choice = read_choice(fields.get("face"), fields.get("rotate"))
        name = fields.get("name", "").strip() or stem or "?"
        item = avatars.add(upload, name, fields.get("id"), choice, own())
    if wants_async():
        response = jsonify(_shown(avatars.coming(item)))
        response.status_code = 202
        response.headers["Preference-Applied"] = "respond-async"
    else:
        response = jsonify(_shown(avatars.wait(item, leaving())))
        response.status_code = 201
    response.headers["Location"] = url_for("avatars.show", avatar_id=item.id)
    return response


@blueprint.get("/api/avatars/<avatar_id>")
@Operation(
    "Avatars",
    "An avatar, or how far its import is",
    (Good("The avatar", {JSON: Avatar}),),
    FACE,
    signable=True,
)
def show(avatar_id: str) -> Response:
    return jsonify(_shown(service().avatars.describe(avatar_id, own())))


@blueprint.delete("/api/avatars/<avatar_id>")
@Operation(
    "Avatars",
    "Remove an avatar, or cancel its import",
    (Good("It is gone; renders that run with it go on", {JSON: Removed}),),
    (*FACE, 409),
    details="403, for a token with a name, where another added the face.",
)
def remove(avatar_id: str) -> Response:
    service().avatars.remove(avatar_id, caller(), own())
    return jsonify({"id": avatar_id, "removed": True})


@blueprint.get("/api/avatars/<avatar_id>/preview.jpg")
@Operation(
    "Avatars",
    "A picture of the avatar",
    (
        Good("JPEG", {JPEG: None}, ("ETag",)),
        Good("It is as If-None-Match says", {}, ("ETag",), 304),
    ),
    (400, *FACE, 409),
    query=PreviewQuery,
    headers={"If-None-Match": "The ETag of the picture that is there already"},
    signable=True,
)
def preview(avatar_id: str) -> Response:
    asked = PreviewQuery.parse_query(query())
    data, tag = service().avatars.preview(avatar_id, asked.size, asked.square)
    response = Response(data, mimetype="image/jpeg")
    response.set_etag(tag)
    response.headers["Cache-Control"] = "private, no-cache"
    return response.make_conditional(request)  # type: ignore[return-value]


@blueprint.get("/api/avatars/<avatar_id>/landmarks")
@Operation(
    "Avatars",
    "Where the parts of the face are in the still",
    (Good("Points by part, in pixels", {JSON: Landmarks}),),
    (400, *FACE, 409),
    signable=True,
)
def landmarks(avatar_id: str) -> Response:
    return jsonify(service().avatars.landmarks(avatar_id))


@blueprint.put("/api/avatars/<avatar_id>/mouth")
@Operation(
    "Avatars",
    "Move the mouth's points by hand, and set its gains",
    (Good("The avatar", {JSON: Avatar}),),
    (400, *FACE, 409, 413, 415, 507),
    body=MouthRequest,
    details="In a clip the mouth moves along in every picture. 403, for a token with a name, where"
    " another added the face.",
)
def mouth(avatar_id: str) -> Response:
    asked = MouthRequest.parse(json_body())
    points = asked.points.model_dump(exclude_none=True) if asked.points else {}
    gains = asked.gains.model_dump(exclude_none=True) if asked.gains else {}
    if not points and not gains:
        raise BadInput("Send 'points' or 'gains'", field="points")
    return jsonify(_shown(service().avatars.move_mouth(avatar_id, points, gains, own())))
