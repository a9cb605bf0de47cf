from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kernel.errors import Rejected
from app.kernel.record import I64, Address
from app.modules import bank, jobs, reputation
from app.modules.jobs import (
    Acceptance,
    CombineRule,
    ContributionRule,
    JobPhase,
    MetricDirection,
    Profile,
    Slice,
    limits,
    posting,
)
from tests.build import FLT, RICH, SPEC, World, a_blob, a_cid, a_job, an_address, changed

SCORED = {"pay.contribution": ContributionRule.LEAVE_ONE_OUT}
NO_METRIC = {"work.metric": "", "work.metric_direction": MetricDirection.UNSPECIFIED}
NO_THRESHOLD = {"acceptance": Acceptance(I64(0), I64(0))}
ACCURACY = {
    "work.metric": "accuracy",
    "work.metric_direction": MetricDirection.HIGHER,
    "acceptance": Acceptance(I64(100_000), I64(900_000)),
}
SLICES = SPEC.work.validation_slices
WORKERS = tuple(an_address(f"worker {i}") for i in range(600))


def test_posting_burns_the_cost_escrows_the_budget_and_opens_the_job() -> None:
    world = World()
    rita = world.account("rita")
    supply = bank.SUPPLY.must(world.state, "uflt").amount

    job_id = world.run(a_job(rita, budget_uflt=20 * FLT)).job_id

    job = world.job(job_id)
    assert (job.phase, job.budget_uflt, job.escrow_uflt) == (JobPhase.OPEN, 20 * FLT, 20 * FLT)
    assert (job.next_round, job.candidate_count, job.funder_count) == (1, 0, 1)
    assert (job.model_root, job.model) == (SPEC.work.base_root, SPEC.work.base)
    assert job.due_clock_ms == world.block.clock_ms + 60_000
    assert world.balance(rita) == RICH - 30 * FLT
    assert world.balance("escrow") == 20 * FLT
    assert bank.SUPPLY.must(world.state, "uflt").amount == supply - 10 * FLT
    assert world.said(posting.JobPosted) == [posting.JobPosted(job_id, rita, 20 * FLT)]
    assert reputation.find_requester(world.state, rita).job_count == 1


def test_jobs_are_numbered_and_listed_from_the_newest() -> None:
    world = World()
    rita = world.account("rita")
    numbers = [world.run(a_job(rita)).job_id for _ in range(4)]

    newest = jobs.jobs(world.state, jobs.JobsRequest(0, 3)).jobs
    older = jobs.jobs(world.state, jobs.JobsRequest(2, 0)).jobs

    assert numbers == [1, 2, 3, 4]
    assert [job.job_id for job in newest] == [4, 3, 2]
    assert [job.job_id for job in older] == [1]
    with pytest.raises(jobs.NoSuchJob, match="job_id 9: no such job, the newest is 4"):
        jobs.job(world.state, jobs.JobRequest(9))


Case = tuple[dict[str, Any], type[Rejected], tuple[object, ...]]

TEXTS: list[Case] = [
    ({"title": ""}, limits.TextMissing, ("title", "has 0 bytes", 1)),
    ({"title": "é" * 513}, limits.TextTooLong, ("title", 1_026, 1_024)),
    ({"work.data_schema": "x" * 1_025}, limits.TextTooLong, ("work.data_schema", 1_025, 1_024)),
    ({"work.run_config": "x" * 16_385}, limits.TextTooLong, ("work.run_config", 16_385, 16_384)),
    ({"work.train_config": "x" * 16_385}, limits.TextTooLong, ("work.train_config", 16_384)),
    ({"work.evaluate_config": "x" * 16_385}, limits.TextTooLong, ("work.evaluate_config", 16_384)),
    (
        {"work.evaluator_node_config": "x" * 16_385},
        limits.TextTooLong,
        ("work.evaluator_node_config", 16_384),
    ),
    ({"work.arrays_key": ""}, limits.TextMissing, ("work.arrays_key", 1)),
    ({"work.config_key": ""}, limits.TextMissing, ("work.config_key", 1)),
    ({"work.metrics_key": ""}, limits.TextMissing, ("work.metrics_key", 1)),
    ({"work.weight_key": ""}, limits.TextMissing, ("work.weight_key", 1)),
    ({"work.message_type": ""}, limits.TextMissing, ("work.message_type", 1)),
    (
        {"work.message_type": "evaluate"},
        limits.InvalidMessageType,
        ("work.message_type 'evaluate'",),
    ),
    ({"work.message_type": "train."}, limits.InvalidMessageType, ("work.message_type 'train.'",)),
    ({"work.metric": "x" * 1_025}, limits.TextTooLong, ("work.metric", 1_024)),
]

