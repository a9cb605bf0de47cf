"""A chain is described to wallets and registries as it is."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from app.modules.fees import Params as FeeParams
from app.modules.fees import compute_fee_min
from app.node.chain_info import describe_chain
from app.node.config import Home, NodeConfig, OperatorError
from app.node.genesis import init_home

URLS = ("https://rpc.example", "https://rest.example", "grpc.example:443")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path)
    init_home(home, NodeConfig(), "Pollen-Try_1", "localnet")
    return home


def test_keplr_is_told_what_it_must_know(home: Home) -> None:
    keplr = describe_chain(home, *URLS)["keplr"]
    assert (keplr["chainId"], keplr["rpc"], keplr["rest"]) == ("Pollen-Try_1", *URLS[:2])
    assert keplr["bip44"] == {"coinType": 118}
    assert keplr["bech32Config"]["bech32PrefixAccAddr"] == "pollen"
    assert keplr["bech32Config"]["bech32PrefixValAddr"] == "pollenvaloper"
    currency = {"coinDenom": "FLT", "coinMinimalDenom": "uflt", "coinDecimals": 6}
    assert keplr["stakeCurrency"] == keplr["currencies"][0] == currency
    step = keplr["feeCurrencies"][0]["gasPriceStep"]
    assert step["low"] * 1_000_000 >= compute_fee_min(FeeParams(), 1_000_000)
    assert step["low"] < step["average"] < step["high"]


def test_the_registry_has_both_files(home: Home) -> None:
    found = describe_chain(home, *URLS)
    chain, assets = found["chain.json"], found["assetlist.json"]
    assert chain["chain_name"] == assets["chain_name"] == "pollentry1"
    assert chain["apis"]["grpc"] == [{"address": URLS[2]}]
    assert chain["fees"]["fee_tokens"][0]["denom"] == assets["assets"][0]["base"] == "uflt"
    assert [unit["exponent"] for unit in assets["assets"][0]["denom_units"]] == [0, 6]


def test_the_command_prints_what_the_home_says(home: Home) -> None:
    command = [sys.executable, "-m", "app.node.cli", "chain-info", "--home", str(home.path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["keplr"]["rest"] == "http://127.0.0.1:1317"


def test_without_a_chain_there_is_nothing_to_describe(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="pollend init"):
        describe_chain(Home(tmp_path), *URLS)
