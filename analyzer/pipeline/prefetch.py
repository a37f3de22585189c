"""Run an iterator ahead of its reader, in a thread, so that decoding overlaps with inference."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import takewhile
from typing import Any, TypeVar

T = TypeVar("T")
_END: Any = object()


@contextmanager
def prefetch(items: Iterator[T], *, depth: int) -> Iterator[Iterator[T]]:
    """Produce items in a thread, at most `depth` of them ahead.

    An exception of `items` is raised in the reader, in its place. The thread ends with the
    context, also when the reader stops early: `items` is never touched afterwards.

    Args:
        items: Iterator, used by one thread only.
        depth: Number of items, 1 or more.

    Yields:
        The same items in the same order.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="prefetch") as thread:
        try:
            results = map(Future.result, _requests(thread, items, depth))
            yield takewhile(lambda item: item is not _END, results)
        finally:
            thread.shutdown(cancel_futures=True)


def _requests(thread: ThreadPoolExecutor, items: Iterator[T], depth: int) -> Iterator[Future[T]]:
    """Yield the future of each item; `depth` further ones are requested already."""
    requests = deque(thread.submit(next, items, _END) for _ in range(depth))
    while True:
        requests.append(thread.submit(next, items, _END))
        yield requests.popleft()
