"""The failures of a rule: the user's has a code; ours fails what was run, or stops the node."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, NoReturn

DETAIL_LENGTH_MAX = 1_000


class Rejected(Exception):
    """A request that the rules refuse; the draft is dropped.

    Subclasses set a stable `code` and a `text`: a format string over the values given, which names
    the field, the value, the limit and the next step. `detail` is that text, cut where a value is
    too long to be shown.
    """

    code: ClassVar[int]
    text: ClassVar[str]

    def __init__(self, **values: Any) -> None:
        self.detail = self.text.format(**values)[:DETAIL_LENGTH_MAX]
        super().__init__(self.detail)


class InvariantBroken(Exception):
    """A promise of the rules that doesn't hold; the node stops."""


class Fault(Exception):
    """A fault of ours in a rule: what it was run for fails, and the node goes on."""


class UpgradeNeeded(Exception):
    """A block that isn't for this version of the rules; the node stops before it and says why."""


def require(condition: bool, rejection: type[Rejected], **values: Any) -> None:
    """Refuse the request unless the condition holds."""
    if not condition:
        raise rejection(**values)


def broken(sentence: str) -> NoReturn:
    """Stop: the sentence says which promise does not hold."""
    raise InvariantBroken(sentence)


@contextmanager
def catch_faults() -> Iterator[None]:
    """Raise `Fault` for what no rule should raise.

    A rejection passes, and so does what stops the node: a broken promise, and a machine at its
    end, since the others may go on.
    """
    try:
        yield
    except (Rejected, InvariantBroken, MemoryError, RecursionError):
        raise
    except Exception as error:
        raise Fault(f"internal error: {type(error).__name__}") from error
