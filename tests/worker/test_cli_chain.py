"""Commands against a real node's application: what they submit, show and refuse."""

import asyncio
import io
import json
import signal
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from rich.console import Console, Group

from app.modules.rounds.queries import get_round_state
from app.node.vrf_keys import make_vrf_key
from app.sdk.client import Client
from app.sdk.protocol import (
    U32,
    U64,
    U128,
    Ending,
    Fault,
    Holdings,
    Participants,
    Register,
    Role,
    Slash,
    StatisticsResponse,
    Totals,
)
from fl_worker.cli.round import describe_round, describe_slashes
from fl_worker.cli.running import Wanted, ensure_registered
from fl_worker.cli.session import name_of
from fl_worker.cli.settings import Misused
from fl_worker.cli.stats import describe
from fl_worker.roles.journal import Challenge, Journal
from tests.build import an_address
from tests.build_rounds import a_play
from tests.build_scores import AGREED, granted
from tests.worker.cli_net import (
    FLT,
    QUICK,
    RICH_UFLT,
    RunningNode,
    Shell,
    address_of,
    make_signers,
    write_typed_app,
)
from tests.worker.flower_apps import MEASURING, write_aims, write_app
from tests.worker.ipfs_net import IpfsNode
from tests.worker.test_cli_whole_job import Role as RoleProcess

NAMES = ("rita", "wanda")
POST = ("--budget", "50flt", "--rounds", "2", "--cohort", "2", "--cohort-min", "1")
SCORED = ("--metric", "loss", "--metric-direction", "lower", "--contribution", "leave_one_out")
QUICK_PHASES = ("--phase-seconds", "5", "--challenge-seconds", "1", "--review-seconds", "5")


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Shell]:
    shell = Shell(tmp_path / "home", capsys)
    people = make_signers(shell, *NAMES)
    with RunningNode(tmp_path / "state", QUICK, *people.values()).running() as node:
        shell.address = node.address
        yield shell


def address(shell: Shell, name: str) -> str:
    return str(shell.ask("keys", "show", name)["address"])


def test_money_moves_and_its_transaction_is_found(shell: Shell) -> None:
    sent = shell.ask("send", "wanda", "1.5flt", "--from", "rita", "--memo", "hi")
    assert (sent["to"], sent["amount_uflt"]) == (address(shell, "wanda"), 1_500_000)
    balance = shell.ask("balance", "wanda")["balance_uflt"]
    assert balance == RICH_UFLT + 1_500_000
    found = shell.ask("tx", "show", sent["tx_hash"])
    assert (found["code"], found["height"]) == (0, sent["height"])
    assert "no block has a transaction" in shell.type("tx", "show", "00" * 32).err
    refused = shell.type("send", "wanda", "1000000flt", "--from", "rita")
    assert (refused.code, refused.out) == (1, "")
    assert "insufficient funds, send less or add money" in refused.err


def test_the_faucet_gives_from_the_local_network_s_key(shell: Shell, tmp_path: Path) -> None:
    assert "pollend localnet start" in shell.type("faucet", "wanda", "--localnet", "/none").err
    rita = shell.ring().open("rita")
    (tmp_path / "faucet.json").write_text(
        json.dumps({"private_key_hex": rita.secret.hex(), "address": address_of(rita)})
    )
    given = shell.ask("faucet", "wanda", "7flt", "--localnet", str(tmp_path))
    assert given["amount_uflt"] == 7 * FLT


def test_a_validator_s_operator_registers_another_key(shell: Shell, tmp_path: Path) -> None:
    vera, rita = an_address("vera").hex(), address(shell, "rita")
    (known,) = shell.ask("validator", "show")["validators"]
    assert (known["validator"], known["operator"], known["next_height"]) == (vera, rita, 0)
    new = make_vrf_key(tmp_path / "vrf_keys.json").hex()
    words = ("validator", "edit", vera, "--vrf-key", new)

    edited = shell.ask(*words, "--from", "rita")

    (known,) = shell.ask("validator", "show")["validators"]
    assert (known["next_vrf_key"], known["next_height"]) == (new, edited["height"] + 2)
    assert new in shell.type("validator", "show").out
    assert "sign with pollen1" in shell.type(*words, "--from", "wanda").err
    assert "hexadecimal" in shell.type(*words[:-1], "zz", "--from", "rita").err


