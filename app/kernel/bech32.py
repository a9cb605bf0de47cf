"""Addresses as people see them: Bech32 (BIP-173), with a prefix that says whose they are."""

from __future__ import annotations

from functools import lru_cache

from app.kernel.record import ADDRESS_BYTES, Address

PREFIX = "pollen"
OPERATOR_PREFIX = "pollenvaloper"
CONSENSUS_PREFIX = "pollenvalcons"
ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
VALUES = {letter: value for value, letter in enumerate(ALPHABET)}
GENERATORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
CHECKSUM_LENGTH = 6
DATA_LENGTH = 32 + CHECKSUM_LENGTH


def mix(top: int) -> int:
    """Return what five bits that leave the checksum register add to it."""
    mixed = 0
    for i, generator in enumerate(GENERATORS):
        if top >> i & 1:
            mixed ^= generator
    return mixed


MIXED = [mix(top) for top in range(32)]


def polymod(values: list[int]) -> int:
    """Return the checksum register after some 5-bit values."""
    register = 1
    for value in values:
        register = (register & 0x1FFFFFF) << 5 ^ value ^ MIXED[register >> 25]
    return register


PREFIX_VALUES = {
    prefix: [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]
    for prefix in (PREFIX, OPERATOR_PREFIX, CONSENSUS_PREFIX)
}


@lru_cache(maxsize=65_536)
def to_bech32(address: bytes, prefix: str = PREFIX) -> str:
    """Return an address as text; no address is empty text."""
    if not address:
        return ""
    number = int.from_bytes(address, "big")
    data = [number >> shift & 31 for shift in range(8 * ADDRESS_BYTES - 5, -1, -5)]
    check = polymod([*PREFIX_VALUES[prefix], *data, *[0] * CHECKSUM_LENGTH]) ^ 1
    data += [check >> 5 * (CHECKSUM_LENGTH - 1 - i) & 31 for i in range(CHECKSUM_LENGTH)]
    return f"{prefix}1" + "".join([ALPHABET[value] for value in data])


@lru_cache(maxsize=65_536)
def from_bech32(text: str, prefix: str = PREFIX) -> Address:
    """Return the address that text shows; ValueError says what is wrong with it."""
    lowered = text.lower()
    if text != lowered and text != text.upper():
        raise ValueError(f"address {text!r} mixes upper and lower case")
    head = f"{prefix}1"
    if not lowered.startswith(head):
        raise ValueError(f"address {text!r} does not begin with {head}")
    letters = lowered[len(head) :]
    if len(letters) != DATA_LENGTH:
        length = len(head) + DATA_LENGTH
        raise ValueError(f"address {text!r} has {len(text)} letters, not {length}")
    data = [VALUES.get(letter, -1) for letter in letters]
    if min(data) < 0 or polymod(PREFIX_VALUES[prefix] + data) != 1:
        raise ValueError(f"address {text!r} has a wrong letter: its checksum does not fit")
    number = 0
    for value in data[:-CHECKSUM_LENGTH]:
        number = number << 5 | value
    return Address(number.to_bytes(ADDRESS_BYTES, "big"))
