"""Amino JSON: the text that a Ledger and older wallets sign in place of a transaction's bytes.

The keys of an object are sorted, nothing stands between tokens, and text is escaped as Go's
`encoding/json` does it: also `<`, `>`, `&` and the two line separators of Unicode.
"""

from __future__ import annotations

from typing import Any

Plain = Any
"""None, a truth value, an integer, text, or a list or dict of these."""

ESCAPES = {
    **{number: f"\\u{number:04x}" for number in (*range(0x20), *b"<>&", 0x2028, 0x2029)},
    **{ord(char): f"\\{short}" for char, short in zip('"\\\b\f\n\r\t', '"\\bfnrt', strict=True)},
}


def write_json(value: Plain) -> str:
    """Return a plain value as JSON in its one form."""
    if isinstance(value, str):
        return f'"{value.translate(ESCAPES)}"'
    if isinstance(value, dict):
        return f"{{{','.join([f'{write_json(k)}:{write_json(value[k])}' for k in sorted(value)])}}}"
    if isinstance(value, list):
        return f"[{','.join([write_json(each) for each in value])}]"
    return "null" if value is None else str(value).lower()
