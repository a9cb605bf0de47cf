"""Long answers in pages, as Cosmos' clients ask for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from cosmpy.protos.cosmos.base.query.v1beta1.pagination_pb2 import PageResponse

from app.kernel.page import PAGE_DEFAULT, PAGE_MAX
from app.node.question import Refusal

KEY_BYTES = 8

T = TypeVar("T")


def paginate(rows: Sequence[T], page: Any) -> tuple[list[T], PageResponse]:
    """Return the rows of one page, and what leads to the next; a key is where that begins."""
    if page.key and page.offset:
        raise Refusal("pagination: key and offset are given; give one of them")
    if page.key and len(page.key) != KEY_BYTES:
        raise Refusal("pagination.key: not one that this node gave; begin without a key")
    ordered = rows[::-1] if page.reverse else rows
    start = int.from_bytes(page.key, "big") if page.key else page.offset
    end = start + min(page.limit or PAGE_DEFAULT, PAGE_MAX)
    next_key = end.to_bytes(KEY_BYTES, "big") if end < len(ordered) else b""
    counts = page.count_total or not (page.limit or page.key)
    total = len(ordered) if counts and not page.key else 0
    return list(ordered[start:end]), PageResponse(next_key=next_key, total=total)
