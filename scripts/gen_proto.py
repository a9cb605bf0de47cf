"""Generate app/pb from proto/: messages, type stubs and gRPC stubs; `--check` only compares."""

import argparse
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

import grpc_tools
from cosmpy.protos.amino import amino_pb2
from cosmpy.protos.cosmos_proto import cosmos_pb2
from cosmpy.protos.gogoproto import gogo_pb2
from google.api import annotations_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from grpc_tools import protoc

ROOT = Path(__file__).resolve().parents[1]
PROTO = ROOT / "proto"
TARGET = ROOT / "app" / "pb"
WELL_KNOWN = Path(grpc_tools.__file__).parent / "_proto"
OWN_IMPORT = re.compile(r"^from (pollen|cosmos)\b", re.MULTILINE)
COSMOS_IMPORT = re.compile(r"^from (amino|cosmos_proto|gogoproto)\b", re.MULTILINE)
OPTIONS = (amino_pb2, cosmos_pb2, gogo_pb2, annotations_pb2)
"""Whose options our files may use."""
SERVICE = re.compile(r"^service ", re.MULTILINE)


def run_protoc(sources: list[Path], outputs: list[str]) -> None:
    """Run protoc on the sources; exits with its status when it refuses one."""
    names = [str(source.relative_to(PROTO)) for source in sources]
    with tempfile.NamedTemporaryFile() as known:
        known.write(describe_options().SerializeToString())
        known.flush()
        places = [f"-I{PROTO}", f"-I{WELL_KNOWN}", f"--descriptor_set_in={known.name}"]
        status = protoc.main(["protoc", *places, *outputs, *names])
    if status:
        sys.exit(status)


def describe_options() -> FileDescriptorSet:
    """Describe the files whose options ours use, and what these need, each once."""
    found = FileDescriptorSet()

    def add(file: Any) -> None:
        if file.name not in [each.name for each in found.file]:
            for needed in file.dependencies:
                add(needed)
            file.CopyToProto(found.file.add())

    for module in OPTIONS:
        add(module.DESCRIPTOR)
    return found


def generate() -> dict[str, str]:
    """Every generated file by its path under app/pb, its own imports moved under app.pb."""
    sources = sorted(PROTO.rglob("*.proto"))
    with_service = [source for source in sources if SERVICE.search(source.read_text())]
    with tempfile.TemporaryDirectory() as folder:
        run_protoc(sources, [f"--python_out={folder}", f"--pyi_out={folder}"])
        run_protoc(with_service, [f"--grpc_python_out={folder}"])
        out = Path(folder)
        files = {
            path.relative_to(out).as_posix(): move_imports(path.read_text())
            for path in out.rglob("*.py*")
        }
    folders = {parent.as_posix() for name in files for parent in Path(name).parents}
    files |= {f"{folder}/__init__.py".removeprefix("./"): "" for folder in folders}
    return files


def move_imports(text: str) -> str:
    """Import from where the generated files are: ours under app.pb, Cosmos' in cosmpy."""
    return COSMOS_IMPORT.sub(r"from cosmpy.protos.\1", OWN_IMPORT.sub(r"from app.pb.\1", text))


def read_target() -> dict[str, str]:
    """What app/pb holds now, by path."""
    return {
        path.relative_to(TARGET).as_posix(): path.read_text()
        for path in TARGET.rglob("*.py*")
        if "__pycache__" not in path.parts
    }


def write_target(new: dict[str, str], old: dict[str, str]) -> None:
    """Make app/pb hold exactly the new files, touching only those that differ."""
    for name in old.keys() - new.keys():
        (TARGET / name).unlink()
    for name, text in new.items():
        if old.get(name) != text:
            path = TARGET / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)


def main() -> None:
    """Generate, then write or, with `--check`, exit 1 naming the files that differ."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, only compare")
    is_check = parser.parse_args().check
    new, old = generate(), read_target()
    stale = sorted(name for name in new.keys() | old.keys() if new.get(name) != old.get(name))
    if is_check and stale:
        sys.exit("app/pb differs from proto/; run scripts/gen_proto.py:\n  " + "\n  ".join(stale))
    if not is_check:
        write_target(new, old)
    print(f"app/pb: {len(new)} files, {len(stale)} changed")


if __name__ == "__main__":
    main()
