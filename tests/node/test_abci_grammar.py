"""The recorded calls of a node are held against the grammar of CometBFT's specification."""

from __future__ import annotations

import logging

import pytest
from cosmpy.protos.tendermint.abci import types_pb2 as abci

from app.node.log import set_up_logging
from app.node.socket import answer
from tests.abci_grammar import LETTERS, is_right, read_runs


@pytest.mark.parametrize(
    "calls", ["", "I", "IPSFC", "ISFCFCPSSF", "FCFC", "OAAFCPSFC", "OOAOAAFC", "SPVEVFC", "IFCPS"]
)
def test_what_the_engine_may_do_is_right(calls: str) -> None:
    assert is_right(calls)


@pytest.mark.parametrize(
    "calls", ["C", "FFC", "FCC", "PSC", "IIFC", "FCI", "AFC", "OFC", "OA" + "IFC", "FCOA", "SFPC"]
)
def test_what_it_may_not_do_is_wrong(calls: str) -> None:
    assert not is_right(calls)


def test_a_node_logs_each_call(capsys: pytest.CaptureFixture[str]) -> None:
    before = logging.getLogger().handlers[:]
    set_up_logging("text", "debug")
    logging.getLogger("pollend").info("pollend %s, process %d, home %s", "1", 2, "/n")
    methods = {name: (lambda request: None) for name in (*LETTERS, "info")}
    for name in ("info", *LETTERS):
        request = abci.Request()
        getattr(request, name).SetInParent()
        answer(methods, request.SerializeToString())
    set_up_logging("text", "warning")
    logging.getLogger().handlers[:] = before
    assert read_runs(capsys.readouterr().err) == ["IOAPSEVFC"]