BYTES: list[Case] = [
    ({"work.fab_hash": b"1"}, limits.WrongHashLength, ("work.fab_hash", "has 1 bytes", 32)),
    ({"work.base_root": b""}, limits.WrongHashLength, ("work.base_root", 32)),
    ({"work.layout_hash": b"1" * 33}, limits.WrongHashLength, ("work.layout_hash", 33, 32)),
    ({"work.data_schema_hash": b"1"}, limits.WrongHashLength, ("work.data_schema_hash", 32)),
    (
        {"work.validation_slices": (Slice(b"1", a_blob("slice", 9)),) * 10},
        limits.WrongHashLength,
        ("work.validation_slices.hash", 32),
    ),
    (
        {"work.validation_slices": (Slice(b"1" * 32, a_blob("slice", 0)),) * 10},
        limits.NumberOutOfRange,
        ("work.validation_slices.sealed.size_bytes 0", "1 to"),
    ),
    (
        {"work.validation_slices": SLICES[:9]},
        limits.WrongSliceCount,
        ("has 9 slices", "none or exactly 10"),
    ),
    ({"work.fab.cid": "Qm123"}, limits.InvalidCid, ("work.fab.cid 'Qm123'", 59)),
    ({"work.base.cid": a_cid("base").upper()}, limits.InvalidCid, ("work.base.cid", 59)),
    ({"work.layout.cid": a_cid("layout") + "a"}, limits.InvalidCid, ("work.layout.cid", 59)),
    ({"work.fab": a_blob("fab", 0)}, limits.NumberOutOfRange, ("work.fab.size_bytes 0", "1 to")),
    (
        {"work.base": a_blob("base", (1 << 30) + 1)},
        limits.NumberOutOfRange,
        ("work.base.size_bytes 1073741825", "1 to 1073741824"),
    ),
    ({"work.value_count": 0}, limits.NumberOutOfRange, ("work.value_count 0", "1 to 100000000")),
    ({"work.value_count": 999}, limits.WrongModelSize, ("work.base.size_bytes 8000", 999, 7_992)),
]

