"""A validation set cut into slices: each a deterministic tar of files.

Slices that are unpacked into one folder make a part of the whole set's folder, so an app that reads
the whole reads any of its slices together.
"""

from __future__ import annotations

import io
import tarfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from app.sdk.protocol import JobsParams
from fl_worker.blobs.cids import BlobFault

SLICE_COUNT = JobsParams().validation_slices
SLICE_FOLDERS = frozenset(f"slice-{number}" for number in range(SLICE_COUNT))


class BadValidation(ValueError):
    """A folder that can't be a validation set; the text says what to change."""


class MalformedSlice(BlobFault):
    """Bytes that are no slice."""


def cut_slices(folder: Path) -> tuple[bytes, ...]:
    """Cut a folder of files into slices; BadValidation if some slice would have none.

    Its folders `slice-0`, `slice-1`, … are the slices if it holds all of them and nothing else;
    else its files are dealt to the slices in turn, in the order of their paths. Hidden files are
    left out.
    """
    if not folder.is_dir():
        raise BadValidation(f"{folder} is no folder; name one with the files of a validation set")
    if {path.name for path in folder.iterdir()} == SLICE_FOLDERS:
        roots = [folder / f"slice-{number}" for number in range(SLICE_COUNT)]
        dealt = [(root, list_files(root)) for root in roots]
    else:
        names = list_files(folder)
        dealt = [(folder, names[number::SLICE_COUNT]) for number in range(SLICE_COUNT)]
    count = sum(bool(names) for _, names in dealt)
    if count < SLICE_COUNT:
        raise BadValidation(
            f"{folder}: its files fill {count} slices, the limit is exactly {SLICE_COUNT}; put "
            f"at least {SLICE_COUNT} files there, or some into each of slice-0 to "
            f"slice-{SLICE_COUNT - 1}"
        )
    check_different([name for _, names in dealt for name in names], folder)
    return tuple(pack(root, names) for root, names in dealt)


def list_files(root: Path) -> list[str]:
    """Return the paths of a folder's files below it, in order."""
    found = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
    return sorted(path.as_posix() for path in found if not is_hidden(path))


def is_hidden(path: Path) -> bool:
    """Whether a file or a folder on its path begins with a dot."""
    return any(part.startswith(".") for part in path.parts)


def check_different(names: Sequence[str], folder: Path) -> None:
    """Refuse slices of which one would overwrite another's file."""
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise BadValidation(
            f"{folder}: {repeated[0]} is in several slices, the limit is one; slices are read "
            "together from one folder, so give each file a name of its own"
        )


def pack(root: Path, names: Sequence[str]) -> bytes:
    """Pack files; the same names and bytes always give the same slice."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name in names:
            data = (root / name).read_bytes()
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return packed.getvalue()


def unpack(packed: bytes, folder: Path) -> None:
    """Write a slice's files below a folder; MalformedSlice for anything that isn't a new file."""
    try:
        with tarfile.open(fileobj=io.BytesIO(packed), mode="r:") as archive:
            for entry in archive:
                target = folder / check_name(entry)
                target.parent.mkdir(parents=True, exist_ok=True)
                source = archive.extractfile(entry)
                with target.open("xb") as file:
                    file.write(source.read() if source else b"")
    except (tarfile.TarError, OSError, ValueError) as error:
        raise MalformedSlice(f"a slice of {len(packed)} bytes can't be unpacked: {error}") from None


def check_name(entry: tarfile.TarInfo) -> str:
    """Return an entry's path; ValueError if it is no plain file, or leads out of the folder."""
    path = PurePosixPath(entry.name)
    if not entry.isreg() or path.is_absolute() or not path.parts or ".." in path.parts:
        raise ValueError(f"{entry.name!r} is no plain file below the folder")
    return entry.name
