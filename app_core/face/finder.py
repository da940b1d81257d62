"""Chooses what finds faces on this machine."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from app_core.errors import ModelFailed
from app_core.face.alignment_finder import AlignmentFinder, has_alignment
from app_core.face.cascade_finder import CascadeFinder
from app_core.face.detection import FaceDetection, FaceFinder, FaceTracker
from app_core.face.mesh_finder import MESH, SHORT, MeshFinder

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["FaceFinder", "FaceTracker", "FaceDetection", "find_finder", "finder_name"]

logger = logging.getLogger(__name__)

FACE_FOLDER = "face"


def find_finder(models: Path) -> FaceFinder:
    """The best there is: the networks in ``models/face``, face-alignment, OpenCV's cascade."""
    if _has_networks(models):
        finder = MeshFinder(models / FACE_FOLDER)
        try:
            finder.tracker()  # whether this machine can run them
        except ModelFailed as error:
            logger.warning("%s; faces are found without it", error)
        else:
            return finder
    return AlignmentFinder() if has_alignment() else CascadeFinder()


def finder_name(models: Path) -> str:
    """Of the one that is found, by the files alone: nothing is loaded."""
    if _has_networks(models):
        return MeshFinder.name
    return AlignmentFinder.name if has_alignment() else CascadeFinder.name


def _has_networks(models: Path) -> bool:
    return all((models / FACE_FOLDER / name).is_file() for name in (SHORT, MESH))
