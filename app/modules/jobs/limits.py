"""What may be posted: every limit of a job's spec, and the pairs that can't go together.

The checks run in the order of the spec's fields. A profile, a rule or a contribution that the chain
doesn't offer can't be asked for, since its enum doesn't name it.
"""

from __future__ import annotations

from app.kernel.amounts import PPM, mul_div_floor
from app.kernel.errors import Rejected, require
from app.kernel.record import I64
from app.learning.combine import CombineRule
from app.learning.contribution import UTILITY_MAX
from app.modules.jobs.spec import (
    SCORING,
    Acceptance,
    Admission,
    Blob,
    ContributionRule,
    JobSpec,
    MetricDirection,
    Params,
    Pay,
    Profile,
    Schedule,
    Work,
)

HASH_BYTES = 32
CID_PREFIX = "bafkrei"
"""How a CIDv1 of a raw block with a SHA-256 begins in base32."""
CID_LENGTH = 59
CID_ALPHABET = "abcdefghijklmnopqrstuvwxyz234567"
MODEL_VALUE_BYTES = 8
NORM_MAX = (1 << 50) - 1
"""Sums of squares stay below 2^100."""
VALUE_MAX = (1 << 31) - 1
"""Values of an update are 32-bit."""
SUM_MAX = (1 << 63) - 1
"""A weighted sum of updates fits a signed 64-bit integer, so that every machine can add it."""
COMMIT_ATTEMPTS = 2
"""The cohort's, and the reserves' that step in."""
AGGREGATE_ATTEMPTS = 3
SCORE_STEPS = 6
"""Grant, commitments and scores, by the round's evaluators and once by others."""
VALIDATION_PLACE = "{validation_dir}"
"""Stands in the evaluators' node config for the folder in which they open the slices."""


class TextMissing(Rejected):
    """A text that must not be empty."""

    code = 503
    text = "{field}: has {value} bytes, the limit is at least {limit}; fill it in"


class TextTooLong(Rejected):
    """A text over its limit."""

    code = 504
    text = "{field}: has {value} bytes, the limit is {limit}; shorten it"


class WrongHashLength(Rejected):
    """A hash that is none."""

    code = 505
    text = "{field}: has {value} bytes, the limit is exactly {limit}; give a SHA-256 hash"


class InvalidCid(Rejected):
    """A name of bytes that isn't their one name."""

    code = 506
    text = (
        "{field} {value!r}: must be a CIDv1 (raw, sha2-256, base32) of {limit} characters; "
        "store the bytes and give the CID that the store returns"
    )


class NumberOutOfRange(Rejected):
    """A number under or over its limits."""

    code = 507
    text = "{field} {value}: the limits are {low} to {high}; choose a number between them"


class WrongModelSize(Rejected):
    """A base model that isn't as long as its values."""

    code = 508
    text = (
        "work.base.size_bytes {value}: {value_count} values take exactly {limit}; "
        "encode the model again"
    )


class InvalidMessageType(Rejected):
    """A message type that no ClientApp trains on."""

    code = 509
    text = (
        "work.message_type {value!r}: the limit is 'train' or 'train.<action>'; "
        "take it from the app's ServerApp"
    )


class MetricWithoutDirection(Rejected):
    """A metric of which nobody knows what is better, or a direction of nothing."""

    code = 510
    text = (
        "work.metric_direction {value} of the metric {metric!r}: the limit is a metric with HIGHER "
        "or LOWER, or neither; give both or none"
    )


class QuorumTooSmall(Rejected):
    """A quorum that ends a phase with fewer workers than a round needs."""

    code = 511
    text = (
        "schedule.quorum_ppm {value}: of {cohort_size} workers this is fewer than the smallest "
        "cohort; the limit is at least {limit}; raise it or lower schedule.cohort_size_min"
    )


class RoundTooLong(Rejected):
    """A round in which a bond could be taken out before it is judged."""

    code = 512
    text = (
        "schedule: the longest round with disputes takes {value} s, the limit is half of the "
        "unbonding time, {limit} s; shorten the deadlines"
    )


class JobTooShort(Rejected):
    """A job too short for one round."""

    code = 513
    text = (
        "schedule.job_s_max {value}: the limit is at least the longest round, {limit} s; "
        "raise it or shorten the deadlines"
    )


