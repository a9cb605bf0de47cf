"""Frozen classes: what a frozen dataclass with slots does, these do too."""

import copy
from dataclasses import FrozenInstanceError, dataclass, fields, replace

import pytest

from app.kernel.frozen import frozen


@frozen
class Pair:
    """A class under test."""

    name: str
    count: int = 3

    def doubled(self) -> int:
        """Return a number."""
        return 2 * self.count


@frozen
class Other:
    """A class with one field and a text of its own."""

    name: str

    def __repr__(self) -> str:
        return "other"


@frozen
class Empty:
    """A class without fields."""


@dataclass(frozen=True, slots=True)
class Model:
    """What the standard library makes of the same."""

    name: str
    count: int = 3


def test_it_is_made_as_it_is_declared() -> None:
    for made in (Pair("a"), Pair("a", 3), Pair(name="a", count=3), Pair("a", count=3)):
        assert (made.name, made.count, made.doubled()) == ("a", 3, 6)
        assert repr(made) == "Pair(name='a', count=3)"
    assert repr(Other("a")) == "other"
    assert [field.name for field in fields(Pair)] == ["name", "count"]


@pytest.mark.parametrize(
    ("values", "named"), [((), {}), (("a", 1, 2), {}), (("a",), {"name": "b"}), (("a",), {"x": 1})]
)
def test_it_refuses_what_it_is_not_declared_with(
    values: tuple[object, ...], named: dict[str, object]
) -> None:
    for cls in (Pair, Model):
        with pytest.raises(TypeError, match="__init__"):
            cls(*values, **named)  # type: ignore[arg-type]


def test_equal_values_of_the_same_class_are_equal() -> None:
    assert Pair("a") == Pair("a") != Pair("b")
    assert hash(Pair("a")) == hash(Model("a"))
    assert Empty() == Empty()
    assert Other("a") != Pair("a")
    assert {Pair("a"): 1}[Pair("a", 3)] == 1


def test_nothing_changes_but_in_a_copy() -> None:
    pair = Pair("a")
    with pytest.raises(FrozenInstanceError, match=r"Pair.count can't change"):
        pair.count = 4  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError, match=r"Pair.count can't change"):
        del pair.count
    with pytest.raises(FrozenInstanceError):
        pair.other = 4  # type: ignore[attr-defined]
    assert replace(pair, count=4) == Pair("a", 4)
    assert pair == copy.deepcopy(pair) == Pair("a")