def test_an_account_becomes_a_validator_and_changes_what_is_known_of_it(
    shell: Shell, tmp_path: Path
) -> None:
    key, vrf_key = sha256(b"a node").digest(), make_vrf_key(tmp_path / "vrf_keys.json").hex()
    words = ("--pubkey", key.hex(), "--stake", "5flt", "--moniker", "wanda's")
    created = shell.ask("validator", "create", *words, "--from", "wanda")
    assert created["operator_address"].startswith("pollenvaloper1")
    address = sha256(key).digest()[:20].hex()
    changes = ("--vrf-key", vrf_key, "--moniker", "hers", "--website", "https://w.example")
    shell.ask("validator", "edit", address, *changes, "--from", "wanda")
    rows = {row["validator"]: row for row in shell.ask("validator", "show")["validators"]}
    row = rows[address]
    assert (row["moniker"], row["status"], row["tokens_uflt"]) == ("hers", "bonded", 5 * FLT)
    assert (row["next_vrf_key"], row["commission"]) == (vrf_key, "0.100000000000000000")
    shown = shell.type("validator", "show").out
    assert "hers" in shown
    again = shell.type("validator", "create", *words, "--from", "wanda").err
    assert "already exist for this" in again
    assert "nothing to change" in shell.type("validator", "edit", "--from", "wanda").err
    lost = ("validator", "edit", "--vrf-key", vrf_key, "--from", "wanda")
    assert "say whose" in shell.type(*lost).err
    early = ("validator", "edit", "--commission", "0.105", "--from", "wanda")
    assert "more than once in 24 h" in shell.type(*early).err
    assert "from 0 to 1" in shell.type(*early[:3], "1.5", *early[4:]).err


def test_an_operator_s_key_file_signs(shell: Shell, tmp_path: Path) -> None:
    rita = shell.ring().open("rita")
    path = tmp_path / "operator.json"
    path.write_text(json.dumps({"private_key_hex": rita.secret.hex(), "address": ""}))
    edited = ("validator", "edit", "--moniker", "rita's", "--operator-file", str(path))
    shell.ask(*edited)
    (row,) = shell.ask("validator", "show")["validators"]
    assert row["moniker"] == "rita's"
    path.write_text("{}")
    assert "no key can be read" in shell.type(*edited).err


def test_anything_can_be_asked(shell: Shell) -> None:
    questions = {(row["module"], row["name"]) for row in shell.ask("query")}
    assert {("jobs", "job"), ("rounds", "job-state"), ("bonds", "registrations")} <= questions
    params = shell.ask("query", "jobs", "params")["params"]
    assert params["posting_cost_uflt"] == 10 * FLT
    standing = shell.ask("query", "reputation", "standing", "--account", "rita")["standing"]
    assert (standing["account"], standing["round_count"]) == (address(shell, "rita"), 0)
    penalties = shell.ask("query", "slashing", "penalties")["penalties"]
    assert {row["fault"]: row["part_ppm"] for row in penalties}["NO_AGGREGATE"] == 50_000
    found = shell.ask("query", "bonds", "registrations", "--role=worker", "--limit", "5")
    assert found == {"registrations": []}
    for words, reason in (
        (("jobs", "job", "--job-id", "9"), "no such job"),
        (("jobs", "jib"), "no question jobs jib"),
        (("jobs", "job", "--job", "9"), "--job-id"),
        (("jobs", "job", "--job-id", "x"), "whole number"),
    ):
        typed = shell.type("query", *words)
        assert typed.code == 1
        assert reason in typed.err