class AllowListTooShort(Rejected):
    """An allow-list with fewer workers than a round needs."""

    code = 514
    text = (
        "admission.allow_list: has {value} workers, the limit is at least the smallest cohort, "
        "{limit}; add workers or lower schedule.cohort_size_min"
    )


class AllowListRepeats(Rejected):
    """An allow-list that names a worker twice, or nobody."""

    code = 515
    text = (
        "admission.allow_list: has {value} entries but {limit} different workers; "
        "name each worker once"
    )


class ProfileNotOffered(Rejected):
    """A profile that the chain doesn't offer."""

    code = 516
    text = "profile {value}: the limit is PUBLIC, where anyone may read updates; choose PUBLIC"


class RuleMissing(Rejected):
    """A job that doesn't say how updates are combined or what pay is in proportion to."""

    code = 517
    text = "{field} {value}: the limit is {limit}; choose one"


class TrimWithoutRule(Rejected):
    """A trim count of a rule that doesn't trim."""

    code = 518
    text = "combination.trim_count {value}: the limit is 0 with {rule}; set 0 or use TRIMMED_MEAN"


class TrimTooLarge(Rejected):
    """A trimmed mean that would leave nothing of the smallest cohort."""

    code = 519
    text = (
        "combination.trim_count {value}: leaves nothing of the smallest cohort, {cohort_size_min}, "
        "the limit is {limit}; trim less or raise schedule.cohort_size_min"
    )


class ExamplesIgnored(Rejected):
    """Pay by example counts where the rule ignores them."""

    code = 520
    text = (
        "pay.contribution {value}: {rule} ignores example counts, the limit is EQUAL; "
        "choose EQUAL or combine with FEDAVG"
    )


class SharesNotWhole(Rejected):
    """Shares that are more or less than the pool."""

    code = 521
    text = (
        "pay: worker, aggregator, evaluator and reserve shares sum to {value} ppm, the limit is "
        "exactly {limit}; change one of them"
    )


class BudgetTooSmall(Rejected):
    """A budget of which some share would be nothing."""

    code = 522
    text = (
        "budget_uflt {value}: the limit is at least {limit}, or a seat's share of a round would be "
        "nothing; raise the budget or post fewer rounds"
    )


class WrongSliceCount(Rejected):
    """A validation set in too many or too few slices."""

    code = 538
    text = (
        "work.validation_slices: has {value} slices, the limit is none or exactly {limit}; "
        "cut the validation set into so many"
    )


class NoValidationPlace(Rejected):
    """Slices that the evaluators' app would not find."""

    code = 539
    text = (
        "work.evaluator_node_config: has no {limit}, the limit with validation slices is that it "
        "says where they are; put {limit} where the app takes the folder"
    )


class NothingToScoreWith(Rejected):
    """A rule or a threshold for which something would have to be measured that can't be."""

    code = 540
    text = (
        "{field}: needs {missing}, the limit is a metric with its direction and {limit} validation "
        "slices; give them or leave it out"
    )


class QualityNotMeasured(Rejected):
    """Pay by a quality that no score between 0 and 1 tells."""

    code = 541
    text = (
        "pay.weighs_quality: {contribution} with metric_direction {direction}, the limit is a rule "
        "that scores and a metric from 0 to 1 of which HIGHER is better; leave it out"
    )


class ThresholdNotBetter(Rejected):
    """A threshold that the base model reaches already."""

    code = 542
    text = (
        "acceptance.threshold_millionths {value}: is no better than the baseline, the limit is "
        "{limit} with {direction}; ask for more"
    )


def check_spec(spec: JobSpec, params: Params, unbonding_s: int) -> None:
    """Refuse a spec that passes a limit or asks for what can't go together."""
    check_text("title", spec.title, params.text_length_max, 1)
    check_work(spec.work, params)
    check_schedule(spec, params)
    check_duration(spec, params, unbonding_s)
    check_admission(spec.admission, spec.schedule, params)
    require(spec.profile == Profile.PUBLIC, ProfileNotOffered, value=spec.profile.name)
    check_combination(spec)
    check_pay(spec.pay, spec.combination.rule, params)
    check_scoring(spec, params)
    low, high = params.evaluators_min, params.evaluators_max
    check_number("evaluator_count", spec.evaluator_count, low, high)
    check_acceptance(spec, params)


