"""What a requester chooses of a job's spec: each field's option, its default, and how it is read.

A value is taken from the command line, else from the spec file, else from the app, else it is the
default. A spec file is TOML or JSON with the fields of the spec, written as on the command line:

    title = "digits"
    evaluator_count = 5
    [schedule]
    round_count = 10
    [seat_bonds]
    worker_uflt = "20flt"
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.sdk.protocol import CombineRule, ContributionRule, MetricDirection, Profile
from fl_worker.posting.reading import (
    each,
    read_address,
    read_amount,
    read_config,
    read_count,
    read_fixed,
    read_millionths,
    read_text,
    read_yes,
    reader_of,
)


class BadChoice(ValueError):
    """A value that a field of the spec can't have."""


@dataclass(frozen=True, slots=True)
class Choice:
    """One field of the spec: its option and its default; None where it follows from others."""

    flag: str
    path: str
    read: Callable[[str], Any]
    text: str
    default: str | None = None


PHASE_S = "phase_s"
"""Stands for the four fields below, unless they are chosen themselves."""
PHASES = ("schedule.commit_s", "schedule.reveal_s", "schedule.include_s", "schedule.aggregate_s")

WORK = (
    Choice("--title", "title", read_text, "What the job is called. (default: the app's name)"),
    Choice("--data-schema", "work.data_schema", read_text, "What the data must look like.", ""),
    Choice("--metric", "work.metric", read_text, "The metric that the job is about.", ""),
    Choice(
        *("--metric-direction", "work.metric_direction", reader_of(MetricDirection)),
        "Whether higher or lower is better.",
    ),
    Choice(
        *("--metrics-key", "work.metrics_key", read_text),
        *("The app's MetricRecord, if a reply has several.", "metrics"),
    ),
    Choice(
        *("--evaluator-node-config", "work.evaluator_node_config", read_config),
        "The evaluators' node config, where {validation_dir} stands for the folder that they open "
        'the validation set in. (default with one: validation-dir="{validation_dir}")',
    ),
)
SCHEDULE = (
    Choice(
        "--rounds", "schedule.round_count", read_count, "Rounds. (default: num-server-rounds, or 3)"
    ),
    Choice("--cohort", "schedule.cohort_size", read_count, "Workers in a round.", "4"),
    Choice(
        *("--cohort-min", "schedule.cohort_size_min", read_count),
        "The fewest that a round goes on with. (default: three quarters of the cohort)",
    ),
    Choice(
        *("--reserves", "schedule.reserve_count", read_count),
        "Workers who step in for missing ones. (default: a quarter of the cohort)",
    ),
    Choice(
        *("--quorum-ppm", "schedule.quorum_ppm", read_count),
        *("The part of those selected that ends a phase early.", "1000000"),
    ),
    Choice("--grace-ms", "schedule.grace_ms", read_count, "The wait for stragglers then.", "1000"),
    Choice("--phase-seconds", PHASE_S, read_count, "Commit, reveal, include, aggregate, each."),
    Choice("--open-seconds", "schedule.open_s", read_count, "How long workers may join.", "3600"),
    Choice("--commit-seconds", PHASES[0], read_count, "How long training may take.", "600"),
    Choice("--reveal-seconds", PHASES[1], read_count, "How long updates may take.", "120"),
    Choice("--include-seconds", PHASES[2], read_count, "How long readers may check them.", "120"),
    Choice("--aggregate-seconds", PHASES[3], read_count, "How long combining may take.", "120"),
    Choice("--score-seconds", "schedule.score_s", read_count, "How long scoring may take.", "600"),
    Choice(
        *("--challenge-seconds", "schedule.challenge_s", read_count),
        *("How long a result may be challenged.", "600"),
    ),
    Choice(
        *("--review-seconds", "schedule.review_s", read_count),
        *("How long you may look at the model; silence accepts.", "259200"),
    ),
    Choice(
        *("--job-seconds-max", "schedule.job_s_max", read_count),
        *("The longest that the job may run.", "2592000"),
    ),
)
ADMISSION = (
    Choice(
        *("--worker-bond-min", "admission.bond_uflt_min", read_amount),
        *("The smallest bond of a worker.", "0uflt"),
    ),
    Choice(
        *("--reputation-ppm-min", "admission.reputation_ppm_min", read_count),
        *("The smallest reputation of a worker.", "0"),
    ),
    Choice(
        *("--allow-list", "admission.allow_list", each(read_address)),
        *("Only these workers: addresses, with commas.", ""),
    ),
    Choice("--profile", "profile", reader_of(Profile), "Who may read updates.", "public"),
)
COMBINATION = (
    Choice("--rule", "combination.rule", reader_of(CombineRule), "How to combine.", "fedavg"),
    Choice(
        *("--trim", "combination.trim_count", read_count),
        "What trimmed_mean leaves out on each side. (default: 1)",
    ),
    Choice(
        *("--norm-max", "combination.norm_max", read_fixed),
        *("The largest L2 norm of an update; 0: any.", "0"),
    ),
    Choice(
        *("--examples-max", "combination.example_count_max", read_count),
        *("The largest example count that weighs.", "100000"),
    ),
    Choice(
        *("--value-max", "combination.value_max", read_fixed),
        *("The most that a value may change in a round.", "2047"),
    ),
)
PAY = (
    Choice(
        *("--held-back-ppm", "pay.held_back_ppm", read_count),
        *("The part of all pay that waits for your acceptance.", "200000"),
    ),
    Choice("--worker-ppm", "pay.worker_ppm", read_count, "The workers' part.", "700000"),
    Choice("--aggregator-ppm", "pay.aggregator_ppm", read_count, "The aggregator's.", "100000"),
    Choice("--evaluator-ppm", "pay.evaluator_ppm", read_count, "The evaluators'.", "150000"),
    Choice("--reserve-ppm", "pay.reserve_ppm", read_count, "The reserves'.", "50000"),
    Choice(
        *("--contribution", "pay.contribution", reader_of(ContributionRule)),
        "What a worker's share goes by: equal, examples_capped or leave_one_out.",
        "equal",
    ),
    Choice(
        *("--weighs-quality", "pay.weighs_quality", read_yes),
        *("Whether it goes by the metric of each update alone too: yes or no.", "no"),
    ),
    Choice(
        *("--baseline", "acceptance.baseline_millionths", read_millionths),
        *("The metric of the first model, if a rejection is to be measured.", "0"),
    ),
    Choice(
        *("--threshold", "acceptance.threshold_millionths", read_millionths),
        *("The metric with which all that is held back is earned.", "0"),
    ),
    Choice(
        *("--worker-seat-bond", "seat_bonds.worker_uflt", read_amount),
        *("The least that a worker's seat locks.", "0uflt"),
    ),
    Choice(
        *("--aggregator-seat-bond", "seat_bonds.aggregator_uflt", read_amount),
        *("The least that an aggregator locks.", "0uflt"),
    ),
    Choice(
        *("--evaluator-seat-bond", "seat_bonds.evaluator_uflt", read_amount),
        *("The least that an evaluator locks.", "0uflt"),
    ),
    Choice("--evaluators", "evaluator_count", read_count, "Evaluators in a round.", "3"),
)
CHOICES = (*WORK, *SCHEDULE, *ADMISSION, *COMBINATION, *PAY)