def test_a_row_is_read_and_its_proof_checked(shell: Shell) -> None:
    row = shell.ask("query", "store", "bank", "5f", "--prove")
    assert row["value"] == "01"
    trusted = "--height", str(row["height"]), f"--app-hash={row['app_hash']}"
    assert shell.ask("query", "store", "bank", "5f", *trusted) == row
    assert shell.ask("query", "store", "bank", "5f00", *trusted) == {**row, "value": None}
    for words, reason in (
        (("bank", "5f", *trusted[:2], "--app-hash", "00" * 32), "another application hash"),
        (("honey", "5f"), "no store 'honey'"),
        (("bank", "5f", "--height", "9999", trusted[2]), "keeps the states of heights"),
        (("bank", "xy"), "hexadecimal"),
        (("bank",), "a module and a key"),
        (("bank", "5f", "--height", "1"), "give both"),
        (("bank", "5f", "--high", "1"), "--height --app-hash"),
        (("bank", "5f", "--height", "x", trusted[2]), "whole number"),
    ):
        typed = shell.type("query", "store", *words)
        assert typed.code == 1
        assert reason in typed.err.replace("\n", " ")


def test_a_watcher_starts_only_if_it_could_challenge(shell: Shell, tmp_path: Path) -> None:
    shell.type("keys", "add", "poor")
    for words, reason in (
        (("--from", "poor"), "holds 0flt, a challenge needs 12flt: a deposit of 10flt and fees"),
        (("--from", "rita", "--deposit-max", "9flt"), "more than the limit of 9flt: raise"),
    ):
        typed = shell.type("watcher", "start", *words)
        assert typed.code == 1
        assert reason in typed.err
    role = RoleProcess(shell, tmp_path / "log", ["watcher", "start", "--from", "rita"])
    role.wait_until_ready()
    assert role.end(signal.SIGTERM) == 0


def test_who_has_another_role_doesn_t_watch(shell: Shell) -> None:
    register_as_evaluator(shell)
    typed = shell.type("watcher", "start", "--from", "rita")
    assert typed.code == 1
    assert "registered as evaluator; an account has one role: use another key" in typed.err


def test_a_watcher_s_earnings_are_shown(shell: Shell) -> None:
    words = ("watcher", "earnings", "--from", "rita")
    assert shell.ask(*words) == {"earned_uflt": 0, "staked_uflt": 0, "challenges": []}
    journal = Journal(shell.home / "rita" / "journal.sqlite")
    journal.save_challenge(Challenge(1, 3, b"", b"salt", 9, 10 * FLT, "upheld", 25 * FLT))
    journal.save_challenge(Challenge(2, 1, b"proof", b"salt", 9, 10 * FLT))
    journal.close()
    found = shell.ask(*words)
    assert (found["earned_uflt"], found["staked_uflt"]) == (25 * FLT, 10 * FLT)
    assert [row["outcome"] for row in found["challenges"]] == ["upheld", ""]
    shown = shell.type(*words).out
    for text in ("upheld", "goes on", "25flt"):
        assert text in shown


def register_as_evaluator(shell: Shell) -> None:
    rita = shell.ring().open("rita")
    message = Register(
        rita.address, Role.EVALUATOR, rita.address, "http://127.0.0.1:1", b"", U64(20 * FLT)
    )

    async def register() -> None:
        async with await Client.connect(shell.address) as client:
            await client.submit(rita, [message])

    asyncio.run(register())


def test_what_the_chain_has_done_is_shown(shell: Shell) -> None:
    register_as_evaluator(shell)
    found = shell.ask("stats")
    assert found["participants"]["active_count"] == 1
    assert found["holdings"]["bonded_uflt"] == 20 * FLT
    assert (found["totals"]["job_count"], found["endings"]) == (0, [])
    shown = shell.type("stats")
    assert shown.code == 0
    for words in ("1 registered, 1 with a bond", "20flt", "0 included", "0.00 %"):
        assert words in shown.out


def test_the_ends_of_jobs_and_rounds_are_shown_with_their_reasons() -> None:
    totals = Totals(U64(1), included_count=U64(3), missed_count=U64(1), reward_uflt=U128(7_000_000))
    holdings = Holdings(*[U128(0)] * 6)
    endings = (Ending("round", "ABORTED", "too_few_reveals", U64(2)),)
    rates = U32(750_000), U128(23_333_333_333), U32(0), U32(250_000)
    found = StatisticsResponse(totals, endings, Participants(), holdings, *rates)
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(Group(*describe(found)))
    shown = console.export_text()
    for words in ("too_few_reveals", "aborted", "3 included", "75.00 %", "23,333.3 uflt", "7flt"):
        assert words in shown


