"""The folder of keys: sealed, closed to others, and clear about what is wrong."""

import json
import stat
from pathlib import Path

import pytest

from app.sdk.derive import derive_secret
from app.sdk.keyring import Keyring, KeyringError, Protection, ask_passphrase

PASSPHRASE = "correct horse"


@pytest.fixture
def ring(tmp_path: Path) -> Keyring:
    return Keyring(tmp_path / "keys", ask=lambda **_: PASSPHRASE)


@pytest.fixture
def clear_ring(tmp_path: Path) -> Keyring:
    return Keyring(tmp_path / "clear", protection=Protection.TEST)


def test_a_new_key_opens_again_and_its_words_bring_it_back(ring: Keyring) -> None:
    entry, words = ring.add("anna")
    signer = ring.open("anna")
    assert signer.secret == derive_secret(words)
    assert (signer.pubkey, entry.name) == (entry.pubkey, "anna")
    assert ring.import_mnemonic("anna-again", words).address == entry.address
    assert [each.name for each in ring.list()] == ["anna", "anna-again"]


def test_only_the_owner_may_read_and_nothing_secret_lies_in_clear(ring: Keyring) -> None:
    ring.add("anna")
    path = ring.folder / "anna.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(ring.folder.stat().st_mode) == 0o700
    assert ring.open("anna").secret.hex() not in path.read_text()
    path.chmod(0o644)
    with pytest.raises(KeyringError, match="chmod 600"):
        ring.open("anna")


def test_another_passphrase_or_name_or_key_does_not_open(ring: Keyring) -> None:
    ring.add("anna")
    other = Keyring(ring.folder, ask=lambda **_: "wrong horse")
    with pytest.raises(KeyringError, match="doesn't open key 'anna'"):
        other.open("anna")
    stored = json.loads((ring.folder / "anna.json").read_text())
    for field, value in (("name", "bert"), ("pubkey", "02" + "11" * 32)):
        with pytest.raises(KeyringError, match="doesn't open"):
            ring.import_file("copy", json.dumps({**stored, field: value}))


def test_an_exported_key_comes_in_elsewhere(ring: Keyring, clear_ring: Keyring) -> None:
    entry, _ = ring.add("anna")
    moved = Keyring(clear_ring.folder, ask=lambda **_: PASSPHRASE)
    assert moved.import_file("moved", ring.export("anna")).address == entry.address
    assert moved.open("moved").secret == ring.open("anna").secret


def test_a_name_is_taken_once_and_is_no_path(ring: Keyring) -> None:
    ring.add("anna")
    with pytest.raises(KeyringError, match="choose another name"):
        ring.add("anna")
    for name in ("", "../anna", "Anna", "a" * 65):
        with pytest.raises(KeyringError, match="1 to 64 of"):
            ring.add(name)


def test_a_missing_key_names_those_that_are_there(ring: Keyring) -> None:
    ring.add("anna")
    with pytest.raises(KeyringError, match=r"there: anna.*pollen keys add bert"):
        ring.show("bert")


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"name": "x", "pubkey": "zz"}'])
def test_what_is_no_key_file_is_refused(ring: Keyring, text: str) -> None:
    with pytest.raises(KeyringError, match="no Pollen key file"):
        ring.import_file("x", text)


def test_a_file_may_not_ask_for_endless_work(ring: Keyring) -> None:
    ring.add("anna")
    stored = json.loads(ring.export("anna"))
    with pytest.raises(KeyringError, match="Pollen didn't write this file"):
        ring.import_file("x", json.dumps({**stored, "kdf_memory_bytes": 1 << 40}))


def test_a_key_in_clear_opens_only_where_that_is_asked_for(clear_ring: Keyring) -> None:
    clear_ring.add("anna")
    assert clear_ring.open("anna").secret.hex() in clear_ring.export("anna")
    with pytest.raises(KeyringError, match="lies unsealed"):
        Keyring(clear_ring.folder).open("anna")


def test_the_passphrase_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POLLEN_PASSPHRASE", PASSPHRASE)
    assert ask_passphrase(is_new=True) == PASSPHRASE
    monkeypatch.setenv("POLLEN_PASSPHRASE", "short")
    with pytest.raises(KeyringError, match="at least 8"):
        ask_passphrase(is_new=True)


def test_a_new_passphrase_is_typed_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("POLLEN_PASSPHRASE", raising=False)
    typed = iter([PASSPHRASE, "another one"])
    monkeypatch.setattr("getpass.getpass", lambda prompt: next(typed))
    with pytest.raises(KeyringError, match="differ"):
        ask_passphrase(is_new=True)
