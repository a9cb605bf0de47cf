"""Code, proto and reference say the same: every message, query, event, param and code is in all."""

import importlib
import inspect
import pkgutil
import string
import sys
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from enum import IntEnum
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

import app.pb
from app.chain import MODULES
from app.kernel.errors import Rejected
from app.kernel.module import Module
from app.kernel.packed import Packed
from app.kernel.record import (
    I64,
    U32,
    U64,
    U128,
    Address,
    ConsensusKey,
    Dec,
    Duration,
    Nothing,
    Operator,
    Time,
)

REFERENCE = Path(__file__).resolve().parents[1] / "app" / "REFERENCE.md"
PROTO_TYPES = {
    bool: FieldDescriptor.TYPE_BOOL,
    U32: FieldDescriptor.TYPE_UINT32,
    U64: FieldDescriptor.TYPE_UINT64,
    U128: FieldDescriptor.TYPE_STRING,
    I64: FieldDescriptor.TYPE_INT64,
    str: FieldDescriptor.TYPE_STRING,
    bytes: FieldDescriptor.TYPE_BYTES,
    Address: FieldDescriptor.TYPE_STRING,
    Operator: FieldDescriptor.TYPE_STRING,
    Dec: FieldDescriptor.TYPE_STRING,
}
BYTES_TOO = {Dec: (FieldDescriptor.TYPE_BYTES,)}
"""Cosmos writes some decimals as the bytes of their text."""
NESTED_TYPES = {
    Time: "google.protobuf.Timestamp",
    Duration: "google.protobuf.Duration",
    ConsensusKey: "google.protobuf.Any",
    UnionType: "google.protobuf.Any",
    Packed: "google.protobuf.Any",
    Nothing: "google.protobuf.Any",
}
COSMOS_FILES = (
    "bank.v1beta1.tx", "feegrant.v1beta1.tx", "feegrant.v1beta1.query", "authz.v1beta1.tx",
    "authz.v1beta1.query", "authz.v1beta1.event", "upgrade.v1beta1.tx", "upgrade.v1beta1.query",
    "staking.v1beta1.tx", "slashing.v1beta1.tx",
    "gov.v1.tx", "gov.v1.query", "distribution.v1beta1.tx",
)  # fmt: skip
POLLEN = [module for module in MODULES if module.package.startswith("pollen.")]
POOL = descriptor_pool.Default()

each_module = pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
each_pollen_module = pytest.mark.parametrize("module", POLLEN, ids=lambda module: module.name)


def load_protos() -> None:
    """Import every generated file, so that the pool knows its messages."""
    for found in pkgutil.walk_packages(app.pb.__path__, "app.pb."):
        importlib.import_module(found.name)
    for name in COSMOS_FILES:
        importlib.import_module(f"cosmpy.protos.cosmos.{name}_pb2")


load_protos()


def named_records(module: Module) -> Iterator[tuple[type[Any], str]]:
    """The messages, answers, questions, events and params of a module with their proto names."""
    for kind, message in module.messages.items():
        name = module.type_url(kind)[1:]
        yield kind, name
        if message.response:
            yield message.response, f"{name}Response"
    for request, query in module.queries.items():
        yield request, f"{module.package}.Query{request.__name__}"
        yield query.response, f"{module.package}.Query{query.response.__name__}"
    for event in module.events:
        if not hasattr(event, "EVENT_TYPE"):  # Cosmos' own events have attributes only
            yield event, getattr(event, "NAME", f"{module.package}.Event{event.__name__}")
    is_ours = module.package.startswith("pollen.")  # Cosmos' name a time in seconds a duration
    if is_ours and module.params and module.params.record.__name__ == "Params":
        yield module.params.record, f"{module.package}.Params"


def differences(kind: type[Any], proto: Descriptor, seen: dict[str, type[Any]]) -> list[str]:
    """Where a record and its proto message differ, nested ones too; `seen` gathers their names."""
    if proto.full_name in seen:
        same = seen[proto.full_name] is kind
        return [] if same else [f"{proto.full_name}: {kind} and {seen[proto.full_name]}"]
    seen[proto.full_name] = kind
    hints = get_type_hints(kind)
    ours, theirs = [field.name for field in fields(kind)], [field.name for field in proto.fields]
    if ours != theirs:
        return [f"{proto.full_name}: {ours} in code, {theirs} in proto"]
    return [
        sentence
        for field in proto.fields
        for sentence in field_differences(hints[field.name], field, seen)
    ]


def field_differences(hint: Any, field: FieldDescriptor, seen: dict[str, type[Any]]) -> list[str]:
    """Where one field's type differs from proto."""
    is_list = get_origin(hint) is tuple
    inner = get_args(hint)[0] if is_list else hint
    if is_list != (field.label == FieldDescriptor.LABEL_REPEATED):  # type: ignore[attr-defined]
        return [f"{field.full_name}: a list in one, not in the other"]
    if isinstance(inner, type) and issubclass(inner, IntEnum):
        return enum_differences(inner, field.enum_type, seen)
    if is_dataclass(inner) and isinstance(inner, type) and inner not in NESTED_TYPES:
        nested = field.message_type
        if nested is None or not inner.__name__.endswith(nested.name):  # StakingParams is Params
            return [f"{field.full_name}: {inner.__name__} in code"]
        return differences(inner, nested, seen)
    known = inner if inner in NESTED_TYPES else type(inner)
    if known in NESTED_TYPES:
        is_right = field.message_type and field.message_type.full_name == NESTED_TYPES[known]
        return [] if is_right else [f"{field.full_name}: {inner} in code"]
    types = (PROTO_TYPES[inner], *BYTES_TOO.get(inner, ()))
    return [] if field.type in types else [f"{field.full_name}: {inner} in code"]


