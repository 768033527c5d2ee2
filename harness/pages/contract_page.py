"""The tables of docs/adapter-contract.md: each message, call, callback and capability, from the contract itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec
from msgspec import Struct

from harness.adapter.contract import CALLBACKS, CALLS, COVERED_BY, Answer, Create, Event, Hello, Request
from harness.pages.markers import table

_WORDS = {
    "integer": "number",
    "number": "number",
    "string": "string",
    "boolean": "boolean",
    "object": "object",
    "array": "list of strings",
}


def parts() -> dict[str, str]:
    """Return the made parts of the page, by the name in their markers."""
    return {
        "request": fields_of(Request),
        "answer": fields_of(Answer),
        "event": fields_of(Event),
        "hello": fields_of(Hello),
        "create": fields_of(Create),
        "calls": table(
            ("call", "arguments", "result beside `code`", "capability"),
            [
                (f"`{name}`", _listed(args), _listed(values), needs or "-")
                for name, (args, values, needs) in CALLS.items()
            ],
        ),
        "callbacks": table(("event", "arguments"), [(f"`{name}`", _listed(args)) for name, args in CALLBACKS.items()]),
        "capabilities": table(
            ("capability", "what it covers", "calls"),
            [(f"`{name}`", covered, _calls_that_need(name)) for name, covered in COVERED_BY.items()],
        ),
    }


def fields_of(kind: type[Struct]) -> str:
    """Return a message as a table of its fields."""
    schema = msgspec.json.schema(kind)["$defs"][kind.__name__]["properties"]
    return table(
        ("field", "type", "what it is"),
        [(f"`{name}`", _word(told), told["description"]) for name, told in schema.items()],
    )


def _word(told: Mapping[str, object]) -> str:
    """Return the type of a field; one that may be left out has a 'null' beside it."""
    kinds = told.get("anyOf", [told])
    assert isinstance(kinds, list)
    (word,) = {_WORDS[each["type"]] for each in kinds if each["type"] != "null"}
    return word


def _listed(fields: Mapping[str, str]) -> str:
    return ", ".join(f"`{name}` {kind}" for name, kind in fields.items()) or "-"


def _calls_that_need(capability: str) -> str:
    needing: Iterable[str] = (name for name, (_, _, needs) in CALLS.items() if needs == capability)
    return ", ".join(f"`{name}`" for name in needing)
