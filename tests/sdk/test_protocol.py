"""What participants may import from the chain."""

import subprocess
import sys
from pathlib import Path

from app.chain import MODULES
from app.sdk import cosmos, protocol

ROOT = Path(__file__).parents[2]


def test_every_message_question_and_event_is_there() -> None:
    wanted = []
    for module in MODULES:
        wanted += [*module.messages, *module.queries, *module.events]
        wanted += [message.response for message in module.messages.values() if message.response]
        wanted += [query.response for query in module.queries.values()]
    offered = [getattr(file, name) for file in (protocol, cosmos) for name in file.__all__]
    assert [
        each for each in wanted if not hasattr(each, "EVENT_TYPE") and each not in offered
    ] == []


def test_the_sdk_needs_no_store_and_no_machine_learning() -> None:
    heavy = ("plyvel", "numpy", "torch", "flwr", "aiohttp", "prometheus_client")
    code = f"import sys, app.sdk.client, app.sdk.keyring, app.sdk.protocol; \
print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
