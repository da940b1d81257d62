"""One reader's hold on a job: the job ends when the reader is through, fails or leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

from app_core.errors import Cancelled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

T = TypeVar("T")


class CancelOnClose(Generic[T]):
    """An iterator whose ``close`` also works before its first item, unlike a generator's."""

    def __init__(self, items: Iterator[T], end: Callable[[Exception | None], object]) -> None:
        self._items, self._end = items, end

    def __iter__(self) -> CancelOnClose[T]:
        return self

    def __next__(self) -> T:
        try:
            return next(self._items)
        except StopIteration:
            self._end(None)
            raise
        except Exception as error:
            self._end(error)
            raise

    def close(self) -> None:
        """Leaving early cancels the job; after its end nothing happens."""
        self._end(Cancelled("The reader left"))
        close = getattr(self._items, "close", None)
        if close is not None:
            close()

    def __enter__(self) -> CancelOnClose[T]:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