def check_budget(spec: JobSpec, budget_uflt: int) -> None:
    """Refuse a budget of which a share that the job pays would be nothing in some round."""
    pay, schedule = spec.pay, spec.schedule
    shares = (
        (pay.worker_ppm, schedule.cohort_size),
        (pay.aggregator_ppm, 1),
        (pay.evaluator_ppm, spec.evaluator_count),
        (pay.reserve_ppm, schedule.reserve_count),
    )
    pool = max(mul_div_floor(seats, PPM, ppm) + 1 for ppm, seats in shares if ppm)
    limit = pool * schedule.round_count
    require(budget_uflt >= limit, BudgetTooSmall, value=budget_uflt, limit=limit)


def check_work(work: Work, params: Params) -> None:
    """Refuse what can't be trained, or is too large to keep."""
    for field, value in (("fab_hash", work.fab_hash), ("base_root", work.base_root)):
        check_hash(f"work.{field}", value)
    check_hash("work.layout_hash", work.layout_hash)
    for field, blob in (("fab", work.fab), ("base", work.base), ("layout", work.layout)):
        check_blob(f"work.{field}", blob, params)
    check_number("work.value_count", work.value_count, 1, params.values_max)
    size, limit = work.base.size_bytes, work.value_count * MODEL_VALUE_BYTES
    require(size == limit, WrongModelSize, value=size, limit=limit, value_count=work.value_count)
    if work.data_schema_hash:
        check_hash("work.data_schema_hash", work.data_schema_hash)
    check_text("work.data_schema", work.data_schema, params.text_length_max)
    check_sent(work, params)
    check_slices(work, params)
    check_text("work.metric", work.metric, params.text_length_max)
    has_direction = work.metric_direction != MetricDirection.UNSPECIFIED
    name = work.metric_direction.name
    is_pair = bool(work.metric) == has_direction
    require(is_pair, MetricWithoutDirection, value=name, metric=work.metric)


def check_slices(work: Work, params: Params) -> None:
    """Refuse a validation set that isn't cut as rounds and acceptance need it."""
    count, limit = len(work.validation_slices), params.validation_slices
    require(count in (0, limit), WrongSliceCount, value=count, limit=limit)
    for each in work.validation_slices:
        check_hash("work.validation_slices.hash", each.hash)
        check_blob("work.validation_slices.sealed", each.sealed, params)
    is_found = not count or VALIDATION_PLACE in work.evaluator_node_config
    require(is_found, NoValidationPlace, limit=VALIDATION_PLACE)


def check_sent(work: Work, params: Params) -> None:
    """Refuse configs and keys that are missing or too long."""
    for field in ("run_config", "train_config", "evaluate_config", "evaluator_node_config"):
        check_text(f"work.{field}", getattr(work, field), params.config_length_max)
    for field in ("message_type", "arrays_key", "config_key", "metrics_key", "weight_key"):
        check_text(f"work.{field}", getattr(work, field), params.text_length_max, 1)
    verb, _, action = work.message_type.partition(".")
    is_train = work.message_type == "train" or (verb == "train" and action != "")
    require(is_train, InvalidMessageType, value=work.message_type)


def check_schedule(spec: JobSpec, params: Params) -> None:
    """Refuse counts and deadlines beyond their limits."""
    schedule, is_folded = spec.schedule, spec.combination.rule == CombineRule.FEDAVG
    cohort_max = params.cohort_max if is_folded else params.cohort_unfolded_max
    if spec.pay.contribution in SCORING:
        cohort_max = params.cohort_scored_max
    shortest, longest = params.deadline_s_min, params.deadline_s_max
    cohort = schedule.cohort_size
    for field, low, high in (
        ("round_count", 1, params.rounds_max),
        ("cohort_size", 1, min(cohort_max, params.candidates_max)),
        ("cohort_size_min", 1, cohort),
        ("reserve_count", 0, min(cohort, params.candidates_max - cohort)),
        ("quorum_ppm", 1, PPM),
        ("grace_ms", 0, longest * 1_000),
        ("open_s", shortest, longest),
        ("commit_s", shortest, longest),
        ("reveal_s", shortest, longest),
        ("include_s", shortest, longest),
        ("aggregate_s", shortest, longest),
        ("score_s", shortest, longest),
        ("challenge_s", params.challenge_s_min, longest),
        ("review_s", shortest, longest),
        ("job_s_max", 1, params.job_s_max),
    ):
        check_number(f"schedule.{field}", getattr(schedule, field), low, high)
    limit = mul_div_floor(schedule.cohort_size_min - 1, PPM, cohort) + 1
    quorum = schedule.quorum_ppm
    require(quorum >= limit, QuorumTooSmall, value=quorum, limit=limit, cohort_size=cohort)


