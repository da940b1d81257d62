"""Everything that can go wrong, as types that know their HTTP status.

SoyleError 500 internal
  BadInput 400 bad_input
    FileChanged 400 bad_input   while it was read
    TooLarge 413 too_large
    UnsupportedMedia 415 unsupported_media
    NoFace 400 no_face          a photo or clip in which nobody is seen
    TooCostly 400 too_costly    more work than one render may be
  UnusableVideo 422 unusable_video         the base video has no face, or cannot be read
  Unauthorized 401 unauthorized
  Forbidden 403 forbidden
  NotFound 404 not_found
  Conflict 409 conflict
    QueueFull 409 queue_full    a session has enough to say
    Interrupted 409 interrupted a piece of an utterance that was interrupted
  TooMany 429 too_many          more than one client may have, with retry_after_s
  Busy 503 busy                 full, with retry_after_s
  NotReady 503 not_ready        loading, missing or stopping, with retry_after_s
  VoiceFailed 500 voice_failed  a voice on this machine
  VoiceUnreachable 502 voice_unreachable   a voice service that we call
  FfmpegFailed 500 ffmpeg_failed
  ModelFailed 500 model_failed
  DiskFull 507 disk_full
  StaleTag 412 stale_tag       If-Match names another connection
  TagNeeded 428 tag_needed
  NoRestart 422 no_restart     a connection cannot begin anew: another one can
  Cancelled 409 cancelled
"""

from __future__ import annotations

import copy
import errno
import re
from typing import TypeVar

E = TypeVar("E", bound=BaseException)

_FOLDERS = re.compile(r"(?<![\w./])/(?:[^\s/:'\"]+/)+")
"""Of an absolute path, and not of a web address."""
STOPPING_RETRY_S = 5
"""About how long another worker takes to come up."""


class SoyleError(Exception):
    """``str(error)`` is a sentence for a person."""

    status = 500
    code = "internal"

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class BadInput(SoyleError):
    status = 400
    code = "bad_input"


class FileChanged(BadInput):
    """A file that another writes, renamed or removed meanwhile: it may be whole the next time."""

    def __init__(
        self,
        message: str = "The file changed or went while it was read; try again.",
        *,
        field: str | None = None,
    ) -> None:
        super().__init__(message, field=field)


class TooLarge(BadInput):
    status = 413
    code = "too_large"


class UnsupportedMedia(BadInput):
    status = 415
    code = "unsupported_media"


class NoFace(BadInput):
    code = "no_face"


class TooCostly(BadInput):
    code = "too_costly"


class UnusableVideo(SoyleError):
    status = 422
    code = "unusable_video"


class Unauthorized(SoyleError):
    status = 401
    code = "unauthorized"


class Forbidden(SoyleError):
    status = 403
    code = "forbidden"


class NotFound(SoyleError):
    status = 404
    code = "not_found"


class Conflict(SoyleError):
    status = 409
    code = "conflict"


class Cancelled(Conflict):
    code = "cancelled"


class QueueFull(Conflict):
    code = "queue_full"


class Interrupted(Conflict):
    code = "interrupted"


class Busy(SoyleError):
    status = 503
    code = "busy"

    def __init__(self, message: str, *, retry_after_s: int = 1) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class TooMany(SoyleError):
    """One client has its share: others are served on."""

    status = 429
    code = "too_many"

    def __init__(self, message: str, *, retry_after_s: int = 1) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class NotReady(Busy):
    code = "not_ready"


def stopping() -> NotReady:
    """Of what the server itself ends, as it stops: nobody asked for that."""
    return NotReady("The server is stopping; try again", retry_after_s=STOPPING_RETRY_S)


class VoiceFailed(SoyleError):
    code = "voice_failed"


class Unsayable(VoiceFailed):
    """This voice cannot say this text, but others it can."""


class VoiceUnreachable(SoyleError):
    status = 502
    code = "voice_unreachable"


class FfmpegFailed(SoyleError):
    code = "ffmpeg_failed"


class ModelFailed(SoyleError):
    code = "model_failed"


class SessionFailed(SoyleError):
    """A session ended by a fault of ours, of which its viewers have been told."""

    code = "session_failed"


class StaleTag(SoyleError):
    status = 412
    code = "stale_tag"


class TagNeeded(SoyleError):
    status = 428
    code = "tag_needed"


class NoRestart(SoyleError):
    status = 422
    code = "no_restart"


class DiskFull(SoyleError):
    status = 507
    code = "disk_full"


def kind_or_words(error: BaseException) -> str:
    """What a person is told of a library's error: its words, unless these may hold what it was
    given to say. Where a file lies is not told."""
    if isinstance(error, ValueError | LookupError | TypeError) or not str(error):
        return type(error).__name__
    return without_folders(str(error))


def without_folders(words: str) -> str:
    """With the bare names of files: where they lie is no client's business."""
    return _FOLDERS.sub("", words)


def as_job_error(error: BaseException) -> Exception:
    """What a job is told of an error. A full disk is one wherever it shows, and so is a folder
    that cannot be written."""
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DiskFull("The disk is full")
    if isinstance(error, OSError) and error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return SoyleError("The server cannot write a file; /api/health says which folder it lacks")
    if isinstance(error, Exception):
        return error
    return Cancelled("The reader left")


def afresh(error: E) -> E:
    """A copy to keep, or to raise of one that is kept: an exception holds the frames that it was
    raised through, and with them all that they work on.
    """
    try:
        made = copy.copy(error)
    except Exception:  # one of somebody else's that cannot be made anew
        made = error
    return made.with_traceback(None)
