"""One process that runs an app: start it, ask it, and kill it when it fails, hangs or is left."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import tempfile
from pathlib import Path

from fl_worker.flower.errors import AppDied, AppFailed, AppTimedOut
from fl_worker.flower.inside import frames
from fl_worker.flower.inside.frames import BadFrame, Frame
from fl_worker.flower.sandbox import Sandbox, child_command, child_environment

OUTPUT_BYTES_MAX = 4096
LOG_NAME = "app.log"


class AppProcess:
    """A running app; it can't outlive us, and its folder goes with it."""

    def __init__(self, process: asyncio.subprocess.Process, home: Path, sandbox: Sandbox) -> None:
        """Take over a started process; use `start`."""
        self._process = process
        self._home = home
        self._limits = sandbox.limits

    @classmethod
    async def start(cls, sandbox: Sandbox) -> AppProcess:
        """Start an empty process; the app is loaded by the first request."""
        home = Path(tempfile.mkdtemp(prefix="pollen-app-"))
        with (home / LOG_NAME).open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *child_command(sandbox, home),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env=child_environment(home),
                cwd=home,
                start_new_session=True,
            )
        return cls(process, home, sandbox)

    @property
    def pid(self) -> int:
        """Give the id of the process group that the app runs in."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Tell whether the process can be asked."""
        return self._process.returncode is None

    async def ask(self, request: Frame) -> Frame:
        """Send a request and wait for its reply; every failure but the app's own kills it."""
        try:
            async with asyncio.timeout(self._limits.wall_s_max):
                reply = await self._exchange(request)
        except TimeoutError:
            output = await self._end()
            reason = f"the app gave no answer within {self._limits.wall_s_max:g} s"
            raise AppTimedOut(reason, output) from None
        except (asyncio.IncompleteReadError, ConnectionError):
            output = await self._end()
            raise AppDied(f"the app's process {self._ending()}", output) from None
        except BadFrame as error:
            output = await self._end()
            raise AppDied(f"the app's process broke the protocol: {error}", output) from None
        except asyncio.CancelledError:
            await self._end()
            raise
        if "error" in reply.header:
            raise AppFailed(str(reply.header["error"]), str(reply.header.get("output", "")))
        return reply

    async def close(self) -> None:
        """Kill the process and all it started, and remove its folder."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()
        shutil.rmtree(self._home, ignore_errors=True)

    async def _exchange(self, request: Frame) -> Frame:
        requests, replies = self._process.stdin, self._process.stdout
        if requests is None or replies is None:
            raise ConnectionError("no pipes")
        requests.write(frames.encode(request))
        await requests.drain()
        prefix = await replies.readexactly(frames.PREFIX_BYTES)
        head, body_size = frames.read_head(await replies.readexactly(frames.head_size(prefix)))
        return frames.decode(head, await replies.readexactly(body_size))

    async def _end(self) -> str:
        """Close, and give the tail of what the app printed."""
        log = self._home / LOG_NAME
        printed = b""
        with contextlib.suppress(OSError), log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - OUTPUT_BYTES_MAX))
            printed = file.read()
        await self.close()
        return printed.decode(errors="replace").strip()

    def _ending(self) -> str:
        """Say how the process ended; bubblewrap reports a signal as 128 more than its number."""
        code = self._process.returncode or 0
        number = -code if code < 0 else code - 128
        if number in signal.valid_signals() and number > 0:
            return f"was ended by {signal.Signals(number).name} (out of memory or time?)"
        return f"ended with code {code}"
