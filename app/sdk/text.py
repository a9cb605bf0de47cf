"""Addresses as people see them."""

from app.kernel.bech32 import from_bech32, to_bech32

__all__ = ["from_bech32", "to_bech32"]
