"""The client names every operation, parameter and field of the OpenAPI documents, and none that they do not have."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import msgspec.inspect as m
import pytest

from callsheet.api.compat.contract import ROWS, write_contract
from callsheet.client.v1.schedules import EveryDay, EveryMonth, EveryWeek, EveryYear
from client.planned import planned, sample
from contracts import our_contract
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
    return our_contract(), compat


@pytest.mark.parametrize("name", CALLS)
def test_the_path_of_a_call_and_what_it_asks_are_in_the_contract(contracts, name):
    call, _ = CALLS[name]
    operation = operation_of(contracts, name)

    assert set(call.names) == set(re.findall(r"{(\w+)}", call.path)) - {"app"}
    assert call.query.keys() <= in_query(operation)


@pytest.mark.parametrize("name", [name for name in CALLS if not name.startswith("compat.")])
def test_what_a_call_sends_and_reads_is_in_the_contract(contracts, name):
    call, paged = CALLS[name]
    operation, schemas = operation_of(contracts, name), contracts[0]["components"]["schemas"]
    answer = next(one for status, one in operation["responses"].items() if status.startswith("2")).get("content", {})

    assert call.query.keys() | ({"after"} if paged else set()) >= in_query(operation)
    if call.upload is not None:
        assert call.upload.content_type in operation["requestBody"]["content"]
    elif call.body is not None:
        body = operation["requestBody"]["content"]["application/json"]["schema"]
        assert not list(body_faults(msgspec.to_builtins(call.body), body, schemas))
    if call.save_to is not None:
        assert answer.keys() & {"text/csv", "audio/wav"}
    elif call.answer is type(None):
        assert answer == {}
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
    several = schema.get("anyOf") or schema.get("oneOf")
    return [one for each in several for one in options(each, schemas)] if several else [schema]


def body_faults(value: Any, schema: Any, schemas: Any, place: str = "") -> Iterator[str]:
    """Yield each field of a body that the API does not know, and each of its own that there is no way to send."""
    if isinstance(value, dict):
        objects = [one for one in options(schema, schemas) if "properties" in one]
        # Of those that it may be, the one that comes nearest.
        yield from min((list(object_faults(value, one, schemas, place)) for one in objects), key=len, default=())
    elif isinstance(value, list):
        for one in options(schema, schemas):
            if one.get("type") == "array":
                yield from body_faults(value[0], one["items"], schemas, f"{place}[]")


def object_faults(value: dict[str, Any], schema: Any, schemas: Any, place: str) -> Iterator[str]:
    known = schema["properties"]
    if "const" in known.get("every", ()) and known["every"]["const"] != value.get("every"):
        yield f"{place}.every says another thing"
    strange = value.keys() - known.keys() if schema.get("additionalProperties") is False else ()
    yield from (f"{place}.{name} means nothing" for name in strange)
    yield from (f"{place}.{name} is missing" for name in known.keys() - value.keys())
    for name in value.keys() & known.keys():
        yield from body_faults(value[name], known[name], schemas, f"{place}.{name}")


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
            for name in schema.get("properties", {}).keys() - {field.encode_name for field in fields}:
                yield f"{place}.{name} is not read"
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


LEFT_TO_CALL = {
    ("POST", "/v1/sessions"): "browsers sign in; programs sign tokens",
    ("GET", "/v1/sessions/current"): "of a browser's cookie",
    ("DELETE", "/v1/sessions/current"): "of a browser's cookie",
    ("PUT", "/v1/sessions/current/password"): "of a browser's cookie",
    ("POST", "/v1/setup"): "of the one-time link that a new server prints",
    ("GET", "/agentassist/api/v1/public/{}/campaign/contactList/getAllListDetails"): "POST answers the same",
}
"""Operations without a method, and why; of a documented one the first path."""


def operations() -> Iterator[set[tuple[str, str]]]:
    """Yield each operation of either document, under all paths that it has."""
    for path, methods in our_contract()["paths"].items():
        yield from ({(method.upper(), path)} for method in methods)
    for row in ROWS:
        yield {(row.method, anonymous(path)) for path in row.paths}


def test_every_operation_has_a_method_unless_it_says_why_not():
    made = {(call.method, call.path) for call, _ in CALLS.values()}
    made |= {(method, anonymous(path)) for method, path in made}
    untyped = [operation for operation in operations() if not operation & made]

    assert not [operation for operation in untyped if not operation & LEFT_TO_CALL.keys()]
    assert len(untyped) == len(LEFT_TO_CALL)


@pytest.mark.parametrize("repeat", [EveryDay, EveryWeek, EveryMonth, EveryYear])
def test_every_recurrence_is_in_the_contract(contracts, repeat):
    schemas = contracts[0]["components"]["schemas"]

    assert not list(body_faults(sample(repeat), schemas["NewSchedule"]["properties"]["repeat"], schemas))


TEXT = {"type": "string"}


@pytest.mark.parametrize(
    ("properties", "required", "wrong"),
    [
        ({}, [], ".id is not there"),
        ({"id": {"type": "integer"}}, ["id"], ".id is integer, not string"),
        ({"id": TEXT}, [], ".id may be missing"),
        ({"id": TEXT, "name": TEXT}, ["id"], ".name is not read"),
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
