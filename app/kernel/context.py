"""What a rule is told of the world: the block, who signs, and where to say what happened."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from app.kernel.frozen import frozen
from app.kernel.record import NO_ADDRESS, Address
from app.kernel.tx import Slot


@frozen
class Misbehaviour:
    """A validator caught by the engine."""

    kind: str
    validator: bytes
    height: int
    time_ms: int
    power: int
    """What its vote weighed then."""


@frozen
class Block:
    """The block that is executed; the only clock there is."""

    chain_id: str
    height: int
    time_ms: int
    previous_time_ms: int
    """Header time of the block before; 0 at the first block."""
    previous_app_hash: bytes = b""
    """The application hash of the state that the block is executed on."""
    proposer: bytes = b""
    slot: Slot | None = None
    """What its proposer put into its first place."""
    clock_ms: int = 0
    """The chain's own clock: header time less the time for which the chain stood still."""
    misbehaviour: tuple[Misbehaviour, ...] = ()
    absent: tuple[bytes, ...] = ()
    """Validators, by consensus address, whose vote for the block before is not in this one."""


@dataclass(slots=True)
class Context:
    """One message's or one hook's surroundings."""

    block: Block
    signer: Address = NO_ADDRESS
    events: list[Any] = field(default_factory=list)
    powers: dict[bytes, int] = field(default_factory=dict)
    """What the engine is to be told: validators' new powers by consensus key, 0 to leave."""

    def emit(self, event: Any) -> None:
        """Say what happened: an event record."""
        self.events.append(event)
