"""Blocks as files: a block lies in `blocks/<two letters>/<cid>`, whole or not at all."""

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from fl_worker.blobs.cids import BLOCK_SIZE_BYTES, parse_cid
from fl_worker.blobs.store import DiskFull, faults_named

FREE_BYTES_MIN = 64 << 20


class FolderBlocks:
    """The blocks of a store in a folder of this machine; nobody else can be asked for more."""

    reaches_others = False

    def __init__(self, path: Path, *, free_bytes_min: int = FREE_BYTES_MIN) -> None:
        self.name = str(path)
        self._path = path
        self._free_bytes_min = free_bytes_min
        with faults_named(path):
            (path / "blocks").mkdir(parents=True, exist_ok=True)

    def read(self, cid: str) -> bytes | None:
        """The bytes of a file, one more than a block may have at most; None without it."""
        with faults_named(self._path):
            try:
                with self._file(cid).open("rb") as file:
                    return file.read(BLOCK_SIZE_BYTES + 1)
            except FileNotFoundError:
                return None

    def write(self, cid: str, block: bytes) -> None:
        """Write a block so that its file is whole or absent, whenever the power fails."""
        with faults_named(self._path):
            self._require_room(block)
            file, incoming = self._file(cid), self._path / "incoming"
            file.parent.mkdir(exist_ok=True)
            try:
                with incoming.open("wb") as stream:
                    stream.write(block)
                    stream.flush()
                    os.fsync(stream.fileno())
                incoming.replace(file)
            finally:
                incoming.unlink(missing_ok=True)
            folder = os.open(file.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def remove(self, cids: Iterable[str]) -> None:
        """Delete files."""
        with faults_named(self._path):
            for cid in cids:
                self._place(cid).unlink(missing_ok=True)

    def discard(self, cid: str) -> None:
        """Delete a file."""
        self.remove([cid])

    def cids(self) -> set[str]:
        """The names of all files; one that is at no block's place is deleted."""
        with faults_named(self._path):
            files = set(self._path.glob("blocks/*/*"))
            for stray in {file for file in files if file != self._place(file.name)}:
                stray.unlink()
                files.remove(stray)
            return {file.name for file in files}

    def seek(self, cid: str) -> bytes | None:
        """Nobody can be asked."""
        return None

    def _file(self, cid: str) -> Path:
        parse_cid(cid)
        return self._place(cid)

    def _place(self, cid: str) -> Path:
        return self._path / "blocks" / cid[-3:-1] / cid

    def _require_room(self, block: bytes) -> None:
        free_bytes = shutil.disk_usage(self._path).free
        if free_bytes - len(block) < self._free_bytes_min:
            raise DiskFull(
                f"the disk of {self._path} has {free_bytes} bytes free, of which "
                f"{self._free_bytes_min} stay free: make room on it, or move the store"
            )
