"""What machines exchange with linkproof as JSON Schema (2020-12): the contract, the wire, and the results of a run."""

from __future__ import annotations

import functools
import inspect
import operator
from typing import Any

import msgspec
from msgspec import Struct

from harness.adapter import contract
from harness.adapter.contract import Answer, Create, Event, Hello, Request
from harness.reference import wire
from harness.report.results import Results

Schema = dict[str, Any]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_KINDS: dict[str, Any] = {
    "string": str,
    "number": int,
    "object": dict[str, Any],
    "object of strings": dict[str, str],
    "object of booleans": dict[str, bool],
    "list of strings": list[str],
    "sorted list of uids": list[str],
}


def schemas() -> dict[str, Schema]:
    """Return each schema by the name of its file."""
    return {
        "adapter-request.schema.json": _titled("A request, from linkproof to an adapter", _requests()),
        "adapter-answer.schema.json": _titled("An answer, from an adapter to linkproof", _answer()),
        "adapter-event.schema.json": _titled("An event, from an adapter to linkproof", _events()),
        "adapter-hello.schema.json": _titled("The result of 'hello', from an adapter", _hello()),
        "results.schema.json": _titled("results.json, in the folder of a run", msgspec.json.schema(Results)),
        "wire-client.schema.json": _titled("A frame of the client", msgspec.json.schema(wire.ClientFrame)),
        "wire-server.schema.json": _titled("A frame of the server", msgspec.json.schema(wire.ServerFrame)),
    }


def _titled(title: str, schema: Schema) -> Schema:
    return {"$schema": _DIALECT, "title": title, **_cleaned(schema)}


def _cleaned(told: Any) -> Any:
    """Return a schema with its descriptions as Python 3.13 has them: without the indentation of their docstrings."""
    if isinstance(told, dict):
        return {
            key: inspect.cleandoc(value) if key == "description" and isinstance(value, str) else _cleaned(value)
            for key, value in told.items()
        }
    return [_cleaned(each) for each in told] if isinstance(told, list) else told


def _requests() -> Schema:
    """Each request that an adapter may know; one of another ``call`` is a request too, answered 'unsupported'."""
    arguments: dict[str, Any] = {"hello": _args("hello", {}), "clock": _args("clock", {}), "create": Create}
    arguments |= {name: _args(name, args) for name, (args, _, _) in contract.CALLS.items()}
    return _union(Request, "call", arguments)


def _events() -> Schema:
    return _union(Event, "event", {name: _args(name, args) for name, args in contract.CALLBACKS.items()})


def _answer() -> Schema:
    schema = msgspec.json.schema(Answer)
    # What a Struct cannot say: one of the two, and not both.
    schema["$defs"]["Answer"]["oneOf"] = [{"required": ["result"]}, {"required": ["error"]}]
    for name in ("result", "error"):
        told = schema["$defs"]["Answer"]["properties"][name]
        told |= next(kind for kind in told.pop("anyOf") if kind["type"] != "null")
        del told["default"]
    return schema


def _hello() -> Schema:
    schema = msgspec.json.schema(Hello)
    told = schema["$defs"]["Hello"]["properties"]
    told["contract"]["const"] = contract.CONTRACT_VERSION
    told["capabilities"]["items"]["enum"] = list(contract.CAPABILITIES)
    told["heartbeat_s"] |= {"exclusiveMinimum": 0, "exclusiveMaximum": 4}
    told["retry_s"] |= {"exclusiveMinimum": 0, "exclusiveMaximum": 30}
    return schema


def _args(name: str, fields: dict[str, str]) -> type[Struct]:
    return msgspec.defstruct(
        f"{_capital(name)}Args",
        [(field, _KINDS[kind]) for field, kind in fields.items()],
        forbid_unknown_fields=True,
    )


def _union(kind: type[Struct], tag: str, arguments: dict[str, Any]) -> Schema:
    """Return a schema of this kind of message in which the tag decides which arguments there are."""
    messages = []
    for name, args in arguments.items():
        shared = [field for field in msgspec.structs.fields(kind) if field.name not in (tag, "args")]
        fields: list[tuple[str, Any]] = [(field.name, field.type) for field in shared]
        fields.append(("args", args))
        messages.append(msgspec.defstruct(f"{_capital(name)}{kind.__name__}", fields, tag_field=tag, tag=name))
    return msgspec.json.schema(functools.reduce(operator.or_, messages))


def _capital(name: str) -> str:
    return f"{name[0].upper()}{name[1:]}"
