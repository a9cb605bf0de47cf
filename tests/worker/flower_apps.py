"""Small Flower apps for tests: no PyTorch, and a package called `app`, as ours is."""

from pathlib import Path

PYPROJECT = """
[project]
name = "tiny"
version = "1.0.0"
[tool.flwr.app]
publisher = "tests"
[tool.flwr.app.components]
serverapp = "app.server:app"
clientapp = "app.client:app"
[tool.flwr.app.config]
step = 1.0
"""

SERVER = """
import numpy as np
from flwr.app import Array, ArrayRecord, ConfigRecord
from flwr.serverapp import ServerApp
from flwr.serverapp.strategy import FedAvg

app = ServerApp()

@app.main()
def main(grid, context):
    arrays = ArrayRecord({"w": Array(np.zeros(3)), "n": Array(np.array(7))})
    FedAvg().start(grid, arrays, num_rounds=2, train_config=ConfigRecord({"do": "train"}))
"""

# What it does is asked for by the config's `do`.
CLIENT = '''
import os, socket, sys, time
import numpy as np
from flwr.app import Array, ArrayRecord, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp

app = ClientApp()
loaded_s = time.monotonic()
kept = []

def keep():
    """Keep what an app can, in memory and in its home, and count what is left of before."""
    kept.append(1)
    open(f"kept {time.monotonic()}", "w").close()
    files = len([name for name in os.listdir() if name.startswith("kept")])
    return {"kept": len(kept), "files": files, "loaded_s": loaded_s}

def look(config):
    """Try what an app may not do."""
    try:
        socket.create_connection(("127.0.0.1", config["port"]), 2)
        reached = 1
    except OSError:
        reached = 0
    seen = int(os.path.exists(config["secret"]))
    own = int(os.getcwd() == os.environ["HOME"] and "TEST_SECRET" not in os.environ)
    return {"reached": reached, "seen": seen, "own": own}

@app.train()
def train(msg, context):
    do = msg.content["config"]["do"]
    print("asked to", do)
    metrics = {"num-examples": 5}
    if do == "crash":
        raise RuntimeError("no data here")
    if do == "exit":
        sys.exit(3)
    if do == "die":
        print("last words", flush=True)
        os._exit(4)
    if do == "leave":
        os._exit(0)
    if do == "kill":
        os.kill(os.getpid(), 9)
    if do == "keep":
        metrics |= keep()
    if do == "hang":
        time.sleep(60)
    if do == "forge":
        for fd in range(3, 20):
            try:
                os.write(fd, b"\\xff" * 64)
            except OSError:
                pass
    if do == "hoard":
        np.ones(2**30)
    if do == "nothing":
        metrics = {"num-examples": 0}
    if do == "look":
        metrics |= look(msg.content["config"])
    memory = context.state.setdefault("memory", MetricRecord({"calls": 0}))
    memory["calls"] += 1
    metrics |= {"calls": memory["calls"], "node": context.node_config.get("partition-id", -1)}
    step = context.run_config["step"] * msg.content["config"]["server-round"]
    arrays = {k: Array(np.asarray(a.numpy() + step)) for k, a in msg.content["arrays"].items()}
    content = {"arrays": ArrayRecord(arrays), "metrics": MetricRecord(metrics)}
    return Message(RecordDict(content), reply_to=msg)

@app.evaluate()
def evaluate(msg, context):
    total = float(sum(a.numpy().sum() for a in msg.content["arrays"].values()))
    return Message(RecordDict({"metrics": MetricRecord({"total": total})}), reply_to=msg)
'''

MEASURING = CLIENT.replace(
    """    total = float(sum(a.numpy().sum() for a in msg.content["arrays"].values()))
    return Message(RecordDict({"metrics": MetricRecord({"total": total})}), reply_to=msg)
""",
    """    folder = context.node_config["validation-dir"]
    aims = [float(open(os.path.join(folder, name)).read()) for name in os.listdir(folder)]
    mean = float(msg.content["arrays"]["w"].numpy().mean())
    loss = sum((mean - aim) ** 2 for aim in aims) / len(aims)
    metrics = MetricRecord({"loss": loss, "near": 1 / (1 + loss), "count": len(aims)})
    return Message(RecordDict({"metrics": metrics}), reply_to=msg)
""",
)
"""Its loss is the mean squared distance of the values' mean to the numbers in a folder's files."""


def write_aims(folder: Path, *aims: float) -> Path:
    """Write a validation set for it: a number a file."""
    folder.mkdir(parents=True)
    for number, aim in enumerate(aims):
        (folder / f"{number:02}.txt").write_text(str(aim))
    return folder


def write_app(folder: Path, server: str = SERVER, client: str = CLIENT) -> Path:
    """Write an app with these two parts into a folder."""
    (folder / "app").mkdir(parents=True)
    (folder / "pyproject.toml").write_text(PYPROJECT)
    (folder / "app" / "__init__.py").write_text("")
    (folder / "app" / "server.py").write_text(server)
    (folder / "app" / "client.py").write_text(client)
    return folder