NUMBERS: list[Case] = [
    (
        {"schedule.round_count": 0},
        limits.NumberOutOfRange,
        ("schedule.round_count 0", "1 to 10000"),
    ),
    ({"schedule.round_count": 10_001}, limits.NumberOutOfRange, (10_001, "1 to 10000")),
    ({"schedule.cohort_size": 0}, limits.NumberOutOfRange, ("schedule.cohort_size 0", "1 to 1024")),
    ({"schedule.cohort_size": 1_025}, limits.NumberOutOfRange, (1_025, "1 to 1024")),
    (
        {"schedule.cohort_size": 513, "combination.rule": CombineRule.MEDIAN},
        limits.NumberOutOfRange,
        ("schedule.cohort_size 513", "1 to 512"),
    ),
    ({"schedule.cohort_size_min": 0}, limits.NumberOutOfRange, ("cohort_size_min 0", "1 to 3")),
    ({"schedule.cohort_size_min": 4}, limits.NumberOutOfRange, ("cohort_size_min 4", "1 to 3")),
    ({"schedule.reserve_count": 4}, limits.NumberOutOfRange, ("reserve_count 4", "0 to 3")),
    ({"schedule.quorum_ppm": 0}, limits.NumberOutOfRange, ("quorum_ppm 0", "1 to 1000000")),
    ({"schedule.quorum_ppm": 1_000_001}, limits.NumberOutOfRange, (1_000_001, "1 to 1000000")),
    ({"schedule.grace_ms": 604_800_001}, limits.NumberOutOfRange, ("grace_ms", "0 to 604800000")),
    ({"schedule.challenge_s": 59}, limits.NumberOutOfRange, ("challenge_s 59", "60 to 604800")),
    ({"schedule.review_s": 4}, limits.NumberOutOfRange, ("review_s 4", "5 to 604800")),
    (
        {**SCORED, "schedule.cohort_size": 129},
        limits.NumberOutOfRange,
        ("schedule.cohort_size 129", "1 to 128"),
    ),
    (
        {"acceptance.threshold_millionths": -(10**12) - 1},
        limits.NumberOutOfRange,
        ("acceptance.threshold_millionths -1000000000001", "-1000000000000 to 1000000000000"),
    ),
    ({"schedule.job_s_max": 31_536_001}, limits.NumberOutOfRange, ("job_s_max", "1 to 31536000")),
    *[
        ({f"schedule.{name}": value}, limits.NumberOutOfRange, (f"{name} {value}", "5 to 604800"))
        for name in ("open_s", "commit_s", "reveal_s", "include_s", "aggregate_s", "score_s")
        for value in (4, 604_801)
    ],
    (
        {"admission.reputation_ppm_min": 1_000_001},
        limits.NumberOutOfRange,
        ("admission.reputation_ppm_min 1000001", "0 to 1000000"),
    ),
    (
        {"admission.allow_list": WORKERS[:257]},
        limits.NumberOutOfRange,
        ("admission.allow_list length 257", "0 to 256"),
    ),
    (
        {"combination.norm_max": 1 << 50},
        limits.NumberOutOfRange,
        ("combination.norm_max", f"0 to {(1 << 50) - 1}"),
    ),
    ({"combination.value_max": 0}, limits.NumberOutOfRange, ("combination.value_max 0", "1 to")),
    ({"combination.value_max": 1 << 31}, limits.NumberOutOfRange, ("value_max", "to 2147483647")),
    (
        {"combination.example_count_max": 0},
        limits.NumberOutOfRange,
        ("example_count_max 0", "1 to"),
    ),
    (
        {"combination.example_count_max": 1 << 32},
        limits.NumberOutOfRange,
        ("combination.example_count_max", f"1 to {((1 << 63) - 1) // (3 << 30)}"),
    ),
    ({"pay.held_back_ppm": 300_001}, limits.NumberOutOfRange, (300_001, "0 to 300000")),
    ({"pay.worker_ppm": 0}, limits.NumberOutOfRange, ("pay.worker_ppm 0", "1 to 1000000")),
    ({"evaluator_count": 2}, limits.NumberOutOfRange, ("evaluator_count 2", "3 to 15")),
    ({"evaluator_count": 16}, limits.NumberOutOfRange, ("evaluator_count 16", "3 to 15")),
]

