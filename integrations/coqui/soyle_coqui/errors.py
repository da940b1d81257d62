"""What can go wrong, told to the user or to the client."""

from __future__ import annotations


class NotReady(Exception):
    """The voice cannot speak. ``str(error)`` says why, and the command that mends it."""


class BadRequest(Exception):
    """A request that cannot be served. ``param`` names the field."""

    def __init__(self, message: str, param: str | None = None, status: int = 400) -> None:
        super().__init__(message)
        self.param, self.status = param, status


class Full(Exception):
    """As many requests wait as may."""


class Cancelled(Exception):
    """The client left, or the server stops."""
