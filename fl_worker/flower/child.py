"""The process that runs a Flower app: its own limits first, then requests in and replies out.

Run by path with `python -I`, so that none of our packages can be imported by the app, whose own
package may well be called `app`. What this process needs of ours lies in `inside/` and is loaded
by path under a name of its own.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import importlib.util
import json
import os
import resource
import shutil
import signal
import sys
import traceback
from pathlib import Path
from typing import Any, BinaryIO

PR_SET_PDEATHSIG = 1
OUTPUT_LENGTH_MAX = 4000
ANSWERED = 99
"""How a copy of this process ends that has answered."""
SIGNALLED = 128
INSIDE = "pollen_inside"
VERBS = {
    "load": ("client", "load"),
    "load_to_train": ("client", "load_to_train"),
    "call": ("client", "call"),
    "record": ("server", "record"),
    "plain": ("plain", "run"),
}


def main() -> None:
    """Answer requests until the pipe closes."""
    settings, home = json.loads(sys.argv[1]), Path.cwd()
    die_with_parent()
    set_limits(settings)
    requests, replies = take_pipes()
    gc.disable()  # imports take a quarter less time, and leave nothing to collect
    frames = load_inside()
    while (request := frames.read(requests)) is not None:
        is_apart = request.header.get("is_apart", False)
        if is_apart and not go_on_as_copy(home):
            continue
        if not request.header["verb"].startswith("load"):
            collect_garbage()
        limit_cpu(settings["cpu_s_max"])
        replies.write(answer(frames, request))
        replies.flush()
        if is_apart:
            os._exit(ANSWERED)


def collect_garbage() -> None:
    """Collect garbage from now on; what was loaded before stays, and isn't looked through again."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


def die_with_parent() -> None:
    """Let this process be killed when the one that started it ends."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def go_on_as_copy(home: Path) -> bool:
    """Return True in a copy of this process; False here, once the copy has answered and ended.

    What the app keeps of the answer ends with the copy, new files in its home too. Without an
    answer this process ends as the copy did.
    """
    kept = set(os.listdir(home))
    copy = os.fork()
    if not copy:
        die_with_parent()
        return True
    code = os.waitstatus_to_exitcode(os.waitpid(copy, 0)[1])
    if code != ANSWERED:
        os._exit(code if code >= 0 else SIGNALLED - code)
    for path in [home / name for name in os.listdir(home) if name not in kept]:
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
    return False


def set_limits(settings: dict[str, Any]) -> None:
    """Bound the memory, files and threads of this process for good."""
    resource.setrlimit(resource.RLIMIT_DATA, (settings["memory_bytes_max"],) * 2)
    resource.setrlimit(resource.RLIMIT_FSIZE, (settings["file_bytes_max"],) * 2)
    resource.setrlimit(resource.RLIMIT_NPROC, (settings["thread_count_max"],) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def limit_cpu(cpu_s_max: int) -> None:
    """Bound the processor time of the request that comes now."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    used_s = int(usage.ru_utime + usage.ru_stime)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (used_s + cpu_s_max, hard))


def take_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Keep stdin and stdout for frames; what the app reads is empty, what it prints is logged."""
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return requests, replies


def load_inside() -> Any:
    """Make the modules in `inside/` importable, and give the one that knows frames."""
    folder = Path(__file__).resolve().parent / "inside"
    spec = importlib.util.spec_from_file_location(
        INSIDE, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    if spec is None or spec.loader is None:
        raise ImportError(f"{folder} is incomplete; install Pollen again")
    package = importlib.util.module_from_spec(spec)
    sys.modules[INSIDE] = package
    spec.loader.exec_module(package)
    return importlib.import_module(f"{INSIDE}.frames")


def answer(frames: Any, request: Any) -> bytes:
    """Do what is asked; a failure of any kind, even an exit, becomes an error reply."""
    module, function = VERBS[request.header["verb"]]
    try:
        act = getattr(importlib.import_module(f"{INSIDE}.{module}"), function)
        return bytes(frames.encode(act(request)))
    except (frames.AppRefused, frames.BadFrame) as error:
        failure = {"error": str(error)}
    except BaseException as error:  # an app may also call sys.exit
        failure = {
            "error": f"the app raised {type(error).__name__}",
            "output": app_traceback(error, request.header["app_dir"]),
        }
    finally:
        sys.stdout.flush()
    return bytes(frames.encode(frames.Frame(failure)))


def app_traceback(error: BaseException, app_dir: str) -> str:
    """Format a traceback from the app's own first line on, or whole where it has none."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [number for number, frame in enumerate(frames) if frame.filename.startswith(app_dir)]
    lines = traceback.format_list(frames[own[0] :] if own else frames)
    lines += traceback.format_exception_only(error)
    return "".join(lines).rstrip()[-OUTPUT_LENGTH_MAX:]


if __name__ == "__main__":
    main()
