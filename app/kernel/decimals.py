"""Numbers with 18 decimals, as integers, rounded as the Cosmos SDK's `LegacyDec` does it.

A `Dec` is the number times 10^18. Operands are not negative.
"""

from __future__ import annotations

from app.kernel.errors import broken
from app.kernel.record import Dec

ONE = 10**18
HALF = ONE // 2


def to_dec(whole: int) -> Dec:
    """Return a whole number."""
    return Dec(whole * ONE)


def truncate(value: int) -> int:
    """Return the whole part."""
    return value // ONE


def mul(left: int, right: int) -> Dec:
    """Return a product, a half rounded to even."""
    return round_even(left * right)


def mul_truncate(left: int, right: int) -> Dec:
    """Return a product, rounded down."""
    return Dec(left * right // ONE)


def quo(left: int, right: int) -> Dec:
    """Return a quotient: cut at 36 decimals, then a half rounded to even."""
    return round_even(left * ONE * ONE // checked(right))


def quo_truncate(left: int, right: int) -> Dec:
    """Return a quotient, rounded down."""
    return Dec(left * ONE // checked(right))


def quo_round_up(left: int, right: int) -> Dec:
    """Return a quotient, rounded up."""
    return Dec(-(-left * ONE // checked(right)))


def round_even(scaled: int) -> Dec:
    """Return a number of 36 decimals with 18, a half rounded to even."""
    whole, rest = divmod(scaled, ONE)
    if rest > HALF or (rest == HALF and whole & 1):
        whole += 1
    return Dec(whole)


def checked(divisor: int) -> int:
    """Return a divisor that is none of zero."""
    return divisor if divisor > 0 else broken("nothing is divided by zero")


def dec_text(value: int) -> str:
    """Return a number as people write it, with all its decimals."""
    whole, rest = divmod(value, ONE)
    return f"{whole}.{rest:018d}"
