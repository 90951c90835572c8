"""The client names no route, parameter or field that the OpenAPI documents do not have."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import msgspec.inspect as m
import pytest

from callsheet.api.compat.contract import write_contract
from callsheet.api.v1.app import build
from client.planned import planned
from house.tree import page

NAMES = {
    m.StrType: "string", m.IntType: "integer", m.FloatType: "number", m.BoolType: "boolean", m.NoneType: "null",
    m.StructType: "object", m.DictType: "object", m.VarTupleType: "array", m.DateTimeType: "string",
}  # fmt: skip
CALLS = {name: (call, paged) for name, call, paged in planned() if name != "call"}


def anonymous(path: str) -> str:
    """Return a path as every generation of the pages names it."""
    return re.sub(r"{\w+}", "{}", path)


@pytest.fixture(scope="module")
def contracts() -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    compat = write_contract()
    compat["paths"] = {anonymous(path): operations for path, operations in compat["paths"].items()}
    return build(None).openapi(), compat


@pytest.mark.parametrize("name", CALLS)
def test_the_path_of_a_call_and_what_it_asks_are_in_the_contract(contracts, name):
    call, _ = CALLS[name]
    operation = operation_of(contracts, name)

    assert set(call.names) | {"app"} == set(re.findall(r"{(\w+)}", call.path))
    assert call.query.keys() <= in_query(operation)


@pytest.mark.parametrize("name", [name for name in CALLS if not name.startswith("compat.")])
def test_what_a_call_sends_and_reads_is_in_the_contract(contracts, name):
    call, paged = CALLS[name]
    operation, schemas = operation_of(contracts, name), contracts[0]["components"]["schemas"]
    answer = next(one for status, one in operation["responses"].items() if status.startswith("2")).get("content", {})

    if call.upload is not None:
        assert call.upload.content_type in operation["requestBody"]["content"]
    elif call.body is not None:
        body = operation["requestBody"]["content"]["application/json"]["schema"]
        assert not list(body_faults(msgspec.to_builtins(call.body), body, schemas))
    if call.save_to is not None:
        assert "text/csv" in answer
    elif call.answer is type(None):
        assert (call.method, answer) == ("DELETE", {})
    else:
        schema = answer["application/json"]["schema"]
        assert not list(answer_faults(m.type_info(call.answer), schema, schemas))
        follows = resolve(schema, schemas)["properties"].get("next") if paged else None
        assert not paged or "after" in in_query(operation) or follows["type"] == "null"


def operation_of(contracts: Any, name: str) -> Any:
    call, _ = CALLS[name]
    is_compat = name.startswith("compat.")
    path = anonymous(call.path) if is_compat else call.path
    return contracts[is_compat]["paths"][path][call.method.lower()]


def in_query(operation: Any) -> set[str]:
    return {one["name"] for one in operation.get("parameters", ()) if one["in"] == "query"}


def resolve(schema: Any, schemas: Any) -> Any:
    return schemas[schema["$ref"].rsplit("/", 1)[1]] if "$ref" in schema else schema


def options(schema: Any, schemas: Any) -> list[Any]:
    """Return what a schema allows, one by one."""
    schema = resolve(schema, schemas)
    return [one for each in schema["anyOf"] for one in options(each, schemas)] if "anyOf" in schema else [schema]


def body_faults(value: Any, schema: Any, schemas: Any, place: str = "") -> Iterator[str]:
    """Yield each field of a body that the API does not know, or misses."""
    for one in options(schema, schemas):
        if isinstance(value, dict) and "properties" in one:
            known = one["properties"]
            strange = value.keys() - known.keys() if one.get("additionalProperties") is False else ()
            yield from (f"{place}.{name} means nothing" for name in strange)
            yield from (f"{place}.{name} is missing" for name in set(one.get("required", ())) - value.keys())
            for name in value.keys() & known.keys():
                yield from body_faults(value[name], known[name], schemas, f"{place}.{name}")
        elif isinstance(value, list) and one.get("type") == "array":
            yield from body_faults(value[0], one["items"], schemas, f"{place}[]")


def answer_faults(kind: m.Type, schema: Any, schemas: Any, place: str = "") -> Iterator[str]:
    """Yield where a type would misread what the API answers."""
    kinds = kind.types if isinstance(kind, m.UnionType) else (kind,)
    for one in options(schema, schemas):
        # Of those that it may be, the one that comes nearest.
        yield from min((list(faults(each, one, schemas, place)) for each in kinds), key=len)


def faults(kind: m.Type, schema: Any, schemas: Any, place: str) -> Iterator[str]:
    said = schema.get("type", "string" if "enum" in schema or "const" in schema else "anything")
    if not isinstance(kind, m.AnyType) and NAMES[type(kind)] != said:
        yield f"{place} is {said}, not {NAMES[type(kind)]}"
        return
    match kind:
        case m.StructType(fields=fields):
            for field in fields:
                yield from field_faults(field, schema, schemas, place)
        case m.VarTupleType(item_type=item):
            yield from answer_faults(item, schema["items"], schemas, f"{place}[]")
        case m.DictType(value_type=value) if isinstance(schema.get("additionalProperties"), dict):
            yield from answer_faults(value, schema["additionalProperties"], schemas, f"{place}{{}}")


def field_faults(field: m.Field, schema: Any, schemas: Any, place: str) -> Iterator[str]:
    name = field.encode_name
    inner = schema.get("properties", {}).get(name)
    if inner is None:
        yield f"{place}.{name} is not there"
        return
    if field.required and name not in schema.get("required", ()):
        yield f"{place}.{name} may be missing"
    yield from answer_faults(field.type, inner, schemas, f"{place}.{name}")


def test_the_table_has_all_that_a_program_needs():
    nouns = {name.rsplit(".", 1)[0] for name in CALLS}

    assert nouns == {
        "compat.campaigns", "compat.contact_lists", "templates", "flows", "contact_lists", "dnc_lists", "opt_outs",
        "imports", "campaigns", "runs", "queues", "senders", "sending", "settings", "webhooks", "sandbox",
    }  # fmt: skip


TEXT = {"type": "string"}


@pytest.mark.parametrize(
    ("properties", "required", "wrong"),
    [
        ({}, [], ".id is not there"),
        ({"id": {"type": "integer"}}, ["id"], ".id is integer, not string"),
        ({"id": TEXT}, [], ".id may be missing"),
        ({"id": {"anyOf": [TEXT, {"type": "null"}]}}, ["id"], ".id is null, not string"),
    ],
)
def test_the_comparison_sees_an_answer_that_would_be_misread(properties, required, wrong):
    class Thing(msgspec.Struct):
        id: str

    schema = {"type": "object", "properties": properties, "required": required}
    assert list(answer_faults(m.type_info(Thing), schema, {})) == [wrong]


def test_the_comparison_sees_a_body_that_would_be_refused():
    schema = {"properties": {"name": TEXT}, "required": ["name"], "additionalProperties": False}

    assert set(body_faults({"nam": "x"}, schema, {})) == {".nam means nothing", ".name is missing"}


def test_the_page_on_the_client_lists_every_call():
    rows = re.findall(r"^\| `([a-z_.]+)` \| ((?:`\w+` ?)+)\|$", page("docs/reference/client.md"), re.MULTILINE)
    told = {f"{noun}.{verb}" for noun, verbs in rows for verb in re.findall(r"`(\w+)`", verbs)}

    assert told == set(CALLS)