def compute_longest_round_s(spec: JobSpec, dispute_s: int) -> int:
    """Return how long a seat may be locked: from its draw beside the round before to the end."""
    schedule = spec.schedule
    waiting = AGGREGATE_ATTEMPTS * schedule.aggregate_s
    training = COMMIT_ATTEMPTS * schedule.commit_s + schedule.reveal_s + schedule.include_s
    combining = AGGREGATE_ATTEMPTS * schedule.aggregate_s
    scoring = SCORE_STEPS * schedule.score_s if spec.pay.contribution in SCORING else 0
    return waiting + training + combining + scoring + schedule.challenge_s + dispute_s


def check_duration(spec: JobSpec, params: Params, unbonding_s: int) -> None:
    """Refuse rounds that outlast half of the unbonding time, and jobs shorter than a round."""
    longest, job_s_max = compute_longest_round_s(spec, params.dispute_s), spec.schedule.job_s_max
    limit = unbonding_s // 2
    require(longest <= limit, RoundTooLong, value=longest, limit=limit)
    require(job_s_max >= longest, JobTooShort, value=job_s_max, limit=longest)


def check_admission(admission: Admission, schedule: Schedule, params: Params) -> None:
    """Refuse conditions that too few workers can meet."""
    check_number("admission.reputation_ppm_min", admission.reputation_ppm_min, 0, PPM)
    count, least = len(admission.allow_list), schedule.cohort_size_min
    check_number("admission.allow_list length", count, 0, params.allow_list_max)
    different = len(dict.fromkeys(worker for worker in admission.allow_list if worker))
    require(count == different, AllowListRepeats, value=count, limit=different)
    require(count == 0 or count >= least, AllowListTooShort, value=count, limit=least)


def check_combination(spec: JobSpec) -> None:
    """Refuse a rule that the smallest cohort can't carry, and numbers that could overflow.

    Where rounds are scored it must carry the smallest cohort with one left out.
    """
    combination, schedule = spec.combination, spec.schedule
    rule, trim = combination.rule, combination.trim_count
    left_out = int(spec.pay.contribution in SCORING)
    names = "FEDAVG, MEDIAN or TRIMMED_MEAN"
    is_named = rule != CombineRule.UNSPECIFIED
    require(is_named, RuleMissing, field="combination.rule", value=rule.name, limit=names)
    if rule == CombineRule.TRIMMED_MEAN:
        least = schedule.cohort_size_min
        check_number("combination.trim_count", trim, 1, schedule.cohort_size)
        limit = max(least - 1 - left_out, 0) // 2
        require(trim <= limit, TrimTooLarge, value=trim, limit=limit, cohort_size_min=least)
    else:
        require(trim == 0, TrimWithoutRule, value=trim, rule=rule.name)
    check_number("combination.norm_max", combination.norm_max, 0, NORM_MAX)
    check_number("combination.value_max", combination.value_max, 1, VALUE_MAX)
    limit = SUM_MAX // (schedule.cohort_size * combination.value_max)
    check_number("combination.example_count_max", combination.example_count_max, 1, limit)


