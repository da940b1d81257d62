from __future__ import annotations

import os
import random
import threading
from pathlib import Path

import numpy as np
import pytest

from app_core.audio import SPILL_S, AudioBuffer, int16
from app_core.storage.spool import Extent, Spool

NOWHERE = Path("/dev/null/folder")
"""No folder can be made there."""


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def put(spool: Spool, data: bytes) -> Extent:
    return spool.put([data[at : at + 7] for at in range(0, len(data), 7)], len(data))


def test_what_was_put_is_read_in_parts(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    one, other = put(spool, b"one" * 9), put(spool, b"other")
    assert spool.read(one, 0, 99) == b"one" * 9
    assert spool.read(other, 2, 2) == b"he"
    assert spool.read(other, 5, 2) == spool.read(other, 9, 2) == b""
    assert list(tmp_path.iterdir()) == [], "the file has no name"
    spool.close()
    assert spool.read(one, 0, 3) == b""


def test_room_is_used_again_and_the_file_ends_with_what_is_left(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    parts = [put(spool, bytes([n]) * 100) for n in range(5)]
    assert spool._file is not None

    def size() -> int:
        assert spool._file is not None
        return os.fstat(spool._file.fileno()).st_size

    assert size() == 500
    spool.free(parts[1])
    spool.free(parts[2])
    again = put(spool, b"x" * 180)
    assert (again.start, size()) == (100, 500)
    spool.free(parts[4])
    assert size() == 400
    spool.free(parts[3])
    assert size() == 280, "with the free part before it"
    for part in (parts[0], again):
        assert len(set(spool.read(part, 0, 999))) == 1
        spool.free(part)
    assert size() == 0
    spool.close()


def test_many_threads_never_share_a_place(tmp_path: Path) -> None:
    spool = Spool(tmp_path)
    wrong: list[int] = []

    def work(number: int) -> None:
        rng, held = random.Random(number), list[tuple[Extent, bytes]]()
        for turn in range(150):
            data = bytes([number]) * rng.randrange(1, 4000)
            held.append((put(spool, data), data))
            if len(held) > 5:
                extent, expected = held.pop(rng.randrange(len(held)))
                if spool.read(extent, 0, len(expected)) != expected:
                    wrong.append(turn)
                spool.free(extent)
        for extent, _ in held:
            spool.free(extent)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(1, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert (spool._end, spool._free) == (0, [])
    spool.close()


def test_a_write_that_fails_takes_no_room(tmp_path: Path) -> None:
    spool = Spool(tmp_path)

    def broken() -> object:
        yield b"half"
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError):
        spool.put(broken(), 8)  # type: ignore[arg-type]
    assert spool._end == 0
    with pytest.raises(OSError):
        put(Spool(NOWHERE), b"data")
    spool.close()


# Sounds in a spool


def wave(samples: int, shift: int = 0) -> np.ndarray:
    return np.sin(np.arange(shift, shift + samples) / 7).astype(np.float32)


def test_a_thousand_sounds_take_one_descriptor_and_no_memory(tmp_path: Path) -> None:
    spool, before = Spool(tmp_path), descriptors()
    sounds = []
    for number in range(1000):
        sound = AudioBuffer(8000, spool=spool)
        sound.append(wave(900, number))
        assert sound.in_memory > 0
        sound.close()
        sounds.append(sound)
    assert sum(sound.in_memory for sound in sounds) == 0
    assert descriptors() <= before + 1
    for number in (0, 7, 999):
        expected = int16(wave(900, number))
        assert sounds[number].nbytes == 1800
        assert sounds[number].read(0, 99999, 0) == expected.tobytes()
        assert np.abs(sounds[number].samples(300, 310) * 32768 - expected[300:310]).max() < 0.01
    for sound in sounds:
        sound.release()
        assert sound.read(0, 10, 0) == b""
    assert spool._end == 0
    spool.close()


def test_a_long_sound_moves_too_and_gives_its_own_file_back(tmp_path: Path) -> None:
    spool, rate = Spool(tmp_path), 100
    before = descriptors()
    long = AudioBuffer(rate, spills=True, spill=str(tmp_path), spool=spool)
    whole = wave(int(2.5 * SPILL_S * rate))
    for part in np.array_split(whole, 9):
        long.append(part)
    middle = long.read(5990, 100, 1.0)
    long.close()
    assert long.read(5990, 100, 1.0) == middle
    assert len(long.read(0, 10**6, 1.0)) == 2 * len(whole)
    assert descriptors() <= before + 1
    long.release()
    spool.close()


def test_a_sound_without_a_place_stays_in_memory(tmp_path: Path) -> None:
    sound = AudioBuffer(8000, spool=Spool(NOWHERE))
    sound.append(wave(500))
    sound.close()
    assert sound.in_memory == 1000
    assert sound.complete and len(sound.read(0, 999, 0)) == 1000
    sound.release()
    assert sound.in_memory == 0
