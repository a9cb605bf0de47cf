"""The OpenAPI document of the REST gateway, made from the proto files' descriptors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor

from app.node.config import VERSION
from app.wire.amino import WIDE, is_list

DEPTH_MAX = 2
"""Of messages within a request whose fields are parameters, such as `pagination.limit`."""
KNOWN_TYPES: dict[str, dict[str, Any]] = {
    "google.protobuf.Any": {
        "type": "object",
        "properties": {"@type": {"type": "string"}},
        "additionalProperties": True,
    },
    "google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
    "google.protobuf.Duration": {"type": "string", "example": "3600s"},
}
ERROR = {
    "type": "object",
    "properties": {
        "code": {"type": "integer"},
        "message": {"type": "string"},
        "details": {"type": "array", "items": {}},
    },
}


def make_openapi(routes: Sequence[tuple[str, str, Any]]) -> dict[str, Any]:
    """Return the document of some ways to ask: verb, path, the method's descriptor."""
    schemas: dict[str, Any] = {"Error": ERROR}
    paths: dict[str, dict[str, Any]] = {}
    for verb, template, method in routes:
        path = template.replace("=**", "")
        paths.setdefault(path, {})[verb.lower()] = operation(verb, path, method, schemas)
    return {
        "openapi": "3.0.3",
        "info": {"title": "Pollen", "version": VERSION},
        "paths": paths,
        "components": {"schemas": schemas},
    }


def operation(verb: str, path: str, method: Any, schemas: dict[str, Any]) -> dict[str, Any]:
    """Return what one method takes and answers; what it names is described, too."""
    described: dict[str, Any] = {
        "operationId": method.full_name,
        "tags": [method.containing_service.full_name],
        "responses": {
            "200": content(reference(method.output_type, schemas), "The answer."),
            "default": content({"$ref": "#/components/schemas/Error"}, "Why there is none."),
        },
    }
    if verb == "POST":
        body = content(reference(method.input_type, schemas), "")
        described["requestBody"] = {"content": body["content"], "required": True}
    else:
        described["parameters"] = list(parameters(method.input_type, path))
    return described


def content(schema: dict[str, Any], description: str) -> dict[str, Any]:
    """Return JSON of a schema."""
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def parameters(
    descriptor: Descriptor, path: str, outer: str = "", depth: int = 0
) -> Iterator[dict[str, Any]]:
    """Walk a request's fields as parameters."""
    for field in descriptor.fields:
        name = f"{outer}{field.name}"
        if field.message_type is not None:
            if depth < DEPTH_MAX and not is_list(field):
                yield from parameters(field.message_type, path, f"{name}.", depth + 1)
            continue
        is_in_path = f"{{{name}}}" in path
        yield {
            "name": name,
            "in": "path" if is_in_path else "query",
            "required": is_in_path,
            "schema": schema_of(field, {}),
        }


def reference(descriptor: Descriptor, schemas: dict[str, Any]) -> dict[str, Any]:
    """Return where a message is described, having described it."""
    name = descriptor.full_name
    if name in KNOWN_TYPES:
        return KNOWN_TYPES[name]
    if name not in schemas:
        schemas[name] = {"type": "object", "properties": {}}
        for field in descriptor.fields:
            schemas[name]["properties"][field.name] = schema_of(field, schemas)
    return {"$ref": f"#/components/schemas/{name}"}


def schema_of(field: FieldDescriptor, schemas: dict[str, Any]) -> dict[str, Any]:
    """Return what a field holds."""
    if field.message_type is not None:
        schema = reference(field.message_type, schemas)
    elif field.enum_type is not None:
        schema = {"type": "string", "enum": [value.name for value in field.enum_type.values]}
    elif field.type == FieldDescriptor.TYPE_BOOL:
        schema = {"type": "boolean"}
    elif field.type == FieldDescriptor.TYPE_BYTES:
        schema = {"type": "string", "format": "byte"}
    elif field.cpp_type in WIDE:
        is_signed = field.cpp_type == FieldDescriptor.CPPTYPE_INT64
        schema = {"type": "string", "format": "int64" if is_signed else "uint64"}
    elif field.type == FieldDescriptor.TYPE_STRING:
        schema = {"type": "string"}
    else:
        schema = {"type": "integer"}
    return {"type": "array", "items": schema} if is_list(field) else schema
