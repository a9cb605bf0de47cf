"""Governance as it is typed: a proposal is made, voted on, and what it holds is done."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.worker.cli_net import FLT, QUICK, RunningNode, Shell, make_signers

RITA = ("--from", "rita")
PARAMS = {"gov": {"voting_period": 800, "max_deposit_period": 800}}
URL = "/pollen.gov.v1.MsgReplaceParams"


@pytest.fixture
def net(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[tuple[Shell, RunningNode]]:
    shell = Shell(tmp_path / "home", capsys)
    people = make_signers(shell, "rita", "wanda")  # Rita operates the only validator.
    with RunningNode(tmp_path / "state", QUICK | PARAMS, *people.values()).running() as node:
        shell.address = node.address
        yield shell, node


def write_proposal(folder: Path, **content: Any) -> str:
    """A file that proposes cheaper gas unless told."""
    params = {"@type": "/pollen.statistics.v1.Params", "epoch_s": "77"}
    given = {"title": "shorter epochs", "messages": [{"@type": URL, "params": params}], **content}
    path = folder / "proposal.json"
    path.write_text(json.dumps(given))
    return str(path)


def test_a_proposal_passes_and_params_are_replaced(
    net: tuple[Shell, RunningNode], tmp_path: Path
) -> None:
    shell, node = net
    file = write_proposal(tmp_path)
    proposed = shell.ask("gov", "propose", file, "--summary", "to see more", *RITA)
    assert proposed["proposal_id"] == 1
    (listed,) = shell.ask("gov", "list", "--voting")
    assert (listed["title"], listed["status"]) == ("shorter epochs", "VOTING_PERIOD")
    (message,) = listed["messages"]
    assert (message["@type"], message["params"]["epoch_s"]) == (URL, 77)
    assert "none of yes" in shell.type("gov", "vote", "1", "maybe", *RITA).err
    assert "a sum of 1" in shell.type("gov", "vote", "1", "yes=0.5,no=0.4", *RITA).err
    shell.ask("gov", "vote", "1", "no", *RITA)
    shell.ask("gov", "vote", "1", "yes=0.75,no_with_veto=0.25", *RITA)
    shell.ask("gov", "deposit", "1", "2flt", "--from", "wanda")
    tally = shell.ask("gov", "show", "1")["tally"]
    assert (tally["yes_count"], tally["no_with_veto_count"]) == (7_500_000, 2_500_000)

    node.tick(0.01)
    while shell.ask("gov", "show", "1")["status"] == "VOTING_PERIOD":
        pass

    assert shell.ask("gov", "show", "1")["status"] == "PASSED"
    assert shell.ask("query", "statistics", "params")["params"]["epoch_s"] == 77
    shown = shell.type("gov", "show", "1").out
    for words in ("Proposal 1: shorter epochs", "PASSED", "102flt", "7.5flt", "to see more", "77"):
        assert words in shown
    assert "PASSED" in shell.type("gov", "list").out


def test_words_alone_may_be_proposed_and_wait_for_their_deposit(
    net: tuple[Shell, RunningNode],
) -> None:
    shell, _ = net
    words = ("--title", "be kind", "--summary", "always")
    shell.ask("gov", "propose", *words, "--deposit", "5flt", *RITA)
    found = shell.ask("gov", "show", "1")
    assert (found["status"], found["messages"]) == ("DEPOSIT_PERIOD", [])
    assert found["total_deposit"] == [{"denom": "uflt", "amount": 5 * FLT}]
    assert "is DEPOSIT_PERIOD" in shell.type("gov", "vote", "1", "yes", *RITA).err
    shell.ask("gov", "deposit", "1", "95flt", *RITA)
    assert shell.ask("gov", "show", "1")["status"] == "VOTING_PERIOD"
    assert "no such proposal" in shell.type("gov", "show", "2").err


def test_a_proposal_in_a_hurry_brings_its_larger_deposit_and_may_be_taken_back(
    net: tuple[Shell, RunningNode], tmp_path: Path
) -> None:
    shell, _ = net
    file = write_proposal(tmp_path, summary="soon", expedited=True)
    shell.ask("gov", "propose", file, *RITA)
    found = shell.ask("gov", "show", "1")
    assert (found["expedited"], found["status"]) == (True, "VOTING_PERIOD")
    assert found["total_deposit"] == [{"denom": "uflt", "amount": 500 * FLT}]
    assert "didn't make the proposal" in shell.type("gov", "cancel", "1", "--from", "wanda").err
    shell.ask("gov", "cancel", "1", *RITA)
    assert "no such proposal" in shell.type("gov", "show", "1").err


def test_what_cannot_be_proposed_is_said_before_anything_is_sent(
    net: tuple[Shell, RunningNode], tmp_path: Path
) -> None:
    shell, _ = net
    summary = ("--summary", "s", *RITA)
    for content, reason in (
        ({"title": ""}, "no title"),
        ({"messages": [{"@type": "/x.Msg"}]}, "messages[0]: @type '/x.Msg'"),
        ({"messages": [{"@type": URL, "parms": {}}]}, "parms"),
        (
            {"messages": [{"@type": "/cosmos.upgrade.v1beta1.MsgSoftwareUpgrade", "plan": 1}]},
            "messages[0]",
        ),
    ):
        typed = shell.type("gov", "propose", write_proposal(tmp_path, **content), *summary)
        assert typed.code == 1
        assert reason in typed.err
    (tmp_path / "proposal.json").write_text("{")
    typed = shell.type("gov", "propose", str(tmp_path / "proposal.json"), *summary)
    assert "is no JSON" in typed.err
    assert shell.ask("gov", "list") == []
