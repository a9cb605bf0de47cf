"""Pages of rows, as Cosmos' clients turn them."""

from dataclasses import dataclass

from app.kernel.page import PAGE_MAX, PageRequest, get_key_page, get_page
from app.kernel.record import U32, U64
from app.kernel.store import MemoryStore
from app.kernel.table import Index, Table


@dataclass(frozen=True)
class Row:
    """A row that knows its number."""

    number: U64


ROWS = Table("test/row", key=(U32, U64), record=Row)
KEYS = Index("test/key", key=(U32, U64))


def a_state(count: int = 5) -> MemoryStore:
    """Rows under 1, and one under 0 and 2 each."""
    state = MemoryStore()
    for group, number in [(0, 99), *[(1, number) for number in range(count)], (2, 99)]:
        ROWS.put(state, (U32(group), U64(number)), Row(U64(number)))
        KEYS.add(state, (U32(group), U64(number)))
    return state


def a_page(limit: int = 0, **fields: object) -> PageRequest:
    """A page from the beginning unless told."""
    given = {"key": b"", "offset": 0, "limit": limit, "count_total": False, "reverse": False}
    return PageRequest(**{**given, **fields})  # type: ignore[arg-type]


def walk(state: MemoryStore, **fields: object) -> list[list[int]]:
    """The numbers on each page until there is no next one."""
    pages, key = [], b""
    while True:
        rows, response = get_page(ROWS, state, (1,), a_page(key=key, **fields))
        pages.append([row.number for row in rows])
        key = response.next_key
        if not key:
            return pages


def test_each_page_begins_where_the_last_ended() -> None:
    assert walk(a_state(), limit=2) == [[0, 1], [2, 3], [4]]
    assert walk(a_state(4), limit=2) == [[0, 1], [2, 3]]
    assert walk(a_state(0), limit=2) == [[]]


def test_pages_can_be_walked_backwards() -> None:
    assert walk(a_state(), limit=2, reverse=True) == [[4, 3], [2, 1], [0]]


def test_rows_are_skipped_and_counted_if_that_is_asked() -> None:
    rows, response = get_page(ROWS, a_state(), (1,), a_page(1, offset=3, count_total=True))
    assert ([row.number for row in rows], response.total) == ([3], 5)
    rows, response = get_page(ROWS, a_state(), (1,), a_page(1))
    assert response.total == 0
    rows, response = get_page(ROWS, a_state(), (1,), a_page(offset=9))
    assert (rows, response.next_key) == ((), b"")


def test_a_page_has_a_hundred_rows_unless_told_and_a_thousand_at_most() -> None:
    state = a_state(PAGE_MAX + 1)
    assert len(get_page(ROWS, state, (1,), a_page())[0]) == 100
    assert len(get_page(ROWS, state, (1,), a_page(PAGE_MAX + 1))[0]) == PAGE_MAX


def test_a_key_of_nowhere_shows_nothing_of_others() -> None:
    for key in (b"\xff", b"test/row/\x00\x00\x00\x02", b"a"):
        rows, _ = get_page(ROWS, a_state(), (1,), a_page(key=key))
        assert [row.number for row in rows] in ([], [0, 1, 2, 3, 4])


def test_keys_come_in_pages_too() -> None:
    keys, response = get_key_page(KEYS, a_state(), (1,), a_page(2))
    assert (keys, response.next_key) == (((1, 0), (1, 1)), KEYS.key.encode((1, 2)))
