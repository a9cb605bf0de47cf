"""What a question is put to, and how one path is answered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from app.chain import codespace_of
from app.kernel.context import Block
from app.kernel.errors import Rejected
from app.kernel.store import Reader
from app.kernel.trie import Forest

CODESPACE_SDK = "sdk"
"""Whose codes are those of the Cosmos SDK."""
MISSING_PREFIXES = ("NoSuch", "Unknown")


class View(NamedTuple):
    """The state after a block, mostly the last one, and the block that would come next."""

    state: Reader
    next_block: Block
    forest: Forest

    @property
    def height(self) -> int:
        """Return the height of that block."""
        return self.next_block.height - 1


class Refusal(Exception):
    """A question without an answer: a text, the chain's code and module, 0 where it has none."""

    def __init__(
        self, text: str, code: int = 0, codespace: str = "", *, is_missing: bool = False
    ) -> None:
        super().__init__(text)
        self.code = code
        self.codespace = codespace
        self.is_missing = is_missing
        """Whether what was asked for isn't there."""


class Method(NamedTuple):
    """How the questions to one path are read and answered."""

    request: Any
    response: Any
    answer: Callable[[View, Any], Any]


def to_refusal(rejection: Rejected) -> Refusal:
    """Return a rule's rejection as the answer to a question."""
    is_missing = type(rejection).__name__.startswith(MISSING_PREFIXES)
    codespace = codespace_of(rejection)
    return Refusal(rejection.detail, rejection.code, codespace, is_missing=is_missing)
