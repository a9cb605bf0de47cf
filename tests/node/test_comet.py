"""Homes and configurations, made and read; no engine runs here."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import tomllib
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from nacl.signing import SigningKey

from app import chain
from app.kernel.bech32 import to_bech32
from app.kernel.crypto import module_address, sha256
from app.kernel.store import MemoryStore
from app.node import comet, localnet
from app.node.config import Home, NodeConfig, OperatorError, to_toml
from app.node.genesis import FAUCET_FILE, OPERATOR_FILE, init_home, read_template
from app.node.localnet import NETWORK_FILE, find_localnet, make_localnet, place_nodes
from app.node.vrf_keys import find_lost_key, make_vrf_key, prove_from
from tests.build import an_address


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "app.node.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_engine_knows_the_keys_by_the_names_we_give_them(tmp_path: Path) -> None:
    public_key = comet.make_keys(tmp_path)
    command = [comet.find_engine(), "show-node-id", "--home", str(tmp_path)]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    assert shown == comet.read_node_id(tmp_path)

    command[1] = "show-validator"
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert b64decode(json.loads(shown)["value"]) == public_key


def test_keys_are_made_once_and_for_their_owner_only(tmp_path: Path) -> None:
    first = comet.make_keys(tmp_path)
    assert comet.make_keys(tmp_path) == first
    path = tmp_path / "config" / "priv_validator_key.json"
    key = json.loads(path.read_text())
    secret = b64decode(key["priv_key"]["value"])
    assert bytes(SigningKey(secret[:32]).verify_key) == secret[32:] == first
    assert key["address"] == sha256(first)[:20].hex().upper()
    assert path.stat().st_mode & 0o077 == 0


def test_the_operators_settings_lie_over_the_profiles() -> None:
    engine = {"consensus": {"timeout_commit": "3s"}, "moniker": "mine"}
    config = NodeConfig(profile="localnet", engine=engine, peers=("a@h:1", "b@h:2"))
    settings = comet.engine_config(Home(Path("/n")), config)
    assert settings["consensus"]["timeout_commit"] == "3s"
    assert settings["consensus"]["create_empty_blocks"] is False
    assert settings["p2p"]["persistent_peers"] == "a@h:1,b@h:2"
    assert settings["moniker"] == "mine"


def test_settings_are_written_and_read_again(tmp_path: Path) -> None:
    engine = {"p2p": {"pex": False}, "log_level": 'a "quoted" word'}
    config = NodeConfig(moniker="ünï", peers=("x@y:1",), check_invariants=True, engine=engine)
    Home(tmp_path).write_config(config)
    assert Home(tmp_path).read_config() == config
    assert tomllib.loads(to_toml({"a": {"b": {"c": 1}}, "d": [True]})) == {
        "a": {"b": {"c": 1}},
        "d": [True],
    }


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("colour = 'red'", "colour: no such setting"),
        ("check_invariants = 'yes'", "check_invariants: 'yes' is not of type bool"),
        ("rpc_address = 'localhost'", "rpc_address: 'localhost' is not <host>:<port>"),
        ("rpc_address = 'localhost:99999'", "rpc_address: 'localhost:99999' is not"),
        ("profile = 'fast'", "profile: 'fast' is none of network, localnet"),
        ("snapshot_interval = -1", "snapshot_interval: -1 is less than 0"),
        ("snapshot_keep = 0", "snapshot_keep: 0 is less than 1"),
        ("log_level = 'loud'", "log_level: 'loud' is none of debug"),
        ("= 1", "Invalid"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "pollend.toml").write_text(text)
    with pytest.raises(OperatorError, match=words):
        Home(tmp_path).read_config()


def test_a_home_too_deep_for_a_socket_is_refused(tmp_path: Path) -> None:
    deep = Home(tmp_path / ("d" * 90))
    deep.write_config(NodeConfig())
    with pytest.raises(OperatorError, match="choose a shorter --home"):
        deep.read_config()


@pytest.mark.parametrize("name", ["minimal", "localnet", "testnet"])
def test_each_genesis_makes_a_chain(tmp_path: Path, name: str) -> None:
    made = init_home(Home(tmp_path), NodeConfig(), "a-chain", name)
    genesis = json.loads((tmp_path / "engine" / "config" / "genesis.json").read_text())
    faucet = json.loads((tmp_path / FAUCET_FILE).read_text())
    assert made["chain_id"] == genesis["chain_id"] == "a-chain"
    holders = [row["key"][0] for row in genesis["app_state"]["bank"]["bank/balance"]]
    operator = json.loads((tmp_path / OPERATOR_FILE).read_text())
    pool = to_bech32(module_address("bonded_tokens_pool"))
    assert sorted(holders) == sorted([faucet["address"], operator["address"], pool])
    (validator,) = genesis["validators"]
    (row,) = genesis["app_state"]["staking"]["staking/validator"]
    assert row["value"]["tokens_uflt"] == validator["power"] + "000000"


def test_genesis_names_the_validator_s_key_for_the_beacon_and_its_operator(tmp_path: Path) -> None:
    made = init_home(Home(tmp_path), NodeConfig(), "a-chain", "minimal")
    genesis = json.loads((tmp_path / "engine" / "config" / "genesis.json").read_text())
    (row,) = genesis["app_state"]["beacon"]["beacon/validator"]
    operator = json.loads((tmp_path / OPERATOR_FILE).read_text())
    assert row["value"]["validator"].upper() == genesis["validators"][0]["address"]
    assert row["value"]["operator"] == operator["address"] == made["operator"]
    assert row["value"]["vrf_key"] == made["vrf_key"]
    assert (tmp_path / "vrf_keys.json").stat().st_mode & 0o777 == 0o600
    assert prove_from(tmp_path / "vrf_keys.json", bytes.fromhex(made["vrf_key"]), b"") is not None


def test_a_secret_that_is_not_there_is_noticed(tmp_path: Path) -> None:
    home, state = Home(tmp_path), MemoryStore()
    made = init_home(home, NodeConfig(), "a-chain", "minimal")
    genesis = json.loads((home.engine / "config" / "genesis.json").read_text())
    chain.init_genesis(state, genesis["app_state"])
    assert find_lost_key(home, state, 1) is None
    home.vrf_keys.unlink()
    assert find_lost_key(home, state, 1) == bytes.fromhex(made["vrf_key"])
    make_vrf_key(home.vrf_keys)
    assert find_lost_key(home, state, 1) == bytes.fromhex(made["vrf_key"])
    assert find_lost_key(home, MemoryStore(), 1) is None
    (home.engine / "config" / "priv_validator_key.json").unlink()
    assert find_lost_key(home, state, 1) is None


def test_a_validator_s_keys_are_shown_and_another_is_made(tmp_path: Path) -> None:
    home = ("--home", str(tmp_path / "node"))
    assert "no node lives here" in run("vrf", "show", *home).stderr
    first = json.loads(run("init", *home, "--output", "json").stdout)["vrf_key"]
    second = json.loads(run("vrf", "new", *home, "--output", "json").stdout)["vrf_key"]
    shown = json.loads(run("vrf", "show", *home, "--output", "json").stdout)
    assert shown["vrf_keys"] == [first, second]
    assert shown["validator"] in run("vrf", "show", *home).stdout
    (tmp_path / "node" / "vrf_keys.json").write_text("{")
    for verb in ("show", "new"):
        done = run("vrf", verb, *home)
        assert (done.returncode, "Traceback" in done.stderr) == (1, False)
        assert "no secrets for the beacon can be read" in done.stderr


def test_a_node_joins_a_chain_by_its_genesis_file(tmp_path: Path) -> None:
    init_home(Home(tmp_path / "first"), NodeConfig(), "a-chain", "minimal")
    genesis = tmp_path / "first" / "engine" / "config" / "genesis.json"
    made = init_home(Home(tmp_path / "second"), NodeConfig(), "unheard", str(genesis))
    assert made["chain_id"] == "a-chain"
    assert (made["faucet"], made["operator"]) == (None, None)
    assert not (tmp_path / "second" / OPERATOR_FILE).exists()
    joined = tmp_path / "second" / "engine" / "config" / "genesis.json"
    assert json.loads(joined.read_text()) == json.loads(genesis.read_text())


def test_a_new_chain_s_operator_may_have_its_key_elsewhere(
    tmp_path: Path,
) -> None:
    own = to_bech32(an_address("olga"))
    home = ("--home", str(tmp_path / "node"), "--genesis", "minimal", "--output", "json")
    assert "--operator: address 'olga'" in run("init", *home, "--operator", "olga").stderr
    assert json.loads(run("init", *home, "--operator", own).stdout)["operator"] == own
    assert not (tmp_path / "node" / OPERATOR_FILE).exists()
    genesis = tmp_path / "node" / "engine" / "config" / "genesis.json"
    assert own in genesis.read_text()
    other = ("--home", str(tmp_path / "other"), "--genesis", str(genesis))
    assert "this chain has begun" in run("init", *other, "--operator", own).stderr
    assert not (tmp_path / "other").exists()


def test_a_genesis_that_makes_no_sense_is_explained(tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    for text, words in (
        ("{", "not JSON"),
        ("[]", "is an object"),
        ('{"params": {"weather": {}}}', "weather"),
        ('{"params": {"fees": {"colour": 1}}}', "colour"),
        ('{"balances": {"pollen1x": "1"}}', "genesis"),
    ):
        path.write_text(text)
        with pytest.raises(OperatorError, match=words):
            init_home(Home(tmp_path / "node"), NodeConfig(), "a-chain", str(path))
    with pytest.raises(OperatorError, match="none of localnet, minimal, testnet"):
        read_template("moon")


def test_a_localnet_knows_its_peers_and_validators(tmp_path: Path) -> None:
    network = make_localnet(tmp_path, 3, None, "minimal")
    configs = [Home(Path(node.home)).read_config() for node in network.nodes]
    assert [len(config.peers) for config in configs] == [2, 2, 2]
    files = [Path(node.home) / "engine" / "config" / "genesis.json" for node in network.nodes]
    assert len({file.read_text() for file in files}) == 1
    assert len(json.loads(files[0].read_text())["validators"]) == 3
    ports = [address for node in network.nodes for address in (node.p2p, node.rpc, node.grpc)]
    assert len(set(ports)) == 9


def test_a_node_is_up_only_if_it_answers_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (node,) = make_localnet(tmp_path, 1, None, "minimal").nodes
    own = comet.read_node_id(Home(Path(node.home)).engine)
    monkeypatch.setattr(localnet, "find_unready", lambda address: "")
    for found, is_own in ((own, True), ("ab" * 20, False)):
        text = json.dumps({"result": {"node_info": {"id": found}}})
        monkeypatch.setattr(localnet, "ask", lambda address, path, text=text: (200, text))
        assert localnet.is_up(node) == is_own
    monkeypatch.setattr(localnet, "ask", lambda address, path: (0, "no answer"))
    assert not localnet.is_up(node)


def test_a_taken_port_is_named(tmp_path: Path) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(OperatorError, match=f"port {port}: in use"):
            place_nodes(tmp_path, 1, port)


def test_a_node_does_not_start_on_a_taken_port(tmp_path: Path) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        free = place_nodes(tmp_path, 1, None)[0]
        addresses = {"p2p_address": free.p2p, "rpc_address": free.rpc}
        config = NodeConfig(grpc_address=f"127.0.0.1:{port}", **addresses)
        init_home(Home(tmp_path), config, "a-chain", "minimal")
        done = run("start", "--home", str(tmp_path))
    assert done.returncode == 1
    assert f"grpc_address 127.0.0.1:{port}: in use" in done.stderr
    assert "Traceback" not in done.stderr


def test_commands_fail_with_a_sentence_and_no_traceback(tmp_path: Path) -> None:
    home = str(tmp_path / "node")
    for arguments, words in (
        (("start", "--home", home), "no node lives here"),
        (("status", "--home", home), "no node lives here"),
        (("localnet", "stop", "--home", home), "no network lives here"),
        (("localnet", "start", "--home", home, "--validators", "0"), "from 1 to"),
        (("init", "--home", home, "--genesis", "moon"), "none of localnet"),
    ):
        done = run(*arguments)
        assert done.returncode == 1
        assert words in done.stderr
        assert "Traceback" not in done.stderr
        as_json = run(*arguments, "--output", "json")
        assert words in json.loads(as_json.stderr)["error"]


def test_init_makes_a_home_once(tmp_path: Path) -> None:
    home = str(tmp_path / "node")
    done = run("init", "--home", home, "--chain-id", "a-chain", "--output", "json")
    assert json.loads(done.stdout)["chain_id"] == "a-chain"
    assert "lives here already" in run("init", "--home", home).stderr
    stopped = run("status", "--home", home, "--output", "json")
    assert json.loads(stopped.stdout)["state"] == "stopped"


def test_version_is_quick_and_in_both_forms() -> None:
    assert run("version").stdout.startswith("pollend ")
    assert "pollend" in json.loads(run("version", "--output", "json").stdout)


def test_what_is_tethered_dies_with_its_parent() -> None:
    program = (
        "import os, subprocess, time\n"
        f"tether = [{sys.executable!r}, '-IS', {str(comet.TETHER)!r}, str(os.getpid())]\n"
        "subprocess.Popen([*tether, '/bin/sleep', '100'])\n"
        "time.sleep(100)"
    )
    with subprocess.Popen([sys.executable, "-c", program]) as parent:
        children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children")
        child = wait_for(lambda: children.read_text().strip())
        cmdline = Path(f"/proc/{child}/cmdline")
        wait_for(lambda: cmdline.read_bytes().startswith(b"/bin/sleep"))
        parent.kill()
    wait_for(lambda: not cmdline.exists() or not cmdline.read_bytes())


def test_what_is_tethered_to_a_parent_that_is_gone_is_not_started() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as parent:
        pass
    command = [sys.executable, "-IS", str(comet.TETHER), str(parent.pid), "/bin/echo", "started"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"process {parent.pid} is gone" in done.stderr


def wait_for(find: Callable[[], Any]) -> Any:
    """Return what is found within ten seconds."""
    deadline_s = time.monotonic() + 10
    while not (found := find()):
        assert time.monotonic() < deadline_s
        time.sleep(0.02)
    return found


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"chain_id": "x", "faucet": "y", "nodes": [{"name": "node0"}]}']
)
def test_a_network_of_another_version_is_named_not_read(tmp_path: Path, text: str) -> None:
    (tmp_path / NETWORK_FILE).write_text(text)
    with pytest.raises(OperatorError, match=r"localnet.json: not of this version .* make the net"):
        find_localnet(tmp_path)