PAIRS: list[Case] = [
    ({"work.metric": ""}, limits.MetricWithoutDirection, ("work.metric_direction LOWER", "''")),
    (
        {"work.metric_direction": MetricDirection.UNSPECIFIED},
        limits.MetricWithoutDirection,
        ("work.metric_direction UNSPECIFIED", "'loss'"),
    ),
    ({"schedule.quorum_ppm": 333_333}, limits.QuorumTooSmall, ("quorum_ppm 333333", 333_334, 3)),
    ({"schedule.commit_s": 200_000}, limits.RoundTooLong, ("takes 400460 s", "302400 s")),
    ({"schedule.job_s_max": 519}, limits.JobTooShort, ("schedule.job_s_max 519", "520 s")),
    ({"admission.allow_list": WORKERS[:1]}, limits.AllowListTooShort, ("has 1 workers", 2)),
    (
        {"admission.allow_list": (WORKERS[0], WORKERS[1], WORKERS[0])},
        limits.AllowListRepeats,
        ("admission.allow_list", 3, 2),
    ),
    (
        {"admission.allow_list": (WORKERS[0], WORKERS[1], Address(b""))},
        limits.AllowListRepeats,
        ("admission.allow_list", 3, 2),
    ),
    ({"profile": Profile.UNSPECIFIED}, limits.ProfileNotOffered, ("profile UNSPECIFIED", "PUBLIC")),
    (
        {"combination.rule": CombineRule.UNSPECIFIED},
        limits.RuleMissing,
        ("combination.rule UNSPECIFIED", "FEDAVG, MEDIAN or TRIMMED_MEAN"),
    ),
    ({"combination.trim_count": 1}, limits.TrimWithoutRule, ("trim_count 1", 0, "FEDAVG")),
    (
        {"combination.rule": CombineRule.TRIMMED_MEAN},
        limits.NumberOutOfRange,
        ("combination.trim_count 0", "1 to 3"),
    ),
    (
        {"combination.rule": CombineRule.TRIMMED_MEAN, "combination.trim_count": 1},
        limits.TrimTooLarge,
        ("combination.trim_count 1", "smallest cohort, 2", "limit is 0"),
    ),
    ({"pay.reserve_ppm": 50_001}, limits.SharesNotWhole, (1_000_001, 1_000_000)),
    (
        {"pay.contribution": ContributionRule.UNSPECIFIED},
        limits.RuleMissing,
        ("pay.contribution UNSPECIFIED", "EQUAL, EXAMPLES_CAPPED or LEAVE_ONE_OUT"),
    ),
    (
        {
            "pay.contribution": ContributionRule.EXAMPLES_CAPPED,
            "combination.rule": CombineRule.MEDIAN,
        },
        limits.ExamplesIgnored,
        ("pay.contribution EXAMPLES_CAPPED", "MEDIAN", "EQUAL"),
    ),
    (
        {"work.evaluator_node_config": "{}"},
        limits.NoValidationPlace,
        ("work.evaluator_node_config", "{validation_dir}"),
    ),
    (
        {**SCORED, "work.validation_slices": (), **NO_THRESHOLD},
        limits.NothingToScoreWith,
        ("pay.contribution LEAVE_ONE_OUT", "work.validation_slices", "10 validation slices"),
    ),
    ({**SCORED, **NO_METRIC}, limits.NothingToScoreWith, ("LEAVE_ONE_OUT", "work.metric")),
    (
        {"work.validation_slices": ()},
        limits.NothingToScoreWith,
        ("acceptance: needs work.validation_slices",),
    ),
    (
        {**SCORED, "pay.weighs_quality": True},
        limits.QualityNotMeasured,
        ("pay.weighs_quality", "LEAVE_ONE_OUT", "LOWER", "HIGHER"),
    ),
    (
        {**ACCURACY, "pay.weighs_quality": True},
        limits.QualityNotMeasured,
        ("pay.weighs_quality", "EQUAL", "a rule that scores"),
    ),
    (
        {"acceptance.threshold_millionths": 2_000_000},
        limits.ThresholdNotBetter,
        ("threshold_millionths 2000000", "below 2000000", "LOWER"),
    ),
    (
        {**ACCURACY, "acceptance.threshold_millionths": 100_000},
        limits.ThresholdNotBetter,
        ("threshold_millionths 100000", "above 100000", "HIGHER"),
    ),
    (
        {
            **SCORED,
            "combination.rule": CombineRule.TRIMMED_MEAN,
            "combination.trim_count": 1,
            "schedule.cohort_size_min": 3,
        },
        limits.TrimTooLarge,
        ("combination.trim_count 1", "smallest cohort, 3", "limit is 0"),
    ),
    (
        {**SCORED, "schedule.job_s_max": 639},
        limits.JobTooShort,
        ("schedule.job_s_max 639", "640 s"),
    ),
]


