"""The made parts of the pages and the schemas: fresh, and saying what the code does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from harness.adapter import contract, handshake
from harness.adapter.contract import Answer, Hello
from harness.errors import AdapterError, HarnessError
from harness.pages.__main__ import made, main
from harness.pages.markers import fill
from harness.pages.schemas import schemas
from tests.unit.docs.pages import ROOT, page

Schema = dict[str, Any]
SCHEMAS = {name: json.loads(json.dumps(schema)) for name, schema in schemas().items()}
NOT_OF_THE_VALUE = ("1.0", "1e0", "\\ud800")
FRAMES = json.loads((ROOT / "docs" / "vectors" / "frames.json").read_text(encoding="utf-8"))


def breaks(schema: Schema, value: Any, root: Schema) -> str:
    """Why a value is none by this schema, or nothing: as much of JSON Schema as the files here use."""
    if "$ref" in schema:
        return breaks(root["$defs"][schema["$ref"].removeprefix("#/$defs/")], value, root)
    if "anyOf" in schema:
        reasons = [breaks(each, value, root) for each in schema["anyOf"]]
        return "" if not all(reasons) else "; ".join(reasons)
    if "oneOf" in schema and [breaks(each, value, root) for each in schema["oneOf"]].count("") != 1:
        return "not just one of those"
    if "enum" in schema and value not in schema["enum"]:
        return f"{value!r} is none of {schema['enum']}"
    if "const" in schema and value != schema["const"]:
        return f"{value!r} is not {schema['const']!r}"
    if "type" in schema and not is_a(schema["type"], value):
        return f"{value!r} is no {schema['type']}"
    if isinstance(value, str | list | dict):
        return breaks_inside(schema, value, root)
    if isinstance(value, int | float) and not isinstance(value, bool):
        over, under = schema.get("exclusiveMinimum", value - 1), schema.get("exclusiveMaximum", value + 1)
        fits = schema.get("minimum", value) <= value <= schema.get("maximum", value) and over < value < under
        return "" if fits else f"{value} is out of bounds"
    return ""


def is_a(kind: str, value: Any) -> bool:
    kinds = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None), "integer": int}
    if kind == "number":
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, kinds[kind]) and (kind != "integer" or not isinstance(value, bool))


def breaks_inside(schema: Schema, value: str | list[Any] | dict[str, Any], root: Schema) -> str:
    sizes = {str: ("minLength", "maxLength"), list: ("minItems", "maxItems"), dict: ("minProperties", "maxProperties")}
    least, most = sizes[type(value)]
    if not schema.get(least, 0) <= len(value) <= schema.get(most, len(value)):
        return f"{len(value)} of {value!r}"
    if isinstance(value, list):
        return next(filter(None, (breaks(schema.get("items", {}), each, root) for each in value)), "")
    if isinstance(value, dict):
        told = schema.get("properties", {})
        if missing := [name for name in schema.get("required", ()) if name not in value]:
            return f"without {missing}"
        rest = schema.get("additionalProperties", True)
        for name, each in value.items():
            if name not in told and rest is False:
                return f"{name!r} is unknown"
            inside = told.get(name, rest if isinstance(rest, dict) else {})
            if why := breaks(schema.get("propertyNames", {}), name, root) or breaks(inside, each, root):
                return why
    return ""


def wrong(name: str, value: Any) -> str:
    return breaks(SCHEMAS[name], value, SCHEMAS[name])


# ------------------------------------------------------------------------------------------------------------ freshness


def test_what_is_made_is_fresh() -> None:
    stale = [path.name for path, text in made(ROOT / "docs").items() if path.read_text(encoding="utf-8") != text]
    assert stale == [], "run 'make docs' and commit what it writes"


def test_no_schema_is_left_from_before() -> None:
    assert {path.name for path in (ROOT / "docs" / "schema").iterdir()} == set(SCHEMAS)


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """What the made parts are made from and go into, in a folder of its own; without the schemas."""
    for name in ("adapter-contract.md", "wire-protocol.md", "vectors/conversations.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes((ROOT / "docs" / name).read_bytes())
    return tmp_path


def test_what_is_stale_is_found_and_mended(copied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--check", str(copied)]) == 1
    assert "wire-client.schema.json is stale" in capsys.readouterr().err
    assert main([str(copied)]) == 0
    assert main(["--check", str(copied)]) == 0
    path = copied / "adapter-contract.md"
    path.write_text(path.read_text(encoding="utf-8").replace("counts up from 1", "counts down"), encoding="utf-8")
    assert main(["--check", str(copied)]) == 1
    assert "adapter-contract.md is stale" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["--check"], ["docs", "docs"], ["--chek"]])
def test_a_wrong_command_line_changes_nothing(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    assert "usage" in capsys.readouterr().err


def test_prose_around_the_markers_stays_and_a_part_is_no_template() -> None:
    text = "before\n<!-- a: made by x -->\nold\n<!-- a: end -->\nafter\n"
    assert fill(text, {"a": r"\1 new"}) == "before\n<!-- a: made by x -->\n\n\\1 new\n\n<!-- a: end -->\nafter\n"


@pytest.mark.parametrize("text", ["none", "<!-- a: made by x -->\n<!-- a: end -->\n" * 2])
def test_markers_that_are_missing_or_twice_there_are_found(text: str) -> None:
    with pytest.raises(HarnessError, match="markers of 'a'"):
        fill(text, {"a": ""})


# ------------------------------------------------------------------------------------------------------------- schemas


@pytest.mark.parametrize("vector", [each for each in FRAMES if "frame" in each], ids=lambda each: each["says"])
def test_the_schema_of_a_frame_takes_what_the_wire_takes(vector: dict[str, Any]) -> None:
    name = f"wire-{vector['from']}.schema.json"
    assert wrong(name, vector["frame"]) == ""
    assert wrong(name, json.loads(vector["text"])) == ""


def shows_in_the_value(vector: dict[str, Any]) -> bool:
    """Whether what is wrong is the value; how it is written, and how long, no schema can see."""
    if "frame" in vector or "padded_to_bytes" in vector or any(each in vector["text"] for each in NOT_OF_THE_VALUE):
        return False
    try:
        json.loads(vector["text"])
    except ValueError:
        return False
    return True


@pytest.mark.parametrize("vector", [each for each in FRAMES if shows_in_the_value(each)], ids=lambda each: each["why"])
def test_the_schema_of_a_frame_refuses_what_the_wire_refuses(vector: dict[str, Any]) -> None:
    assert wrong(f"wire-{vector['from']}.schema.json", json.loads(vector["text"])) != ""


def test_the_schemas_of_the_contract_take_the_conversations_of_its_page() -> None:
    lines = [
        line
        for each in page("docs/adapter-contract.md").blocks
        if each.language == "json"
        for line in each.text.splitlines()
    ]
    seen = set()
    for line in lines:
        message = json.loads(line)
        kind = "request" if "call" in message else "event" if "event" in message else "answer"
        if message.get("call") != handshake.UNKNOWN_CALL:
            assert wrong(f"adapter-{kind}.schema.json", message) == "", line
            seen.add(kind)
    assert seen == {"request", "answer", "event"}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("request", {"id": 1, "call": "login", "args": {"token": "t"}}),
        ("request", {"id": 1, "call": "linkproof-no-such-call", "args": {}}),
        ("answer", {"id": 1, "at_ns": 5}),
        ("answer", {"id": 1, "at_ns": 5, "result": {}, "error": "both"}),
        ("answer", {"id": 1, "at_ns": 5, "result": None}),
        ("event", {"event": "onLogout", "at_ns": 5, "args": {}}),
        ("event", {"event": "onLogout", "at_ns": 5, "args": {"code": 0, "why": "x"}}),
        ("event", {"event": "onLogout", "at_ns": 5, "args": {"code": "0"}}),
        ("event", {"event": "onSomething", "at_ns": 5, "args": {}}),
    ],
)
def test_the_schemas_of_the_contract_refuse_what_it_does_not_allow(name: str, message: dict[str, Any]) -> None:
    assert wrong(f"adapter-{name}.schema.json", message) != ""


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"heartbeat_s": 0},
        {"heartbeat_s": 4.0},
        {"heartbeat_s": 3.999},
        {"retry_s": 0.0},
        {"retry_s": 30},
        {"retry_s": 29.999},
        {"capabilities": ["teleport"]},
        {"capabilities": list(contract.CAPABILITIES)},
        {"contract": 2},
        {"name": None},
    ],
)
def test_the_schema_of_hello_takes_what_the_handshake_takes(change: dict[str, Any]) -> None:
    hello = msgspec.to_builtins(Hello(contract.CONTRACT_VERSION, "sdk", "1", "go", 1.0, 1.0)) | change
    try:
        handshake.hello_of("alice", Answer(1, 0, hello))
    except AdapterError:
        assert wrong("adapter-hello.schema.json", hello) != ""
    else:
        assert wrong("adapter-hello.schema.json", hello) == ""
