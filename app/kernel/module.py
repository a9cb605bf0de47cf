"""What a module declares; genesis, export, root, queries and the reference follow from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from app.kernel.context import Context
from app.kernel.store import Reader, State
from app.kernel.table import Index, Singleton, Table


class Message(NamedTuple):
    """How a message is run."""

    rule: Callable[[Any, Context, Any], Any]
    gas: int
    amino_name: str
    response: type[Any] | None = None
    type_url: str = ""
    """Set only where it is not `/<package>.Msg<ClassName>`."""
    signer: str = ""
    """The field that names who must sign; set only where it is not the first."""


class Query(NamedTuple):
    """How a question is answered from committed state."""

    function: Callable[[Reader, Any], Any]
    response: type[Any]


@dataclass(frozen=True)
class Module:
    """One subject of the chain: its state and all that may change or read it."""

    name: str
    package: str
    tables: tuple[Table[Any] | Index | Singleton[Any], ...] = ()
    params: Singleton[Any] | None = None
    messages: Mapping[type[Any], Message] = field(default_factory=dict)
    queries: Mapping[type[Any], Query] = field(default_factory=dict)
    events: tuple[type[Any], ...] = ()
    accounts: tuple[str, ...] = ()
    """Names of the module accounts it owns; nobody may send to them."""
    begin_block: Callable[[State, Context], None] | None = None
    end_block: Callable[[State, Context], None] | None = None
    invariants: tuple[Callable[[Reader], None], ...] = ()

    def type_url(self, kind: type[Any]) -> str:
        """Return what one of its messages is called."""
        return self.messages[kind].type_url or f"/{self.package}.Msg{kind.__name__}"