def test_who_was_slashed_in_a_round_is_shown_with_the_fault() -> None:
    slashes = (Slash(an_address("wanda"), Fault.UNREVEALED_UPDATE, U64(2 * FLT)),)
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(Group(*describe_slashes(slashes)))
    shown = console.export_text()
    for words in (name_of(an_address("wanda")), "unrevealed_update", "2flt"):
        assert words in shown
    assert describe_slashes(()) == []


def test_what_evaluators_found_of_a_round_is_shown() -> None:
    play = granted()
    state = get_round_state(play.world.state, play.round())
    waiting = show_tables(*describe_round(state))
    assert "commit, attempt 1" in waiting
    assert "granted" in waiting
    play.commit_scores(dict.fromkeys(play.evaluators, AGREED))
    play.reveal_scores(dict.fromkeys(play.evaluators, AGREED))
    state = get_round_state(play.world.state, play.round())
    shown = show_tables(*describe_round(state))
    for words in ("scored, utility 0.000900", "0.000400", "0.000100", "0.000800", "revealed"):
        assert words in shown
    unscored = a_play().to_challenge()
    plain = show_tables(*describe_round(get_round_state(unscored.world.state, unscored.round())))
    assert "contribution" not in plain
    assert "scoring" not in plain


def show_tables(*shown: object) -> str:
    """What a wide terminal shows."""
    console = Console(file=io.StringIO(), width=240)
    console.print(Group(*shown))
    return console.file.getvalue()


def test_a_job_without_a_reader_is_posted_and_says_how_to_push_again(
    shell: Shell, tmp_path: Path
) -> None:
    app_dir = write_typed_app(tmp_path / "app")
    before = shell.ask("balance", "rita")["balance_uflt"]
    options = ("--yes", "--from", "rita", "--try-node-config", "partition-id=1")
    typed = shell.type(
        "job", "post", str(app_dir), *POST, *QUICK_PHASES, *options, "--output", "json"
    )
    assert typed.code == 1
    posted = json.loads(typed.out)
    assert (posted["job_id"], posted["readers"]) == (1, [])
    assert posted["trial"]["example_count"] == 5
    assert "push them again: pollen job push 1" in json.loads(typed.err)["error"]
    paid = before - shell.ask("balance", "rita")["balance_uflt"]
    assert 60 * FLT < paid <= posted["cost"]["budget_uflt"] + 10 * FLT + FLT

    job = shell.ask("job", "show", "1")
    assert (job["requester"], job["phase"]) == (address(shell, "rita"), "OPEN")
    assert job["spec"]["schedule"]["round_count"] == 2
    assert job["spec"]["work"]["train_config"] == '{"do":"train"}'
    assert [each["job_id"] for each in shell.ask("job", "list")] == [1]
    for words in (("job", "show", "1"), ("job", "list")):
        shown = shell.type(*words)
        assert shown.code == 0
        assert "tiny" in shown.out
    assert "no reader" in shell.type("job", "push", "1", "--from", "rita").err


def test_a_job_that_can_t_be_posted_says_so_before_it_costs_anything(
    shell: Shell, tmp_path: Path
) -> None:
    app_dir = str(write_typed_app(tmp_path / "app"))
    before = shell.ask("balance", "rita")["balance_uflt"]
    rita = ("--from", "rita", "--yes")
    for words, reason in (
        ((*POST, "--cohort", "0"), "schedule.cohort_size 0: the limits are 1 to 1024"),
        ((*POST, "--worker-ppm", "1"), "sum to 300001 ppm"),
        ((*POST, "--rule", "krum"), "--rule (combination.rule): 'krum' is none of fedavg"),
        (("--budget", "1000000flt"), "insufficient funds"),
        ((*POST, "--run-config", "stepp=2"), "stepp"),
    ):
        typed = shell.type("job", "post", app_dir, *words, *rita)
        assert typed.code == 1
        assert reason in typed.err
    assert "say --yes" in shell.type("job", "post", app_dir, *POST, "--output", "json").err
    empty = shell.type("job", "post", str(tmp_path / "none"), *POST, *rita)
    assert "pollen job init DIR" in empty.err
    assert shell.ask("balance", "rita")["balance_uflt"] == before


