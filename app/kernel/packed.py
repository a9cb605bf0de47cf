"""Messages within messages: what somebody else shall run, and how it is run.

Who runs a message in another's name names it by its type URL and keeps its canonical bytes, so that
a record may hold messages of every module.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from app.kernel.context import Context
from app.kernel.errors import broken
from app.kernel.frozen import frozen
from app.kernel.module import Message, Module
from app.kernel.record import Address, decode
from app.kernel.store import State


@frozen
class Packed:
    """A message within another; an Any in protobuf."""

    type_url: str
    data: bytes
    """The canonical bytes of its record."""


class Runnable(NamedTuple):
    """A message that was unpacked, and how it is run."""

    message: Any
    entry: Message

    @property
    def signer(self) -> Address:
        """Return in whose name it is run."""
        name = self.entry.signer or type(self.message).__match_args__[0]
        signer: Address = getattr(self.message, name)
        return signer


class Nested(NamedTuple):
    """What happened while a message within another was run, and which one it was."""

    place: int
    event: Any


Known = Mapping[str, tuple[type[Any], Message]]
"""The messages that may be run in another's name, by type URL."""


def find_messages(modules: Iterable[Module]) -> Known:
    """Return the messages of some modules by type URL."""
    return {
        module.type_url(kind): (kind, entry)
        for module in modules
        for kind, entry in module.messages.items()
    }


def unpack(known: Known, packed: Packed) -> Runnable | None:
    """Return the message in a pack, or None if it is none of the known ones."""
    found = known.get(packed.type_url)
    return None if found is None else Runnable(decode(found[0], packed.data), found[1])


def must_unpack(known: Known, packed: Packed) -> Runnable:
    """Return the message in a pack that was checked before; the node stops if it isn't known."""
    return unpack(known, packed) or broken(f"{packed.type_url} is a message of this chain")


def run(state: State, ctx: Context, runnable: Runnable, place: int) -> Any:
    """Run a message in its signer's name, and return its answer."""
    inner = Context(ctx.block, runnable.signer)
    response = runnable.entry.rule(state, inner, runnable.message)
    ctx.events += [Nested(place, event) for event in inner.events]
    return response


def compute_gas(known: Known, packs: Iterable[Packed]) -> int:
    """Return the fixed gas of messages that may be run; the others have none."""
    return sum([known[packed.type_url][1].gas for packed in packs if packed.type_url in known])
