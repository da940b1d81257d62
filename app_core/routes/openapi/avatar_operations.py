"""The operations on avatars."""

from __future__ import annotations

from app_core.routes.avatar_form import AvatarForm
from app_core.routes.avatar_requests import MouthRequest, PreviewQuery
from app_core.routes.openapi.operation import JPEG, JSON, Good, Operation
from app_core.routes.openapi.responses import Avatar, Avatars, Landmarks, Removed

FACE = (404,)

AVATARS = (
    Operation(
        "GET",
        "/api/avatars",
        "Avatars",
        "Who can be seen, and who is on the way",
        (Good("The avatars by their ids", {JSON: Avatars}),),
    ),
    Operation(
        "POST",
        "/api/avatars",
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
    ),
    Operation(
        "GET",
        "/api/avatars/{avatar_id}",
        "Avatars",
        "An avatar, or how far its import is",
        (Good("The avatar", {JSON: Avatar}),),
        FACE,
        signable=True,
    ),
    Operation(
        "DELETE",
        "/api/avatars/{avatar_id}",
        "Avatars",
        "Remove an avatar, or cancel its import",
        (Good("It is gone; renders that run with it go on", {JSON: Removed}),),
        (*FACE, 409),
    ),
    Operation(
        "GET",
        "/api/avatars/{avatar_id}/preview.jpg",
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
    ),
    Operation(
        "GET",
        "/api/avatars/{avatar_id}/landmarks",
        "Avatars",
        "Where the parts of the face are in the still",
        (Good("Points by part, in pixels", {JSON: Landmarks}),),
        (400, *FACE, 409),
        signable=True,
    ),
    Operation(
        "PUT",
        "/api/avatars/{avatar_id}/mouth",
        "Avatars",
        "Move the mouth's points by hand, and set its gains",
        (Good("The avatar", {JSON: Avatar}),),
        (400, *FACE, 409, 413, 415, 507),
        body=MouthRequest,
        details="In a clip the mouth moves along in every picture.",
    ),
)
