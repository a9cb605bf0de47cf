"""The command line: it starts at once, says what is wrong, and speaks JSON alone if asked."""

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from fl_worker.cli import NOUNS, VERBS, build
from fl_worker.posting.reading import read_amount, read_fixed, read_size, show_amount
from tests.worker.cli_net import Shell

HEAVY = ("torch", "flwr", "numpy", "grpc", "aiohttp", "cosmpy")
CPU_S_MAX = 0.5
HELP = """
import resource, sys
from fl_worker.cli import build, run
code = run(build(["--help"]), ["--help"])
used = resource.getrusage(resource.RUSAGE_SELF)
print(code, used.ru_utime + used.ru_stime, [name for name in sys.argv[1:] if name in sys.modules])
"""


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(tmp_path / "home", capsys)


def test_help_loads_nothing_heavy_and_is_there_at_once() -> None:
    done = subprocess.run(
        [sys.executable, "-c", HELP, *HEAVY], capture_output=True, text=True, check=True
    )
    code, cpu_s, loaded = done.stdout.splitlines()[-1].split(" ", 2)
    assert (code, loaded) == ("0", "[]")
    assert float(cpu_s) < CPU_S_MAX
    assert all(word in done.stdout for word in (*NOUNS, *VERBS))


@pytest.mark.parametrize("noun", NOUNS)
def test_a_noun_loads_no_machine_learning(noun: str) -> None:
    code = (
        f"import sys; from fl_worker.cli import build; build([{noun!r}]);"
        "print([name for name in ('torch', 'flwr', 'numpy') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_command_takes_the_options_of_all() -> None:
    group = build([*NOUNS, *VERBS])
    leaves = [each for noun in NOUNS for each in group.commands[noun].commands.values()]
    leaves += [group.commands[verb] for verb in VERBS]
    assert len(leaves) > 30
    for command in leaves:
        flags = {flag for param in command.params for flag in param.opts}
        assert {"--output", "--node", "--home", "--from", "--allow-private"} <= flags
        assert command.help, command.name


@pytest.mark.parametrize(
    ("text", "uflt"),
    [("5flt", 5_000_000), ("1.5flt", 1_500_000), ("2500000uflt", 2_500_000), ("0.000001FLT", 1)],
)
def test_an_amount_is_read_to_the_unit(text: str, uflt: int) -> None:
    assert read_amount(text) == uflt
    assert read_amount(show_amount(uflt)) == uflt


@pytest.mark.parametrize("text", ["5", "1.5uflt", "1.0000001flt", "-1flt", "flt", "1,5flt", "١flt"])
def test_an_amount_without_a_unit_or_beyond_it_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write 5flt"):
        read_amount(text)


def test_sizes_and_fixed_point_are_read() -> None:
    assert (read_size("4GB"), read_size("500mb"), read_size("7")) == (4 << 30, 500 << 20, 7)
    assert (read_fixed("1"), read_fixed("0.5")) == (1 << 20, 1 << 19)
    for bad in ("nan", "-1", "inf", "x"):
        with pytest.raises(ValueError, match=bad):
            read_fixed(bad)


def test_bad_usage_ends_with_code_1_and_says_what_would_be_right(shell: Shell) -> None:
    typed = shell.type("send", "pollen1x", "5")
    assert typed.code == 1
    assert "write 5flt, 1.5flt or 2500000uflt" in " ".join(typed.err.split())
    assert typed.out == ""


def test_a_node_that_is_not_there_is_one_sentence(shell: Shell) -> None:
    shell.type("keys", "add", "ann")
    shell.address = "127.0.0.1:1"
    typed = shell.type("balance")
    assert typed.code == 1
    assert typed.err.startswith("Error: no node answers (127.0.0.1:1")
    assert "Traceback" not in typed.err


def test_a_role_that_has_ended_leaves_the_log_as_it_was(
    shell: Shell, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    shell.type("keys", "add", "ann")
    shell.address = "127.0.0.1:1"
    typed = shell.type("worker", "start", "--trust-anyone")
    assert typed.code == 1
    assert "warning !!! --trust-anyone" in typed.out
    logging.getLogger("pollen").info("no role hears this")
    logging.getLogger("pollen").warning("nor writes this")
    assert capsys.readouterr().out == ""
    assert [record.message for record in caplog.records] == ["nor writes this"]


def test_a_failure_is_json_too_and_stdout_stays_empty(shell: Shell) -> None:
    typed = shell.type("keys", "show", "nobody", "--output", "json")
    assert (typed.code, typed.out) == (1, "")
    assert "no key 'nobody'" in json.loads(typed.err)["error"]


def test_keys_are_made_shown_exported_and_brought_back(shell: Shell, tmp_path: Path) -> None:
    made = shell.ask("keys", "add", "ann")
    assert len(made["mnemonic"].split()) == 24
    assert shell.ask("keys", "show", "ann")["address"] == made["address"]
    words, exported = tmp_path / "words", tmp_path / "exported.json"
    words.write_text(made["mnemonic"])
    exported.write_text(shell.type("keys", "export", "ann").out)
    again = shell.ask("keys", "import", "ann-2", str(words))
    third = shell.ask("keys", "import", "ann-3", str(exported))
    assert {again["address"], third["address"]} == {made["address"]}
    assert [key["name"] for key in shell.ask("keys", "list")] == ["ann", "ann-2", "ann-3"]
    assert shell.type("keys", "add", "keys").code == 1


def test_the_only_key_signs_and_several_must_be_told_apart(shell: Shell) -> None:
    assert "make one: pollen keys add NAME" in shell.type("blob", "put", __file__).err
    shell.type("keys", "add", "ann")
    assert shell.ask("blob", "put", __file__)["size_bytes"] == os.path.getsize(__file__)
    shell.type("keys", "add", "bea")
    assert "say which: --from NAME" in shell.type("blob", "put", __file__).err
    assert shell.ask("blob", "put", __file__, "--from", "bea")["cid"].startswith("bafkrei")


def test_a_role_doesn_t_listen_where_nobody_can_reach_it(shell: Shell) -> None:
    shell.type("keys", "add", "ann")
    for listen, words in (("0.0.0.0:1", "give --endpoint"), ("here", "HOST:PORT")):
        typed = shell.type("evaluator", "start", "--listen", listen)
        assert typed.code == 1
        assert words in typed.err
