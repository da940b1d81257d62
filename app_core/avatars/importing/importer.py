"""What the import thread does with a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app_core.avatars.importing.avatar_folder import IMPORTS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from app_core.avatars.importing.import_queue import Import
    from app_core.config import Config
    from app_core.media.ffmpeg import Ffmpeg


def import_work(
    config: Config, ffmpeg: Callable[[], Ffmpeg], room: Callable[[int], None] = lambda size: None
) -> Callable[[Import, Path], None]:
    """``room(size)`` raises DiskFull where a face of so many bytes has none. What an import needs
    is loaded at the first one, which most servers never see."""

    def work(item: Import, home: Path) -> None:
        from app_core.avatars.importing.avatar_import import AvatarMetadata, import_avatar
        from app_core.avatars.importing.import_job import ImportTools
        from app_core.face.finder import find_finder
        from app_core.media.ingest.limits import IngestLimits

        tools = ImportTools(
            ffmpeg=ffmpeg,
            finder=lambda: find_finder(config.models_dir),
            limits=IngestLimits(config.max_pixels, config.max_clip_s, config.max_clip_pixels),
            room=room,
            use_nvdec=config.import_nvdec,
        )
        metadata = AvatarMetadata(
            item.id,
            item.name,
            item.consent,
            choice=item.choice,
            dropped=item.dropped,
            owner=item.owner,
        )
        twins = (config.avatar_dir, config.avatar_dir / IMPORTS)
        import_avatar(item.source, home, metadata, tools, item.note, item.unwanted, twins)

    return work