def enum_differences(
    kind: type[IntEnum], proto: EnumDescriptor | None, seen: dict[str, type[Any]]
) -> list[str]:
    """Where an enum and its proto differ; proto's names carry the enum's own before them."""
    if proto is None or proto.name != kind.__name__:
        return [f"{kind.__name__} is {proto.full_name if proto else 'no enum'} in proto"]
    seen[proto.full_name] = kind
    words = "".join(f"_{letter}" if letter.isupper() else letter for letter in proto.name)
    prefix = words.strip("_").upper() + "_"
    ours = {prefix + member.name: member.value for member in kind}
    theirs = {value.name: value.number for value in proto.values}
    return [] if ours == theirs else [f"{proto.full_name}: {ours} in code, {theirs} in proto"]


def proto_files(module: Module) -> list[Any]:
    """The descriptors of a module's own proto files."""
    folder = f"{module.package.replace('.', '/')}"
    names = [f.name for f in (Path("proto") / folder).glob("*.proto")]
    return [POOL.FindFileByName(f"{folder}/{name}") for name in sorted(names)]


def is_own_docstring(thing: Any) -> bool:
    """Whether someone wrote it; dataclass makes one of the signature where there is none."""
    text = inspect.getdoc(thing) or ""
    return bool(text) and not text.startswith(f"{thing.__name__}(")


def rejections(module: Module) -> list[type[Rejected]]:
    """A module's rejections."""
    home = f"app.modules.{module.name}."
    return [kind for kind in Rejected.__subclasses__() if f"{kind.__module__}.".startswith(home)]


@each_module
def test_a_record_and_its_proto_message_have_the_same_fields_in_the_same_order(
    module: Module,
) -> None:
    seen: dict[str, type[Any]] = {}
    found = [
        sentence
        for kind, name in named_records(module)
        for sentence in differences(kind, POOL.FindMessageTypeByName(name), seen)
    ]
    assert found == []


@each_pollen_module
def test_every_proto_message_and_enum_has_its_record(module: Module) -> None:
    seen: dict[str, type[Any]] = {}
    for other in MODULES:  # a type may be used by a module further up
        for kind, name in named_records(other):
            differences(kind, POOL.FindMessageTypeByName(name), seen)
    rows = {table.record.__name__ for table in module.tables if hasattr(table, "record")}
    silent = [f"{module.package}.Msg{kind.__name__}Response" for kind in module.messages]
    unknown = [
        name
        for file in proto_files(module)
        for each in (*file.message_types_by_name.values(), *file.enum_types_by_name.values())
        if (name := each.full_name) not in seen and each.name not in rows and name not in silent
    ]
    assert unknown == []


@each_pollen_module
def test_the_proto_services_offer_each_message_and_query_and_nothing_else(module: Module) -> None:
    offered = {
        (method.input_type.name, method.output_type.name)
        for file in proto_files(module)
        for service in file.services_by_name.values()
        for method in service.methods
    }
    ours = {(f"Msg{kind.__name__}", f"Msg{kind.__name__}Response") for kind in module.messages}
    ours |= {
        (f"Query{request.__name__}", f"Query{query.response.__name__}")
        for request, query in module.queries.items()
    }
    assert offered == ours


def test_every_proto_package_belongs_to_a_module_or_to_the_node() -> None:
    folders = {path.parent.parent.name for path in Path("proto/pollen").rglob("*.proto")}
    rest = folders - {module.name for module in POLLEN}
    assert rest == {"node", "gov"}  # Of gov what Cosmos' own package lacks.


@each_module
def test_everything_public_says_what_it_is(module: Module) -> None:
    things: list[Any] = [*(kind for kind, _ in named_records(module)), *module.events]
    things += [message.rule for message in module.messages.values()]
    things += [query.function for query in module.queries.values()]
    things += [*module.invariants, *rejections(module)]
    assert [thing for thing in things if not is_own_docstring(thing)] == []


@each_module
def test_the_reference_has_everything(module: Module) -> None:
    reference = REFERENCE.read_text()
    words = [f"`{table.name}`" for table in module.tables]
    words += [f"`{module.type_url(kind)}`" for kind in module.messages]
    words += [f"`{kind.__name__.removesuffix('Request')}`" for kind in module.queries]
    words += [f"`{getattr(kind, 'EVENT_TYPE', kind.__name__)}`" for kind in module.events]
    words += [f"| {kind.code} | {kind.__name__} |" for kind in rejections(module)]
    words += [f"`{field.name}`" for field in fields(module.params.record)] if module.params else []
    assert [word for word in words if word not in reference] == []


@each_module
def test_every_event_of_a_module_file_is_declared(module: Module) -> None:
    home = f"app.modules.{module.name}"
    files = [file for name, file in sys.modules.items() if f"{name}.".startswith(f"{home}.")]
    kinds = [kind for file in files for kind in vars(file).values() if is_dataclass(kind)]
    events = [kind for kind in kinds if hasattr(kind, "EVENT_TYPE")]
    own = [kind for kind in events if kind.__module__.startswith(home)]
    assert [kind for kind in own if kind not in module.events] == []


@each_module
def test_the_text_of_a_rejection_names_the_values_it_is_given(module: Module) -> None:
    for kind in rejections(module):
        names = [name for _, name, _, _ in string.Formatter().parse(kind.text) if name is not None]
        assert all(name.isidentifier() for name in names), kind


def test_the_example_in_the_readme_of_the_tests_passes() -> None:
    code = (Path(__file__).parent / "README.md").read_text().split("```python\n")[1].split("```")[0]
    names: dict[str, Any] = {}
    exec(code, names)
    for test in [value for name, value in names.items() if name.startswith("test_")]:
        test()
