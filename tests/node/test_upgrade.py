"""A planned upgrade as a node meets it: asked for, stopped at, gone on from."""

from pathlib import Path
from typing import Any

import pytest
from cosmpy.protos.cosmos.upgrade.v1beta1.query_pb2 import (
    QueryCurrentPlanRequest,
    QueryCurrentPlanResponse,
)
from cosmpy.protos.tendermint.abci import types_pb2 as abci

from app import chain
from app.chain import Upgrade
from app.kernel.errors import UpgradeNeeded
from app.kernel.record import U64
from app.kernel.store import State
from app.modules import fees
from tests.node.bank_chain import ALICE, BankChain, a_send

PLAN = {"name": "two", "time": "0", "height": "3", "info": "", "upgraded_client_state": ""}


class PlannedChain(BankChain):
    """A chain that begins with an upgrade planned."""

    def make_genesis(self) -> dict[str, Any]:
        state = super().make_genesis()
        state["upgrade"]["upgrade/plan"] = PLAN
        return state


def forgive_fees(state: State) -> None:
    """Let gas cost nothing."""
    fees.PARAMS.put(state, fees.Params(uflt_per_million_gas_min=U64(0)))


def ask_plan(node: BankChain) -> Any:
    """The plan that clients are shown."""
    path = "/cosmos.upgrade.v1beta1.Query/CurrentPlan"
    data = QueryCurrentPlanRequest().SerializeToString()
    response = node.app.query(abci.RequestQuery(path=path, data=data))
    return QueryCurrentPlanResponse.FromString(response.value)


def test_a_node_stops_before_the_block_and_its_next_version_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = PlannedChain(tmp_path)
    node.init()
    node.run()
    node.run([a_send(ALICE, 0)])
    assert (ask_plan(node).plan.name, ask_plan(node).plan.height) == ("two", 3)
    for act in (lambda: node.accepts([]), node.finalize):
        with pytest.raises(UpgradeNeeded, match="install the version that has it"):
            act()
    before = node.info()
    node.restart()
    assert node.info() == before

    monkeypatch.setattr(chain, "APP_VERSION", 2)
    monkeypatch.setattr(chain, "UPGRADES", {"two": Upgrade(2, forgive_fees)})
    node.restart()
    free = a_send(ALICE, 1, fee_uflt=0)
    response = node.run([free])

    assert response.tx_results[0].code == 0
    assert [event.type for event in response.events] == ["upgrade_applied"]
    assert not ask_plan(node).HasField("plan")
    node.restart()
    node.run([a_send(ALICE, 2, fee_uflt=0)])
    node.store.close()