def read_choices(given: Mapping[str, str], source: str) -> dict[str, Any]:
    """Return values by the path of their field; BadChoice names what is wrong, and where."""
    known = {choice.path: choice for choice in CHOICES}
    unknown = sorted(given.keys() - known.keys())
    if unknown:
        raise BadChoice(f"{source}: no field {unknown[0]!r}; there are {', '.join(sorted(known))}")
    values = {}
    for path, text in given.items():
        try:
            values[path] = known[path].read(text)
        except ValueError as error:
            raise BadChoice(f"{source}: {known[path].flag} ({path}): {error}") from None
    return values


def read_defaults() -> dict[str, Any]:
    """Return the values of what has a default."""
    given = {each.path: each.default for each in CHOICES if each.default is not None}
    return read_choices(given, "defaults")


def read_file(path: Path) -> dict[str, Any]:
    """Return the values that a spec file gives, by path; BadChoice if there is none to read."""
    try:
        text = path.read_text()
        content = tomllib.loads(text) if path.suffix == ".toml" else json.loads(text)
    except OSError as error:
        raise BadChoice(f"--spec {path}: {error.strerror}; name a .toml or .json file") from None
    except ValueError as error:
        raise BadChoice(f"--spec {path}: {error}") from None
    if not isinstance(content, dict):
        raise BadChoice(f"--spec {path}: it must hold the fields of a spec, by name")
    return read_choices(dict(flatten(content)), f"--spec {path}")


def flatten(content: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Walk nested fields as dotted paths and the text of their values."""
    for name, value in content.items():
        if isinstance(value, Mapping):
            yield from flatten(value, f"{prefix}{name}.")
        elif isinstance(value, list):
            yield prefix + name, ",".join(map(str, value))
        else:
            yield prefix + name, str(value)
