"""What a node shows of itself to Prometheus."""

from prometheus_client import generate_latest

from app.kernel.record import U64
from app.modules import bonds
from app.modules.statistics import StatisticsRequest, StatisticsResponse, statistics
from app.node.metrics import Metrics, StatisticsCollector
from tests.build import FLT, World, a_job


def scrape(found: StatisticsResponse | None) -> str:
    metrics = Metrics()
    metrics.registry.register(StatisticsCollector(lambda: found))
    return generate_latest(metrics.registry).decode()


def test_every_number_of_the_statistics_is_a_gauge() -> None:
    world = World()
    wanda = world.participant("wanda")
    world.run(bonds.Bond(wanda, U64(FLT)))
    world.run(a_job(world.account("rita")))
    world.wait(61)
    lines = scrape(statistics(world.state, StatisticsRequest())).splitlines()
    for line in (
        "pollen_totals_job_count 1.0",
        "pollen_totals_included_count 0.0",
        "pollen_participants_active_count 1.0",
        "pollen_participants_epoch_joined_count 1.0",
        "pollen_participants_last_epoch_left_count 0.0",
        "pollen_holdings_bonded_uflt 1.01e+08",
        "pollen_holdings_burned_uflt 1e+07",
        "pollen_task_completion_ppm 0.0",
        "pollen_reward_per_example_millionths 0.0",
        "pollen_last_epoch_churn_ppm 0.0",
        'pollen_endings{phase="FAILED",reason="too_few_workers",subject="job"} 1.0',
    ):
        assert line in lines


def test_a_node_without_a_block_shows_no_statistics_and_still_answers() -> None:
    shown = scrape(None)
    assert "pollen_height 0.0" in shown
    assert "pollen_totals" not in shown
