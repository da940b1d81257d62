from __future__ import annotations

import uuid

from app_core.ids import new_id, new_key, place_in


def test_an_id_tells_its_place() -> None:
    found = uuid.UUID(new_id("0a1b2c3d"))
    assert (found.version, found.variant) == (8, uuid.RFC_4122)
    assert place_in(str(found)) == "0a1b2c3d"
    assert new_id("0a1b2c3d") != new_id("0a1b2c3d")


def test_without_a_cluster_it_tells_nothing() -> None:
    assert uuid.UUID(new_id("")).version == 4
    assert place_in("no place") == ""


def test_a_key_is_long_beyond_its_place() -> None:
    key = new_key("0a1b2c3d")
    assert place_in(key) == "0a1b2c3d"
    assert len(key) == 8 + 32
    assert len(new_key("")) == 32
