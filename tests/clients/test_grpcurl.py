"""grpcurl, which knows nothing of this chain: it finds every method by reflection and asks."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from app.chain import MODULES
from app.wire.records import query_path
from tests.clients.conftest import GIFT_UFLT, World

GRPCURL = Path(sys.executable).with_name("grpcurl")


def grpcurl(world: World, *arguments: str, data: Any = None) -> str:
    given = [] if data is None else ["-d", json.dumps(data)]
    command = [GRPCURL, "-plaintext", *given, world.node.grpc, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == 0, done.stderr
    return done.stdout


def ask(world: World, method: str, request: Any) -> Any:
    return json.loads(grpcurl(world, method, data=request))


def test_every_service_and_method_is_described(world: World) -> None:
    services = grpcurl(world, "list").split()
    wanted = [
        "cosmos.auth.v1beta1.Query",
        "cosmos.bank.v1beta1.Query",
        "cosmos.base.node.v1beta1.Service",
        "cosmos.base.tendermint.v1beta1.Service",
        "cosmos.consensus.v1.Query",
        "cosmos.params.v1beta1.Query",
        "cosmos.tx.v1beta1.Service",
        "pollen.node.v1.Service",
    ]
    paths = [query_path(request) for module in MODULES for request in module.queries]
    for service in dict.fromkeys([*wanted, *[path[1:].split("/")[0] for path in paths]]):
        assert service in services
    described = grpcurl(world, "describe", "pollen.jobs.v1.Query")
    assert "rpc Job ( .pollen.jobs.v1.QueryJobRequest )" in described
    assert "string address" in grpcurl(world, "describe", "cosmos.bank.v1beta1.QueryBalanceRequest")


def test_it_asks_by_reflection(world: World) -> None:
    ben = world.address("ben")
    asked = {"address": ben, "denom": "uflt"}
    balance = ask(world, "cosmos.bank.v1beta1.Query/Balance", asked)["balance"]
    assert (balance["denom"], int(balance["amount"]) >= GIFT_UFLT) == ("uflt", True)
    account = ask(world, "cosmos.auth.v1beta1.Query/Account", {"address": ben})["account"]
    assert (account["@type"].rpartition("/")[2], account["address"]) == (
        "cosmos.auth.v1beta1.BaseAccount",
        ben,
    )
    block = ask(world, "cosmos.base.tendermint.v1beta1.Service/GetBlockByHeight", {"height": 2})
    header = block["sdk_block"]["header"]
    assert (header["height"], header["chain_id"]) == ("2", world.network.chain_id)
    assert header["proposer_address"].startswith("pollenvalcons1")
    validators = ask(
        world, "cosmos.base.tendermint.v1beta1.Service/GetValidatorSetByHeight", {"height": 2}
    )
    assert validators["block_height"] == "2"
    config = ask(world, "cosmos.base.node.v1beta1.Service/Config", {})
    assert config["minimum_gas_price"] == "0.010000000000000000uflt"
    node = ask(world, "cosmos.base.tendermint.v1beta1.Service/GetNodeInfo", {})
    assert node["application_version"]["build_deps"][0]["version"].startswith("v0.38.")
    param = ask(
        world,
        "cosmos.params.v1beta1.Query/Params",
        {"subspace": "baseapp", "key": "BlockParams"},
    )
    assert json.loads(param["param"]["value"])["max_gas"] == "-1"
    assert ask(world, "cosmos.base.tendermint.v1beta1.Service/GetSyncing", {}) == {}
