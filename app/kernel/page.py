"""Pages: how Cosmos' clients walk through rows, a part at a time."""

from __future__ import annotations

from itertools import islice
from typing import Any, TypeVar

from app.kernel.frozen import frozen
from app.kernel.record import U64, decode
from app.kernel.store import Reader
from app.kernel.table import Index, Key, Table

PAGE_DEFAULT = 100
PAGE_MAX = 1_000

V = TypeVar("V")


@frozen
class PageRequest:
    """Which rows to show: from a key on, or after skipping some; 100 unless told, 1,000 at most."""

    key: bytes
    """What the page before gave as its `next_key`; empty for the first."""
    offset: U64
    limit: U64
    count_total: bool
    reverse: bool


@frozen
class PageResponse:
    """Where the next page begins, and how many rows there are if that was asked."""

    next_key: bytes
    total: U64


def get_page(
    table: Table[V], state: Reader, prefix: Any, page: PageRequest
) -> tuple[tuple[V, ...], PageResponse]:
    """Return some of a table's rows under a prefix of its key, and where the next ones are."""
    rows, response = cut(table.key, state, prefix, page)
    found = [decode(table.record, table.key.decode(*row)[1]) for row in rows]
    return tuple(found), response


def get_key_page(
    index: Index, state: Reader, prefix: Any, page: PageRequest
) -> tuple[tuple[Any, ...], PageResponse]:
    """Return some of an index's keys under a prefix, and where the next ones are."""
    rows, response = cut(index.key, state, prefix, page)
    return tuple([index.key.decode(*row)[0] for row in rows]), response


def cut(
    key: Key, state: Reader, prefix: Any, page: PageRequest
) -> tuple[list[tuple[bytes, bytes]], PageResponse]:
    """Return a page of raw rows; to count, to skip or to walk backwards reads all of them."""
    head = key.encode(prefix)
    limit = min(page.limit or PAGE_DEFAULT, PAGE_MAX)
    total = 0
    if page.offset or page.count_total or page.reverse:
        rows = list(state.items(head))
        total = len(rows) if page.count_total else 0
        rows = rows[::-1] if page.reverse else rows
        names = [name for name, _ in rows]
        start = names.index(page.key) if page.key in names else page.offset
        shown = rows[start : start + limit + 1]
    else:
        shown = list(islice(state.items(head, page.key), limit + 1))
    next_key = shown[limit][0] if len(shown) > limit else b""
    return shown[:limit], PageResponse(next_key, U64(total))
