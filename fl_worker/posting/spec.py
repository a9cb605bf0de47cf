"""A job's spec, put together from what the app says and what its requester chose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from hashlib import sha256
from typing import Any, get_type_hints

from app.sdk.protocol import U64, Blob, CombineRule, JobSpec, MetricDirection
from fl_worker.blobs.cids import blob_of
from fl_worker.posting.bundle import ROUNDS_KEY, Bundle, canonical_json
from fl_worker.posting.choices import PHASE_S, PHASES, read_defaults
from fl_worker.scoring.bench import VALIDATION_PLACE

ROUNDS_DEFAULT = 3
CONFIG_KEY = "config"
"""Where an app finds its config that sends none itself."""
EVALUATOR_NODE_CONFIG = canonical_json({"validation-dir": VALIDATION_PLACE})
"""Where an app finds the validation set that isn't told otherwise."""


def make_spec(bundle: Bundle, chosen: Mapping[str, Any]) -> JobSpec:
    """Return the spec of a job for a bundle; what isn't chosen follows from it, or is usual."""
    values = {**read_defaults(), **describe_bundle(bundle)}
    if PHASE_S in chosen:
        values |= dict.fromkeys(PHASES, chosen[PHASE_S])
    values |= chosen
    spec: JobSpec = build(JobSpec, {**values, **derive(values)})
    return spec


def describe_bundle(bundle: Bundle) -> dict[str, Any]:
    """Return what a bundle says of its job, by the path of each field."""
    train, evaluate = bundle.recording.train, bundle.recording.evaluate
    fab, layout, base = map(blob_on_chain, bundle.blobs)
    rounds = bundle.run_config.get(ROUNDS_KEY)
    is_count = isinstance(rounds, int) and not isinstance(rounds, bool)
    return {
        "title": bundle.fab.name,
        "schedule.round_count": rounds if is_count else ROUNDS_DEFAULT,
        "work.fab_hash": bundle.fab.sha256,
        "work.fab": fab,
        "work.base_root": bundle.base_root,
        "work.base": base,
        "work.layout_hash": bundle.layout.hash,
        "work.layout": layout,
        "work.value_count": bundle.layout.value_count,
        "work.run_config": canonical_json(bundle.run_config),
        "work.train_config": canonical_json(train.config),
        "work.evaluate_config": canonical_json(evaluate.config if evaluate else {}),
        "work.message_type": train.message_type,
        "work.arrays_key": train.arrays_key,
        "work.config_key": train.config_key or CONFIG_KEY,
        "work.weight_key": bundle.recording.weight_key,
    }


def derive(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that nobody gave but that follow from others."""
    cohort, schema = values["schedule.cohort_size"], values["work.data_schema"]
    is_validated = bool(values.get("work.validation_slices"))
    is_trimmed = values["combination.rule"] == CombineRule.TRIMMED_MEAN
    derived = {
        "schedule.cohort_size_min": max(-(-cohort * 3 // 4), min(cohort, 2)),
        "schedule.reserve_count": cohort // 4,
        "combination.trim_count": int(is_trimmed),
        "work.metric_direction": MetricDirection.UNSPECIFIED,
        "work.data_schema_hash": sha256(schema.encode()).digest() if schema else b"",
        "work.validation_slices": (),
        "work.evaluator_node_config": EVALUATOR_NODE_CONFIG if is_validated else "",
    }
    return {path: value for path, value in derived.items() if path not in values}


def build(kind: Any, values: Mapping[str, Any], prefix: str = "") -> Any:
    """Make a record of the values at the dotted paths of its fields."""
    hints = get_type_hints(kind)
    given = {}
    for each in fields(kind):
        path = prefix + each.name
        is_nested = path not in values and is_dataclass(hints[each.name])
        given[each.name] = (
            build(hints[each.name], values, f"{path}.") if is_nested else values[path]
        )
    return kind(**given)


def blob_on_chain(data: bytes) -> Blob:
    """Name bytes as the chain does."""
    blob = blob_of(data)
    return Blob(blob.cid, U64(blob.size_bytes))
