"""From an app's folder to a spec that the chain takes, and what it will cost."""

import asyncio
import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from app.modules import jobs, payouts, rounds
from app.sdk.protocol import CombineRule, MetricDirection, tree_root
from fl_worker.blobs.cids import blob_of
from fl_worker.flower.recorder import RecorderConfig
from fl_worker.posting.bundle import Bundle, make_bundle
from fl_worker.posting.choices import (
    CHOICES,
    PHASE_S,
    PHASES,
    BadChoice,
    read_choices,
    read_defaults,
    read_file,
)
from fl_worker.posting.cost import ChainParams, compute_cost
from fl_worker.posting.spec import make_spec
from tests.build import FLT, World, a_job
from tests.worker.flower_apps import write_app


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    app_dir = write_app(tmp_path_factory.mktemp("posting") / "app")
    return asyncio.run(make_bundle(app_dir, RecorderConfig(overrides={"step": 0.5})))


def choose(**given: str) -> dict[str, Any]:
    flags = {choice.flag.removeprefix("--").replace("-", "_"): choice.path for choice in CHOICES}
    return read_choices({flags[name]: text for name, text in given.items()}, "the test")


def test_what_is_posted_is_what_the_app_says(bundle: Bundle) -> None:
    spec = make_spec(bundle, {})
    fab, layout, base = bundle.blobs
    assert spec.title == "tiny"
    assert spec.work.fab_hash == sha256(fab).digest()
    assert spec.work.layout_hash == sha256(layout).digest()
    assert spec.work.base_root == tree_root(base, 8, spec.work.layout_hash).root
    named = [(blob.cid, blob.size_bytes) for blob in map(blob_of, bundle.blobs)]
    shown = (spec.work.fab, spec.work.layout, spec.work.base)
    assert [(blob.cid, blob.size_bytes) for blob in shown] == named
    assert spec.work.value_count == 3
    assert json.loads(spec.work.run_config) == {"step": 0.5}
    assert spec.work.train_config == '{"do":"train"}'
    assert (spec.work.message_type, spec.work.weight_key) == ("train", "num-examples")


def test_a_spec_of_defaults_can_be_posted(bundle: Bundle) -> None:
    world = World()
    message = replace(a_job(world.account("rita")), spec=make_spec(bundle, {}))
    assert world.run(message).job_id == 1


def test_every_choice_can_be_made_and_posted(bundle: Bundle) -> None:
    world = World()
    chosen = choose(
        title="t",
        rounds="7",
        cohort="9",
        cohort_min="5",
        reserves="1",
        quorum_ppm="900000",
        rule="trimmed_mean",
        trim="2",
        norm_max="2.5",
        value_max="16",
        metric="loss",
        metric_direction="lower",
        held_back_ppm="100000",
        worker_seat_bond="20flt",
        evaluators="5",
        data_schema="rows",
        phase_seconds="30",
        reveal_seconds="40",
    )
    spec = make_spec(bundle, chosen)
    assert (spec.schedule.round_count, spec.schedule.cohort_size) == (7, 9)
    assert [getattr(spec.schedule, path.split(".")[1]) for path in PHASES] == [30, 40, 30, 30]
    assert spec.combination.rule == CombineRule.TRIMMED_MEAN
    assert (spec.combination.norm_max, spec.combination.value_max) == (5 << 19, 16 << 20)
    assert spec.work.metric_direction == MetricDirection.LOWER
    assert spec.work.data_schema_hash == sha256(b"rows").digest()
    assert spec.seat_bonds.worker_uflt == 20 * FLT
    world.run(replace(a_job(world.account("rita")), spec=spec, budget_uflt=100 * FLT))


def test_what_is_not_chosen_follows_from_what_is(bundle: Bundle) -> None:
    spec = make_spec(bundle, choose(cohort="16"))
    assert (spec.schedule.cohort_size_min, spec.schedule.reserve_count) == (12, 4)
    assert make_spec(bundle, choose(cohort="1")).schedule.cohort_size_min == 1
    trimmed = make_spec(bundle, choose(rule="trimmed_mean"))
    assert trimmed.combination.trim_count == 1


def test_the_app_s_own_rounds_are_the_default(bundle: Bundle) -> None:
    with_rounds = replace(bundle, run_config={**bundle.run_config, "num-server-rounds": 12})
    assert make_spec(with_rounds, {}).schedule.round_count == 12
    assert make_spec(with_rounds, choose(rounds="2")).schedule.round_count == 2


def test_a_spec_file_is_read_as_the_command_line_is(tmp_path: Path) -> None:
    toml, plain = tmp_path / "spec.toml", tmp_path / "spec.json"
    toml.write_text(
        'title = "x"\nphase_s = 9\n[schedule]\nround_count = 4\n[seat_bonds]\nworker_uflt = "2flt"'
    )
    values = {"title": "x", "phase_s": 9}
    nested = {"schedule": {"round_count": 4}, "seat_bonds": {"worker_uflt": "2flt"}}
    plain.write_text(json.dumps({**values, **nested}))
    expected = {
        "title": "x",
        PHASE_S: 9,
        "schedule.round_count": 4,
        "seat_bonds.worker_uflt": 2 * FLT,
    }
    assert read_file(toml) == read_file(plain) == expected


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("[schedule]\nround_countt = 3", "no field 'schedule.round_countt'"),
        ("[schedule]\nround_count = -3", "--rounds (schedule.round_count): '-3'"),
        ("[combination]\nrule = 'krum'", "none of fedavg, median, trimmed_mean"),
        ("[pay", "--spec"),
    ],
)
def test_a_bad_spec_file_names_the_field(tmp_path: Path, content: str, words: str) -> None:
    path = tmp_path / "spec.toml"
    path.write_text(content)
    with pytest.raises(BadChoice) as caught:
        read_file(path)
    assert words in str(caught.value)


def test_defaults_and_flags_are_for_fields_that_there_are() -> None:
    assert len({choice.flag for choice in CHOICES}) == len(CHOICES)
    assert len({choice.path for choice in CHOICES}) == len(CHOICES)
    assert read_defaults()["schedule.challenge_s"] == 600


def test_the_cost_is_what_the_rules_will_pay_and_lock(bundle: Bundle) -> None:
    params = ChainParams(jobs.Params(), payouts.Params(), rounds.Params())
    chosen = choose(rounds="10", cohort="4", reserves="1", evaluators="3")
    cost = compute_cost(make_spec(bundle, chosen), 1_000 * FLT, 5_000, params)
    assert cost.total_uflt == 1_010 * FLT + 5_000
    assert cost.pool_uflt == 100 * FLT
    assert cost.worker_uflt == 17_500_000
    assert (cost.aggregator_uflt, cost.evaluator_uflt) == (10 * FLT, 5 * FLT)
    assert (cost.reserve_uflt, cost.held_back_uflt) == (5 * FLT, 20 * FLT)
    assert cost.worker_bond_uflt == 175 * FLT
    assert (cost.aggregator_bond_uflt, cost.evaluator_bond_uflt) == (1_000 * FLT, 25 * FLT)
