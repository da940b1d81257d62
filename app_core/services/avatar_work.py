"""What the import thread does with a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app_core.services.avatar_home import IMPORTS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from app_core.config import Config
    from app_core.media.ffmpeg import Ffmpeg
    from app_core.services.imports import Import


def import_work(config: Config, ffmpeg: Callable[[], Ffmpeg]) -> Callable[[Import, Path], None]:
    """What it needs is loaded at the first import, which most servers never see."""

    def work(item: Import, home: Path) -> None:
        from app_core.face.finder import find_finder
        from app_core.media.limits import Limits
        from app_core.services.avatar_import import Card, import_avatar
        from app_core.services.import_job import ImportTools

        tools = ImportTools(
            ffmpeg=ffmpeg,
            finder=lambda: find_finder(config.models_dir),
            limits=Limits(config.max_pixels, config.max_clip_s, config.max_clip_pixels),
            use_nvdec=config.import_nvdec,
        )
        card = Card(
            item.id,
            item.name,
            item.consent,
            choice=item.choice,
            dropped=item.dropped,
            keeps_source=not item.theirs,
        )
        twins = (config.avatar_dir, config.avatar_dir / IMPORTS)
        import_avatar(item.source, home, card, tools, item.note, item.cancelled, twins)

    return work
