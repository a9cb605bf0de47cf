"""Whom a node believes that begins from a snapshot."""

from __future__ import annotations

from typing import Any

import pytest

from app.node import state_sync
from app.node.config import OperatorError
from app.node.state_sync import StateSync, choose_trust, read_header

HASH = "AB" * 32
HEADERS = {
    "http://a:1": {"chain_id": "c", "time": "2026-11-23T18:00:00.123456789Z"},
    "b:1": {"chain_id": "c", "time": "2026-11-23T18:00:00.123999999Z"},
    "liar:1": {"chain_id": "c", "time": "2026-11-23T18:00:01Z"},
}


@pytest.fixture(autouse=True)
def servers(monkeypatch: pytest.MonkeyPatch) -> None:
    def ask_rpc(server: str, path: str) -> Any:
        if server not in HEADERS:
            return None
        signed = {"header": {"height": "7"}, "commit": {"block_id": {"hash": HASH}}}
        return {"header": HEADERS[server], "signed_header": signed}

    monkeypatch.setattr(state_sync, "ask_rpc", ask_rpc)


def test_a_known_block_is_trusted_as_given() -> None:
    trust = choose_trust("http://a:1, b:1", 5, HASH)
    assert trust == StateSync(("http://a:1", "b:1"), 5, HASH)
    settings = trust.settings()
    assert (settings["trust_height"], settings["trust_hash"]) == (5, HASH)
    assert settings["rpc_servers"] == "http://a:1,b:1"


def test_without_one_the_first_nodes_newest_is_trusted_and_shown(
    caplog: pytest.LogCaptureFixture,
) -> None:
    trust = choose_trust("b:1", 0, "")
    assert (trust.trust_height, trust.trust_hash) == (7, HASH)
    assert trust.settings()["rpc_servers"] == "b:1,b:1"  # The engine wants two.
    assert f"trusting block 7, hash {HASH}, as b:1 says" in caplog.text


@pytest.mark.parametrize(
    ("servers", "height", "known", "words"),
    [
        (" , ", 0, "", "name the RPC of a node"),
        ("b:1", 5, "", "give both, or neither"),
        ("b:1", 0, HASH, "give both, or neither"),
        ("nobody:1", 0, "", "no RPC of a node answers there"),
    ],
)
def test_what_cannot_be_trusted_is_said(servers: str, height: int, known: str, words: str) -> None:
    with pytest.raises(OperatorError, match=words):
        choose_trust(servers, height, known)


def test_a_header_counts_if_all_that_answer_agree_on_it() -> None:
    expected = read_header(HEADERS["b:1"])
    assert expected[1] % 1000 == 123
    for names, found in (
        (("http://a:1", "b:1"), expected),
        (("http://a:1", "nobody:1"), expected),
        (("http://a:1", "liar:1"), None),
        (("nobody:1",), None),
    ):
        assert StateSync(names, 5, HASH).find_header(6) == found
