"""Stake as it is typed: money is staked, earns, is moved and taken out; a validator leaves jail."""

import json
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from app.sdk.cosmos import Operator, operator_text
from tests.worker.cli_net import FLT, QUICK, RICH_UFLT, RunningNode, Shell, address_of, make_signers

RITA, WANDA = ("--from", "rita"), ("--from", "wanda")
KEY = sha256(b"wanda's node").hexdigest()


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Shell]:
    own = Shell(tmp_path / "home", capsys)
    people = make_signers(own, "rita", "wanda", "willi")  # Rita operates the only validator.
    with RunningNode(tmp_path / "state", QUICK, *people.values()).running() as node:
        own.address = node.address
        yield own


def operator(shell: Shell, name: str) -> str:
    return operator_text(Operator(shell.ring().open(name).address))


def stakes(shell: Shell, name: str) -> dict[str, int]:
    """What somebody has with each validator."""
    rows = shell.ask("stake", "show", name)["stakes"]
    return {row["validator"]: row["amount_uflt"] for row in rows}


def become_validator(shell: Shell) -> str:
    """Let Wanda operate a validator."""
    words = ("--pubkey", KEY, "--stake", "5flt", "--moniker", "wanda's")
    return str(shell.ask("validator", "create", *words, *WANDA)["operator_address"])


def test_stake_is_added_moved_and_taken_out(shell: Shell) -> None:
    ritas, wandas = operator(shell, "rita"), become_validator(shell)
    added = shell.ask("stake", "add", ritas, "3flt", "--from", "willi")
    assert (added["validator"], added["amount_uflt"]) == (ritas, 3 * FLT)
    shell.ask("stake", "add", "rita", "1flt", "--from", "willi")  # The same, by a key's name.
    assert stakes(shell, "willi") == {ritas: 4 * FLT}

    moved = shell.ask("stake", "move", ritas, wandas, "1.5flt", "--from", "willi")
    taken = shell.ask("stake", "take", "rita", "1flt", "--from", "willi")

    found = shell.ask("stake", "show", "willi")
    left = {row["validator"]: row["amount_uflt"] for row in found["stakes"]}
    assert left == {ritas: 1_500_000, wandas: 1_500_000}
    (leaving,), (move,) = found["unbondings"], found["moves"]
    assert (leaving["validator"], leaving["amount_uflt"]) == (ritas, FLT)
    assert leaving["release_unix_s"] == taken["until_unix_s"] > 0
    assert (move["source"], move["destination"]) == (ritas, wandas)
    assert move["release_unix_s"] == moved["until_unix_s"]
    shown = shell.type("stake", "show", "willi").out
    for words in ("wanda's", ritas, wandas, "1.5flt", "On its way out", "slashable until"):
        assert words in shown


def test_stake_earns_and_is_paid_to_whom_one_says(shell: Shell) -> None:
    ritas = operator(shell, "rita")
    shell.ask("stake", "add", ritas, "10flt", "--from", "willi")
    assert "earned nothing yet" in shell.type("stake", "withdraw", *WANDA).err
    shell.ask("send", "willi", "1flt", *WANDA)  # Its fee is earned by who has staked.
    (earned,) = shell.ask("stake", "show", "willi")["stakes"]
    assert earned["reward_uflt"] > 0
    wanda = address_of(shell.ring().open("wanda"))
    assert shell.ask("stake", "recipient", "wanda", "--from", "willi")["recipient"] == wanda
    assert shell.ask("stake", "show", "willi")["recipient"] == wanda
    before = shell.ask("balance", "wanda")["balance_uflt"]

    paid = shell.ask("stake", "withdraw", "--from", "willi")["paid_uflt"]

    assert paid >= earned["reward_uflt"]
    assert shell.ask("balance", "wanda")["balance_uflt"] == before + paid
    assert "paid in block" in shell.type("stake", "withdraw", ritas, "--from", "willi").out


def test_an_operator_is_paid_its_commission(shell: Shell, tmp_path: Path) -> None:
    wandas = become_validator(shell)
    shell.ask("stake", "add", wandas, "1000flt", "--from", "willi")
    shell.ask("send", "willi", "1flt", *RITA)
    due = shell.ask("stake", "show", "wanda")["commission_uflt"]
    assert due > 0
    assert shell.ask("stake", "show", "willi")["commission_uflt"] is None
    assert "commission" in shell.type("stake", "show", "wanda").out
    path = tmp_path / "operator.json"
    path.write_text(json.dumps({"private_key_hex": shell.ring().open("wanda").secret.hex()}))
    earned = sum(row["reward_uflt"] for row in shell.ask("stake", "show", "wanda")["stakes"])

    words = ("stake", "withdraw", "--commission", "--operator-file", str(path))
    paid = shell.ask(*words)["paid_uflt"]

    assert paid >= due + earned
    typed = shell.type("stake", "withdraw", "--commission", "--from", "willi")
    assert "no validator commission to withdraw" in typed.err


def test_a_jailed_validator_is_freed_by_its_operator(shell: Shell) -> None:
    wandas = become_validator(shell)
    shell.ask("stake", "add", wandas, "2flt", "--from", "willi")
    assert "validator not jailed" in shell.type("validator", "unjail", *WANDA).err
    shell.ask("stake", "take", wandas, "5flt", *WANDA)  # Less of its own than it promised.

    assert is_jailed(shell, wandas)
    assert "self delegation" in shell.type("validator", "unjail", *WANDA).err
    shell.ask("stake", "add", wandas, "1flt", *WANDA)
    shell.ask("validator", "unjail", *WANDA)

    assert not is_jailed(shell, wandas)


def is_jailed(shell: Shell, operator: str) -> bool:
    rows = shell.ask("validator", "show")["validators"]
    return next(bool(row["jailed"]) for row in rows if row["operator_address"] == operator)


def test_what_cannot_be_staked_is_said(shell: Shell) -> None:
    ritas = operator(shell, "rita")
    for words, reason in (
        (("add", ritas, "1000000flt"), "insufficient funds"),
        (("add", ritas, "5"), "is no amount"),
        (("add", ritas[:-1], "5flt"), "letters"),
        (("add", "wanda", "5flt"), "validator"),
        (("take", ritas, "5flt"), "delegation"),
        (("move", ritas, ritas, "5flt"), "same validator"),
        (("withdraw", ritas), "no delegation distribution info"),
        (("recipient", "nobody"), "nobody"),
    ):
        typed = shell.type("stake", *words, *WANDA)
        assert (typed.code, typed.out) == (1, ""), words
        assert reason in typed.err, words
    assert shell.ask("balance", "wanda")["balance_uflt"] == RICH_UFLT
    assert stakes(shell, "wanda") == {}
