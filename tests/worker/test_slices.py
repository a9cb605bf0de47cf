"""A validation set is cut the same way every time, and unpacked without leading anywhere else."""

import io
import os
import tarfile
from hashlib import sha256
from pathlib import Path

import pytest

from fl_worker.scoring.slices import (
    SLICE_COUNT,
    BadValidation,
    MalformedSlice,
    cut_slices,
    unpack,
)


def write(folder: Path, *names: str) -> Path:
    """Write files that hold their own names."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder


def read(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_text() for path in files}


def unpacked(folder: Path, *slices: bytes) -> dict[str, str]:
    for each in slices:
        unpack(each, folder)
    return read(folder)


def test_files_are_dealt_in_the_order_of_their_paths(tmp_path: Path) -> None:
    names = [f"{label}/{number:02}.png" for label in ("cat", "dog") for number in range(8)]
    slices = cut_slices(write(tmp_path / "set", *reversed(names)))
    assert len(slices) == SLICE_COUNT == 10
    assert read_names(slices[0]) == ["cat/00.png", "dog/02.png"]
    assert read_names(slices[9]) == ["dog/01.png"]


def test_all_slices_together_are_the_whole_folder(tmp_path: Path) -> None:
    whole = write(tmp_path / "set", *[f"a/b/{number}.csv" for number in range(23)])
    assert unpacked(tmp_path / "again", *cut_slices(whole)) == read(whole)


def test_the_same_files_give_the_same_bytes_whoever_has_them(tmp_path: Path) -> None:
    names = [f"{number}.txt" for number in range(10)]
    one, other = write(tmp_path / "one", *names), write(tmp_path / "other", *reversed(names))
    os.utime(other / "3.txt", (1, 1))
    (other / "4.txt").chmod(0o600)
    assert cut_slices(one) == cut_slices(other)
    digest = sha256(b"".join(cut_slices(one))).hexdigest()
    assert digest == "11bbf9dbe8c4881e9d752b3da014ecd9dcd718e2db9cd1021ec5599deebce729"


def test_folders_called_slices_are_the_slices(tmp_path: Path) -> None:
    names = [f"slice-{n}/{part}-{n}" for n in range(10) for part in ("rows", "labels")]
    slices = cut_slices(write(tmp_path / "set", *names))
    assert read_names(slices[7]) == ["labels-7", "rows-7"]


def test_ten_folders_of_other_names_are_dealt(tmp_path: Path) -> None:
    names = [f"{digit}/{n}.png" for digit in range(10) for n in range(10)]
    slices = cut_slices(write(tmp_path / "set", *names))
    assert read_names(slices[7]) == [f"{digit}/7.png" for digit in range(10)]


def read_names(packed: bytes) -> list[str]:
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        return archive.getnames()


def test_hidden_files_are_left_out(tmp_path: Path) -> None:
    names = [f"{number}.txt" for number in range(10)]
    folder = write(tmp_path / "set", *names, ".git/config", ".DS_Store")
    assert sorted(unpacked(tmp_path / "again", *cut_slices(folder))) == names


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ([f"{n}.txt" for n in range(9)], "fill 9 slices, the limit is exactly 10"),
        ([], "fill 0 slices"),
        ([f"slice-{n}/same.txt" for n in range(10)], "same.txt is in several slices"),
    ],
)
def test_what_is_no_validation_set_is_refused(tmp_path: Path, names: list[str], words: str) -> None:
    (tmp_path / "set").mkdir()
    with pytest.raises(BadValidation, match=words):
        cut_slices(write(tmp_path / "set", *names))


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "set").write_text("")
    with pytest.raises(BadValidation, match="is no folder"):
        cut_slices(tmp_path / "set")


def archive_of(*entries: tarfile.TarInfo) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        for entry in entries:
            archive.addfile(entry, io.BytesIO(bytes(entry.size)))
    return packed.getvalue()


def an_entry(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, link
    return entry


@pytest.mark.parametrize(
    "packed",
    [
        b"no archive",
        archive_of(an_entry("../outside")),
        archive_of(an_entry("a/../../outside")),
        archive_of(an_entry("/tmp/outside")),
        archive_of(an_entry("link", tarfile.SYMTYPE, "/etc")),
        archive_of(an_entry("link", tarfile.LNKTYPE, "/etc/passwd")),
        archive_of(an_entry("pipe", tarfile.FIFOTYPE)),
        archive_of(an_entry("twice"), an_entry("twice")),
        archive_of(an_entry("file"), an_entry("file/below")),
    ],
)
def test_a_slice_that_is_more_than_new_files_is_refused(tmp_path: Path, packed: bytes) -> None:
    (tmp_path / "in").mkdir()
    with pytest.raises(MalformedSlice):
        unpack(packed, tmp_path / "in")
    assert not (tmp_path / "outside").exists()
