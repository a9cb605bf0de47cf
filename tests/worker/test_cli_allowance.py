"""Allowances as they are typed: a worker without money works at a requester's expense."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.worker.cli_net import FLT, QUICK, RunningNode, Shell, address_of, make_signers

BOND = "100flt"


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Shell]:
    shell = Shell(tmp_path / "home", capsys)
    people = make_signers(shell, "rita", "wanda", "willi")
    with RunningNode(tmp_path / "state", QUICK, people["rita"]).running() as node:
        shell.address = node.address
        yield shell


def test_who_has_no_money_submits_at_another_s_expense(shell: Shell) -> None:
    rita, wanda = (address_of(shell.ring().open(name)) for name in ("rita", "wanda"))
    asking = ("allowance", "prune", "--from", "wanda", "--fee-granter", "rita")
    assert "account" in shell.type(*asking).err
    given = shell.ask("allowance", "give", "wanda", "--limit", "1flt", "--from", "rita")
    assert given["grantees"] == [wanda]
    before = shell.ask("balance", "rita")["balance_uflt"]

    shell.ask(*asking)

    assert shell.ask("balance", "wanda")["balance_uflt"] == 0
    (left,) = shell.ask("allowance", "list", "wanda")["had"]
    (coin,) = left["allowance"]["spend_limit"]
    fee_uflt = before - shell.ask("balance", "rita")["balance_uflt"]
    assert (left["granter"], coin["amount"]) == (rita, FLT - fee_uflt)
    assert fee_uflt > 0
    assert "insufficient funds" in shell.type("allowance", "prune", "--from", "wanda").err


def test_an_allowance_for_work_pays_for_nothing_else(shell: Shell) -> None:
    words = ("--a-day", "0.5flt", "--limit", "3flt", "--days", "7", "--for-work")
    shell.ask("allowance", "give", "wanda", "willi", *words, "--from", "rita")
    shown = shell.type("allowance", "list", "rita").out
    for part in ("to", "3flt, 0.5flt every 1 days", "RevealUpdate"):
        assert part in shown
    wanda = ("--from", "wanda", "--fee-granter", "rita")
    assert "message not allowed" in shell.type("allowance", "prune", *wanda).err


def test_what_was_given_is_taken_back(shell: Shell) -> None:
    rita = ("--from", "rita")
    shell.ask("allowance", "give", "wanda", *rita)
    assert "already exists" in shell.type("allowance", "give", "wanda", *rita).err
    shell.ask("allowance", "revoke", "wanda", *rita)
    assert shell.ask("allowance", "list", *rita) == {"given": [], "had": []}
    typed = shell.type("allowance", "prune", "--from", "wanda", "--fee-granter", "rita")
    assert "fee allowance" in typed.err
    assert "pollen allowance list" in shell.type("allowance", "revoke", *rita).err
    assert "nobody to allow" in shell.type("allowance", "give", *rita).err
    question = ("query", "feegrant", "allowances-by-granter", "--granter", "rita", "--limit", "5")
    assert shell.ask(*question)["allowances"] == []