@pytest.mark.parametrize(
    ("changes", "rejection", "words"),
    TEXTS + BYTES + NUMBERS + PAIRS,
    ids=lambda value: ", ".join(value) if isinstance(value, dict) else "",
)
def test_a_spec_beyond_a_limit_is_refused(
    changes: dict[str, Any], rejection: type[Rejected], words: tuple[object, ...]
) -> None:
    world = World()

    world.refused(a_job(world.account("rita"), changes), rejection, *words)


@pytest.mark.parametrize(
    "changes",
    [
        {"work.data_schema_hash": b"", "work.data_schema": ""},
        {**NO_METRIC, **NO_THRESHOLD},
        {"work.message_type": "train.fine_tune"},
        {"work.validation_slices": (), "work.evaluator_node_config": "{}", **NO_THRESHOLD},
        {**SCORED, "schedule.cohort_size": 128, "schedule.job_s_max": 640},
        {**ACCURACY, **SCORED, "pay.weighs_quality": True},
        {
            **SCORED,
            "combination.rule": CombineRule.TRIMMED_MEAN,
            "combination.trim_count": 1,
            "schedule.cohort_size": 4,
            "schedule.cohort_size_min": 4,
        },
        {"schedule.reserve_count": 0},
        {"schedule.quorum_ppm": 333_334},
        {"schedule.job_s_max": 520},
        {"admission.allow_list": WORKERS[:256]},
        {"combination.rule": CombineRule.MEDIAN},
        {
            "combination.rule": CombineRule.TRIMMED_MEAN,
            "combination.trim_count": 1,
            "schedule.cohort_size_min": 3,
        },
        {"pay.contribution": ContributionRule.EXAMPLES_CAPPED},
        {"pay.held_back_ppm": 300_000},
        {"schedule.cohort_size": 1_024, "combination.example_count_max": 8_388_607},
    ],
)
def test_a_spec_at_its_limits_is_accepted(changes: dict[str, Any]) -> None:
    world = World()

    world.run(a_job(world.account("rita"), changes))


def test_a_budget_that_leaves_some_share_at_nothing_is_refused() -> None:
    world = World()
    rita = world.account("rita")

    world.refused(
        a_job(rita, budget_uflt=41), limits.BudgetTooSmall, "budget_uflt 41", "at least 42"
    )
    world.run(a_job(rita, budget_uflt=42))


@given(
    rounds=st.integers(1, 10_000),
    cohort=st.integers(1, 1_024),
    worker_ppm=st.integers(1, 1_000_000),
)
def test_the_least_budget_pays_every_seat_of_every_round(
    rounds: int, cohort: int, worker_ppm: int
) -> None:
    spec = changed(
        SPEC,
        {
            "schedule.round_count": rounds,
            "schedule.cohort_size": cohort,
            "pay.worker_ppm": worker_ppm,
            "pay.aggregator_ppm": 1_000_000 - worker_ppm,
            "pay.evaluator_ppm": 0,
            "pay.reserve_ppm": 0,
        },
    )
    with pytest.raises(limits.BudgetTooSmall) as caught:
        limits.check_budget(spec, 0)
    least = int(caught.value.detail.split("at least ")[1].split(",")[0])

    pool = jobs.round_pool_uflt(spec, least)

    assert pool * worker_ppm // 1_000_000 >= cohort
    assert worker_ppm == 1_000_000 or pool * (1_000_000 - worker_ppm) // 1_000_000 >= 1


def test_a_requester_has_so_many_open_jobs_and_no_more() -> None:
    world = World({"jobs": {"open_jobs_max": 2}})
    rita = world.account("rita")
    first = world.run(a_job(rita)).job_id
    world.run(a_job(rita))

    world.refused(a_job(rita), posting.TooManyOpenJobs, "open jobs 3", "limit is 2")
    world.run(a_job(world.account("ron")))
    world.run(jobs.CancelJob(rita, first))
    world.run(a_job(rita))


def test_cost_and_budget_must_be_there() -> None:
    world = World()

    world.refused(a_job(world.account("p", 9 * FLT)), bank.InsufficientFunds, "10000000uflt")
    world.refused(a_job(world.account("q", 29 * FLT)), bank.InsufficientFunds, "20000000uflt")