def test_a_validation_set_is_posted_sealed_and_its_keys_stay_here(
    shell: Shell, tmp_path: Path
) -> None:
    app_dir = write_app(tmp_path / "app", client=MEASURING)
    folder = write_aims(tmp_path / "aims", *[1.0] * 10)
    rita = ("--yes", "--from", "rita")
    options = (*POST, *QUICK_PHASES, "--cohort-min", "2", "--validation", str(folder), *SCORED)
    typed = shell.type("job", "post", str(app_dir), *options, *rita, "--output", "json")
    assert json.loads(typed.out)["first_metric"] == 1.0  # zeros are 1 away from every aim
    work = shell.ask("job", "show", "1")["spec"]["work"]
    cids = [each["sealed"]["cid"] for each in work["validation_slices"]]
    journal = Journal(shell.home / "rita" / "journal.sqlite")
    keys = [journal.find_slice_key(cid) for cid in cids]
    journal.close()
    assert len(cids) == len({key for key in keys if key}) == 10

    said = shell.type("job", "post", str(app_dir), *POST, *rita, "--validation", str(folder)).err
    assert "give --metric" in said
    (folder / "00.txt").unlink()
    assert "fill 9 slices" in shell.type("job", "post", str(app_dir), *options, *rita).err
    assert [each["job_id"] for each in shell.ask("job", "list")] == [1]


def test_a_requester_funds_and_cancels_its_job(shell: Shell, tmp_path: Path) -> None:
    app_dir = str(write_typed_app(tmp_path / "app"))
    shell.type("job", "post", app_dir, *POST, *QUICK_PHASES, "--yes", "--from", "rita")
    assert shell.ask("job", "fund", "1", "5flt", "--from", "wanda")["tx_hash"]
    assert shell.ask("job", "show", "1")["budget_uflt"] == 55 * FLT
    refused = shell.type("job", "cancel", "1", "--from", "wanda")
    assert "sign with that account" in refused.err
    assert shell.type("job", "accept", "1", "--from", "rita").code == 1
    assert shell.type("job", "cancel", "1", "--from", "rita").code == 0
    assert shell.ask("job", "show", "1")["phase"] == "CANCELLED"
    last = json.loads(shell.type("job", "watch", "1", "--output", "json").out.splitlines()[-1])
    assert last["phase"] == "CANCELLED"
    assert shell.type("job", "watch", "1").code == 0
    assert "no such round" in shell.type("round", "show", "1", "1").err


def test_who_is_not_registered_is_told_how(shell: Shell, tmp_path: Path) -> None:
    shell.type(
        "job", "post", str(write_typed_app(tmp_path / "app")), *POST, "--yes", "--from", "rita"
    )
    wanda = ("--from", "wanda")
    assert "register a worker" in shell.type("worker", "join", "1", *wanda).err
    assert "--bond" in shell.type("worker", "status", *wanda).err
    assert "--bond 500flt" in shell.type("worker", "start", *wanda).err
    listen = ("--listen", "127.0.0.1:0")
    assert "--bond 500flt" in shell.type("aggregator", "start", *listen, *wanda).err
    assert shell.ask("worker", "earnings", *wanda) == {"paid_uflt": 0, "held_uflt": 0, "jobs": []}


def test_who_is_registered_pauses_and_moves_its_bond(shell: Shell) -> None:
    wanda = shell.ring().open("wanda")

    async def register() -> None:
        async with await Client.connect(shell.address) as client:
            wanted = Wanted(Role.WORKER, 20 * FLT, wanda.address)
            await ensure_registered(client, wanda, wanted)
            assert (await ensure_registered(client, wanda, wanted)).bonded_uflt == 20 * FLT
            with pytest.raises(Misused, match="use another key"):
                await ensure_registered(client, wanda, replace(wanted, role=Role.EVALUATOR))

    asyncio.run(register())
    own = ("--from", "wanda")
    assert shell.ask("worker", "bond", "5flt", *own)["tx_hash"]
    assert shell.ask("worker", "unbond", "3flt", *own)["tx_hash"]
    assert shell.type("worker", "pause", *own).code == 0
    found = shell.ask("worker", "status", *own)["registration"]
    assert (found["bonded_uflt"], found["paused"]) == (22 * FLT, True)
    assert shell.type("worker", "resume", *own).code == 0
    assert not shell.ask("worker", "status", *own)["registration"]["paused"]
    assert "smallest bond" in shell.type("worker", "unbond", "15flt", *own).err