def check_pay(pay: Pay, rule: CombineRule, params: Params) -> None:
    """Refuse shares that aren't the whole pool, and pay by what the rule ignores."""
    check_number("pay.held_back_ppm", pay.held_back_ppm, 0, params.held_back_ppm_max)
    check_number("pay.worker_ppm", pay.worker_ppm, 1, PPM)
    total = pay.worker_ppm + pay.aggregator_ppm + pay.evaluator_ppm + pay.reserve_ppm
    require(total == PPM, SharesNotWhole, value=total, limit=PPM)
    name, names = pay.contribution.name, "EQUAL, EXAMPLES_CAPPED or LEAVE_ONE_OUT"
    is_named = pay.contribution != ContributionRule.UNSPECIFIED
    require(is_named, RuleMissing, field="pay.contribution", value=name, limit=names)
    counts = pay.contribution == ContributionRule.EXAMPLES_CAPPED
    is_heard = not counts or rule == CombineRule.FEDAVG
    require(is_heard, ExamplesIgnored, value=name, rule=rule.name)


def check_scoring(spec: JobSpec, params: Params) -> None:
    """Refuse pay by scores that nobody can measure."""
    pay, direction = spec.pay, spec.work.metric_direction
    is_scored = pay.contribution in SCORING
    if is_scored:
        check_measured(f"pay.contribution {pay.contribution.name}", spec.work, params)
    is_told = not pay.weighs_quality or (is_scored and direction == MetricDirection.HIGHER)
    names = {"contribution": pay.contribution.name, "direction": direction.name}
    require(is_told, QualityNotMeasured, **names)


def check_acceptance(spec: JobSpec, params: Params) -> None:
    """Refuse a threshold that nobody can measure, or that the base model reaches."""
    if not has_threshold(spec):
        return
    check_measured("acceptance", spec.work, params)
    baseline, value = spec.acceptance.baseline_millionths, spec.acceptance.threshold_millionths
    for field, number in (("baseline", baseline), ("threshold", value)):
        check_number(f"acceptance.{field}_millionths", number, -UTILITY_MAX, UTILITY_MAX)
    direction = spec.work.metric_direction
    is_higher = direction == MetricDirection.HIGHER
    is_better = value > baseline if is_higher else value < baseline
    limit = f"{'above' if is_higher else 'below'} {baseline}"
    names = {"value": value, "limit": limit, "direction": direction.name}
    require(is_better, ThresholdNotBetter, **names)


def has_threshold(spec: JobSpec) -> bool:
    """Whether a job says what its result is measured against."""
    return spec.acceptance != Acceptance(I64(0), I64(0))


def check_measured(field: str, work: Work, params: Params) -> None:
    """Refuse what needs a measurement where there is no metric, or nothing to measure on."""
    limit = params.validation_slices
    for missing, given in (("metric", work.metric), ("validation_slices", work.validation_slices)):
        name = f"work.{missing}"
        require(bool(given), NothingToScoreWith, field=field, missing=name, limit=limit)


def check_text(field: str, text: str, limit: int, least: int = 0) -> None:
    """Refuse a text that is missing or too long in UTF-8."""
    value = len(text.encode())
    require(value >= least, TextMissing, field=field, value=value, limit=least)
    require(value <= limit, TextTooLong, field=field, value=value, limit=limit)


def check_hash(field: str, value: bytes) -> None:
    """Refuse bytes that aren't as long as a SHA-256 hash."""
    length = len(value)
    require(length == HASH_BYTES, WrongHashLength, field=field, value=length, limit=HASH_BYTES)


def check_number(field: str, value: int, low: int, high: int) -> None:
    """Refuse a number under or over its limits."""
    is_within = low <= value <= high
    require(is_within, NumberOutOfRange, field=field, value=value, low=low, high=high)


def check_blob(field: str, blob: Blob, params: Params) -> None:
    """Refuse a name that is no CID of raw bytes, and bytes that are none or too many."""
    shown = blob.cid[: CID_LENGTH + 1]
    require(is_cid(blob.cid), InvalidCid, field=f"{field}.cid", value=shown, limit=CID_LENGTH)
    check_number(f"{field}.size_bytes", blob.size_bytes, 1, params.blob_size_bytes_max)


def is_cid(text: str) -> bool:
    """Whether a text has the form of a CIDv1 in base32: raw, SHA-256."""
    is_named = len(text) == CID_LENGTH and text.startswith(CID_PREFIX)
    return is_named and all(c in CID_ALPHABET for c in text)
