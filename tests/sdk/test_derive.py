"""Keys from words: the published vectors of BIP-39, BIP-32 and a known Cosmos account."""

import bech32
import pytest

from app.sdk.derive import (
    BadMnemonic,
    compute_child,
    compute_root,
    derive_secret,
    generate_mnemonic,
    parse_path,
)
from app.sdk.signer import Signer

ABANDON = "abandon " * 11 + "about"
SEED_1 = bytes(range(16))


@pytest.mark.parametrize(
    ("seed", "path", "secret"),
    [
        (SEED_1, "m", "e8f32e723decf4051aefac8e2c93c9c5b214313817cdb01a1494b917c8436b35"),
        (SEED_1, "m/0'", "edb2e14f9ee77d26dd93b4ecede8d16ed408ce149b6cd80b0715a2d911a0afea"),
        (SEED_1, "m/0'/1", "3c6cb8d0f6a264c91ea8b5030fadaa8e538b020f0a387421a12de9319dc93368"),
        (
            SEED_1,
            "m/0'/1/2'/2/1000000000",
            "471b76e389e528d6de6d816857e012c5455051cad6660850e58372a6c3e6e7c8",
        ),
    ],
)
def test_a_child_key_is_that_of_bip32(seed: bytes, path: str, secret: str) -> None:
    node = compute_root(seed)
    for index in parse_path(path):
        node = compute_child(node, index)
    assert node.secret.hex() == secret


def test_words_give_the_account_that_cosmos_wallets_show() -> None:
    address = Signer(derive_secret(ABANDON)).address
    five_bits = bech32.convertbits(address, 8, 5)
    assert bech32.bech32_encode("cosmos", five_bits) == (
        "cosmos19rl4cm2hmr8afy4kldpxz3fka4jguq0auqdal4"
    )


def test_spaces_and_capitals_in_words_do_not_matter() -> None:
    assert derive_secret(f"  {ABANDON.upper()}\n") == derive_secret(ABANDON)


def test_fresh_words_are_24_and_give_a_key() -> None:
    words = generate_mnemonic()
    assert len(words.split()) == 24
    assert len(derive_secret(words)) == 32
    assert generate_mnemonic() != words


@pytest.mark.parametrize("words", ["", "abandon", ABANDON.replace("about", "abandon"), "x " * 12])
def test_words_with_a_wrong_checksum_are_refused(words: str) -> None:
    with pytest.raises(BadMnemonic, match="check their spelling"):
        derive_secret(words)


@pytest.mark.parametrize("path", ["", "44'/118'", "m/x", "m/-1", "m//0"])
def test_a_path_has_one_form(path: str) -> None:
    with pytest.raises(ValueError, match="isn't of the form"):
        parse_path(path)