def test_a_reader_registers_the_key_that_is_sealed_for_and_keeps_it(shell: Shell) -> None:
    wanda = shell.ring().open("wanda")
    wanted = Wanted(Role.EVALUATOR, 20 * FLT, wanda.address, "http://reader.example", b"k" * 32)

    async def register() -> list[bytes]:
        async with await Client.connect(shell.address) as client:
            later = (wanted, replace(wanted, reader_key=b""), replace(wanted, reader_key=b"n" * 32))
            found = [await ensure_registered(client, wanda, each) for each in later]
            return [each.reader_key for each in found]

    assert asyncio.run(register()) == [b"k" * 32, b"k" * 32, b"n" * 32]


def test_bytes_are_kept_and_given_back(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(bytes(3 << 20))
    kept = shell.ask("blob", "put", str(file), "--from", "rita")
    size = ("--size-bytes", str(kept["size_bytes"]), "--from", "rita")
    got = shell.ask("blob", "get", kept["cid"], *size, "--out", str(tmp_path / "got"))
    assert got["size_bytes"] == 3 << 20
    assert (tmp_path / "got").read_bytes() == file.read_bytes()
    assert "--size-bytes" in shell.type("blob", "get", "bafkrei" + "a" * 52, "--from", "rita").err


def test_bytes_go_from_one_s_ipfs_node_to_another_s(
    shell: Shell, tmp_path: Path, ipfs_nodes: tuple[IpfsNode, IpfsNode]
) -> None:
    ritas, wandas = (("--from", name, "--store", node.url) for name, node in zip(NAMES, ipfs_nodes))
    file = tmp_path / "file"
    file.write_bytes(b"bytes of rita's")
    kept = shell.ask("blob", "put", str(file), *ritas)
    size = ("--size-bytes", str(kept["size_bytes"]))
    shell.ask("blob", "get", kept["cid"], *size, "--out", str(tmp_path / "got"), *wandas)
    assert (tmp_path / "got").read_bytes() == file.read_bytes()
    assert kept["cid"] in ipfs_nodes[1].pinned()
    refusals = {"http://127.0.0.1:1": "start it (ipfs daemon)", "x": "give one such as"}
    for url, advice in refusals.items():
        typed = shell.type("blob", "put", str(file), "--from", "rita", "--store", url)
        assert (typed.code, advice in typed.err) == (1, True)


def test_a_trial_shows_what_each_worker_s_update_is_worth(shell: Shell, tmp_path: Path) -> None:
    typed = MEASURING.replace("a.numpy() + step", "(a.numpy() + step).astype(a.numpy().dtype)")
    app_dir = str(write_app(tmp_path / "app", client=typed))
    folder = write_aims(tmp_path / "aims", *[2.0] * 10)
    options = ("job", "try", app_dir, "--rounds", "2", "--workers", "2", *SCORED)
    assert "--validation FOLDER" in shell.type(*options).err
    rounds = shell.ask(*options, "--validation", str(folder))["rounds"]
    # Both workers send the same update, of 1 and then 2: they are one.
    assert [each["utility_millionths"] for each in rounds] == [-1_000_000, -1_000_000]
    assert [each["contributions_millionths"] for each in rounds] == [{"0": 3_000_000}, {"0": 0}]
    shown = shell.type(*options, "--validation", str(folder))
    assert "contribution" in shown.out


def test_a_template_is_written_and_tried_without_a_chain(shell: Shell, tmp_path: Path) -> None:
    shell.address = "127.0.0.1:1"
    made = shell.ask("job", "init", str(tmp_path / "digits"))
    assert (Path(made["folder"]) / "pyproject.toml").is_file()
    assert "isn't empty" in shell.type("job", "init", str(tmp_path / "digits")).err
