"""Frozen dataclasses with slots, quick to declare and quick to make.

`dataclasses` compiles six methods of each class at its declaration, which for this chain's four
hundred takes longer than all else that a command does before it asks the chain something. Here
`__init__` is compiled when a class is first called, and sets its slots without a detour; the other
methods are shared. To `fields`, `replace` and a type checker such a class is like any other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, FrozenInstanceError, dataclass, fields
from operator import attrgetter
from typing import Any, NoReturn, TypeVar, dataclass_transform

T = TypeVar("T")


@dataclass_transform(frozen_default=True)
def frozen(cls: type[T]) -> type[T]:
    """Make a class a frozen dataclass with slots; its fields have a plain default or none."""
    made: Any = dataclass(slots=True, init=False, repr=False, eq=False)(cls)
    names = tuple([each.name for each in fields(made)])
    values_of = values_getter(names)

    def init(self: Any, *values: Any, **named: Any) -> None:
        made.__init__ = compile_init(made)
        made.__init__(self, *values, **named)

    def is_equal(self: Any, other: Any) -> Any:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return values_of(self) == values_of(other)

    def show(self: Any) -> str:
        shown = [f"{name}={value!r}" for name, value in zip(names, values_of(self), strict=True)]
        return f"{self.__class__.__qualname__}({', '.join(shown)})"

    methods = {
        "__init__": init,
        "__eq__": is_equal,
        "__hash__": lambda self: hash(values_of(self)),
        "__repr__": show,
        "__reduce__": lambda self: (self.__class__, values_of(self)),
        "__setattr__": refuse_change,
        "__delattr__": refuse_change,
    }
    for name, method in methods.items():
        if name not in cls.__dict__:
            setattr(made, name, method)
    return made  # type: ignore[no-any-return]


def values_getter(names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    """Return what reads the named attributes of a thing into a tuple."""
    if len(names) > 1:
        return attrgetter(*names)
    return lambda thing: tuple([getattr(thing, name) for name in names])


def compile_init(cls: Any) -> Callable[..., None]:
    """Return what sets a class's slots, called as its declaration says."""
    scope: dict[str, Any] = {}
    parameters, lines = ["self"], ["pass"]
    for each in fields(cls):
        name = each.name
        scope[f"set_{name}"] = getattr(cls, name).__set__
        scope[f"default_{name}"] = each.default
        parameters.append(name if each.default is MISSING else f"{name}=default_{name}")
        lines.append(f"set_{name}(self, {name})")
    text = f"def __init__({', '.join(parameters)}):\n " + "\n ".join(lines)
    exec(text, scope)
    return scope["__init__"]  # type: ignore[no-any-return]


def refuse_change(self: Any, name: str, *_: Any) -> NoReturn:
    """Raise that nothing changes once it is made."""
    raise FrozenInstanceError(f"{self.__class__.__name__}.{name} can't change; make a new one")
