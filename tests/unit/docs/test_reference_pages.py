"""Pages that list what the code has: nothing missing, nothing that is not there."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Iterable, Mapping

import msgspec
import pytest

from harness.adapter import contract, handshake, process
from harness.adapter.handshake import CLOCK_SAMPLES
from harness.cli import COMMANDS
from harness.errors import AdapterError, Blame
from harness.oracle.verdict import Verdict, worst
from harness.reference import agent, server_core, wire
from harness.reference.limits_core import ServerLimits
from harness.reference.server_effects import CloseCode
from harness.report.exit_codes import ExitCode, of_blame, of_verdict
from harness.spec.clauses import BY_ID
from harness.spec.profiles import RTM_1_0
from harness.spec.timing import Timing
from harness.world import engine
from proxies.link import Link
from tests.unit.docs.pages import ROOT, page

ARCHITECTURE = page("docs/architecture.md")
CONTRACT = page("docs/adapter-contract.md")
EXIT_CODES = page("docs/exit-codes.md")
FAULTS = page("docs/faults.md")
WIRE = page("docs/wire-protocol.md")


def listed(fields: Mapping[str, str]) -> str:
    return ", ".join(f"`{name}` {kind}" for name, kind in fields.items()) or "-"


# ------------------------------------------------------------------------------------------------ the adapter contract


def test_the_contract_page_has_each_call_with_its_arguments_its_result_and_its_capability() -> None:
    wanted = [
        [f"`{name}`", listed(args), listed(values), needs or "-"]
        for name, (args, values, needs) in contract.CALLS.items()
    ]
    assert CONTRACT.rows("Calls") == wanted


def test_the_contract_page_has_each_callback_with_its_arguments() -> None:
    assert CONTRACT.rows("Callbacks") == [[f"`{name}`", listed(args)] for name, args in contract.CALLBACKS.items()]


def test_the_contract_page_has_each_capability() -> None:
    assert [row[0] for row in CONTRACT.rows("Capabilities")] == [f"`{name}`" for name in contract.CAPABILITIES]


@pytest.mark.parametrize(
    ("heading", "kinds"),
    [
        ("Messages", (contract.Request, contract.Answer, contract.Event)),
        ("`hello`", (contract.Hello,)),
        ("`create`", (contract.Create,)),
    ],
)
def test_the_contract_page_has_each_field_of_each_message(heading: str, kinds: Iterable[type[msgspec.Struct]]) -> None:
    shown = [name for row in CONTRACT.rows(heading) for name in re.findall("`([^`]+)`", row[0])]
    assert shown == [field.name for kind in kinds for field in msgspec.structs.fields(kind)]


def test_the_numbers_of_the_contract_page_are_those_of_the_code() -> None:
    text = CONTRACT.text
    assert contract.LINE_BYTES_MAX == 1024 * 1024
    assert "A line is at most 1 MiB" in text
    assert f"answered within {process.ANSWER_S:g} s" in " ".join(text.split())
    assert f"exit, within {process.FINISH_S:g} s. SIGTERM follows, and {process.TERM_S:g} s later" in text
    assert f"more than {process.EVENTS_MAX} events" in text
    assert CLOCK_SAMPLES == 5
    assert "`clock`, five times" in text


@pytest.mark.parametrize("interval", ["heartbeat_s", "retry_s"])
def test_the_limits_of_the_declared_intervals_are_those_that_are_kept(interval: str) -> None:
    (cell,) = [row[2] for row in CONTRACT.rows("`hello`") if row[0] == f"`{interval}`"]
    (over, under) = re.findall(r"above (\d+), under (\d+)$", cell)[0]
    for seconds, taken in ((over, False), (f"{over}.001", True), (f"{int(under) - 1}.999", True), (under, False)):
        asked = contract.Hello(1, "sdk", "1", "go", 1.0, 1.0)
        hello = msgspec.to_builtins(asked) | {interval: float(seconds)}
        try:
            handshake.hello_of("alice", contract.Answer(1, 0, hello))
        except AdapterError:
            assert not taken
        else:
            assert taken


@pytest.mark.parametrize("name", ["README.md", "docs/adapter-contract.md"])
def test_the_conversations_are_allowed_by_the_contract(name: str) -> None:
    lines = [line for each in page(name).blocks if each.language == "json" for line in each.text.splitlines()]
    kinds = [_checked(line.encode()) for line in lines]
    assert {"Request", "Answer", "Event"} <= set(kinds)


def test_the_page_shows_a_reaction_that_the_contract_takes() -> None:
    block = CONTRACT.block("json", '"react"')
    asked, answered, *rest = block.splitlines()
    request = contract.decode_request(asked.encode())
    reaction = msgspec.convert(request.args, contract.Reaction)
    assert set(reaction.args) == set(contract.CALLS[reaction.call][0])
    assert json.loads(answered)["result"] == {"code": 0}
    assert f'"event": "{reaction.callback}"' in "".join(rest)


def _checked(line: bytes) -> str:
    fields = json.loads(line)
    if "call" in fields:
        request = contract.decode_request(line)
        arguments = set(contract.CALLS.get(request.call, ({},))[0])
        if request.call == "create":
            arguments = set(contract.Create.__struct_fields__)
        assert set(request.args) == arguments
        return "Request"
    message = contract.decode_from_adapter(line)
    if isinstance(message, contract.Answer) and message.result is not None and "contract" in message.result:
        hello = msgspec.convert(message.result, contract.Hello)
        assert hello.contract == contract.CONTRACT_VERSION
    return type(message).__name__


# ------------------------------------------------------------------------------------------------------- exit codes


def test_the_page_of_exit_codes_has_each_code_once() -> None:
    shown = [row[:2] for row in EXIT_CODES.rows("Exit codes") if row[0].isdigit()]
    assert shown == [[str(code.value), f"`{code.name}`"] for code in ExitCode]


def test_the_page_of_exit_codes_has_each_command() -> None:
    shown = {words[0] for row in EXIT_CODES.rows("By command") for words in commands_in(row[0])}
    assert shown == set(COMMANDS)


def commands_in(cell: str) -> list[list[str]]:
    return [span.removeprefix("linkproof ").split() for span in re.findall("`(linkproof [^`]+)`", cell)]


def test_the_excerpt_of_the_readme_has_rules_and_a_client_that_are() -> None:
    lines = page("README.md").block("text").splitlines()
    rules = [re.fullmatch(r"([A-Z]+-\d+) +PASS +\d+  (.*)", line) for line in lines]
    told = {found[1]: found[2] for found in rules if found}
    assert told == {name: BY_ID[name].text for name in told}
    assert lines[-1].startswith(f"PASS  {agent.NAME} {agent.VERSION} against {RTM_1_0.name}: ")


# How a scenario or a run can come out.
OF_RUNS = set(Verdict) - {Verdict.NOT_REACHED}


def test_the_readme_has_each_verdict_with_its_exit_code() -> None:
    shown = {row[0]: row[2] for row in page("README.md").rows("Verdicts")}
    errors = [of_blame(blame) for blame in Blame if of_verdict(Verdict.ERROR, blame) is not ExitCode.USAGE]
    wanted = {str(each): str(of_verdict(each, "").value) for each in OF_RUNS - {Verdict.ERROR}}
    assert shown == wanted | {"ERROR": f"{min(errors).value} to {max(errors).value}"}


def test_the_order_of_verdicts_is_that_of_the_judge() -> None:
    order = [Verdict(name) for name in re.findall(r"^\d\. `(\w+)`", EXIT_CODES.text, re.MULTILINE)]
    # A rule's own verdict has its place told in words.
    ((name, worse, better),) = re.findall(r"one more: `([^`]+)`, between `(\w+)` and `(\w+)`", EXIT_CODES.text)
    assert {*order, Verdict(name)} == set(Verdict)
    assert len(order) == len(OF_RUNS)
    order.insert(order.index(Verdict(better)), Verdict(name))
    assert order[order.index(Verdict(name)) - 1] == worse
    assert [worst(order[rank:]) for rank in range(len(order))] == order


# ----------------------------------------------------------------------------------------------------------- faults


def faults_of(link: type) -> dict[str, list[str]]:
    """The methods that make a fault, and their parameters."""
    methods = inspect.getmembers(link, inspect.isfunction)
    signatures = {name: inspect.signature(method) for name, method in methods}
    return {
        name: [each for each in signature.parameters if each != "self"]
        for name, signature in signatures.items()
        if signature.return_annotation in ("Fault", "Flap")
    }


def test_the_page_of_faults_has_each_fault_with_its_parameters() -> None:
    shown = re.findall(r"^### `(\w+)\((.*)\)`$", FAULTS.text, re.MULTILINE)
    assert len(shown) == len(dict(shown))
    assert {name: parameters.split(", ") if parameters else [] for name, parameters in shown} == faults_of(Link)


@pytest.mark.parametrize("name", sorted(faults_of(Link)))
def test_of_each_fault_the_page_says_what_happens_how_it_heals_and_what_proves_it(name: str) -> None:
    heading = next(line[4:] for line in FAULTS.text.splitlines() if line.startswith(f"### `{name}("))
    section = FAULTS.section(heading)
    if name == "refuse":
        assert "same as `cut()`" in section
        return
    assert all(f"- {part}" in section for part in ("Healing: ", "Proof: "))


def test_the_page_of_faults_names_what_a_scenario_can_use() -> None:
    of_scenarios = faults_of(engine.Link)
    assert of_scenarios
    for name, parameters in of_scenarios.items():
        assert f"`{name}`" in FAULTS.section("What a scenario can use")
        assert set(parameters) <= set(faults_of(Link)[name]), f"{name} takes what no link takes"


# -------------------------------------------------------------------------------------------------------- the wire


def frames(union: object) -> list[type[wire.Frame]]:
    kinds: list[type[wire.Frame]] = list(getattr(union, "__args__", ()))
    return kinds


@pytest.mark.parametrize(
    ("heading", "union"),
    [("Frames of the client", wire.ClientFrame), ("Frames of the server", wire.ServerFrame)],
)
def test_the_wire_page_has_each_frame_with_each_field_in_order(heading: str, union: object) -> None:
    shown = [row[:2] for row in WIRE.rows(heading)]
    wanted = {kind.__struct_config__.tag: msgspec.structs.fields(kind) for kind in frames(union)}
    assert [row[0] for row in shown] == [f"`{tag}`" for tag in wanted]
    for (tag, cell), fields in zip(shown, wanted.values(), strict=True):
        assert re.findall("`([^`]+)`", cell) == [field.name for field in fields], tag
        optional = re.findall("`([^`]+)`[^`]*?, optional", cell)
        assert optional == [field.name for field in fields if not field.required], tag


def test_the_wire_page_has_each_code_and_each_end_reason() -> None:
    names = [row[0] for row in WIRE.rows("Codes")]
    assert names == [f"`{each.value}`" for each in (*wire.Code, *wire.EndReason)]


def test_the_wire_page_has_each_close_code() -> None:
    codes = {*CloseCode, wire.WireError.INVALID, wire.WireError.TOO_BIG}
    assert [int(row[0]) for row in WIRE.rows("Close codes")] == sorted(codes)


def test_the_conversation_on_the_wire_page_is_made_of_frames() -> None:
    tags = [kind.__struct_config__.tag for kind in frames(wire.ClientFrame)]
    for line in WIRE.block("json").splitlines():
        of_client = json.loads(line)["type"] in tags
        frame = wire.decode_from_client(line) if of_client else wire.decode_from_server(line)
        assert json.loads(wire.encode(frame)) == json.loads(line), "what is left out by the code is left out here"


def test_the_numbers_of_the_wire_page_are_those_of_the_code() -> None:
    limits, text = ServerLimits(), " ".join(WIRE.text.split())
    assert limits.outbound_bytes_max == 1024 * 1024
    for said in (
        f"subprotocol `{wire.SUBPROTOCOL}`",
        f"at most {wire.FRAME_BYTES_MAX} bytes",
        f"object of up to {wire.ATTRIBUTES_MAX} names",
        f"list of up to {wire.UIDS_MAX} names",
        f"Without it within {server_core.FIRST_LOGIN_S:g} s",
        f"within {Timing().login_s:g} s, the server closes",
        f"{Timing().channels_max} channels of one session",
        f"{limits.members_max} members of one channel",
        f"{limits.requests_per_s} requests a second on one connection, {limits.requests_burst} at once",
        f"{limits.frames_per_s} frames of any kind a second on one connection, {limits.frames_burst} at once",
        f"{limits.connections_max} connections",
        f"{limits.sessions_max} sessions of one app id, {limits.tenants_max} app ids",
    ):
        assert said in text


def test_the_values_of_the_wire_page_have_the_lengths_of_the_code() -> None:
    schema = json.dumps(msgspec.json.schema(wire.ClientFrame))
    told = {row[0]: row[1] for row in WIRE.rows("Values")}
    for value, bound in (("name", 64), ("secret", 128), ("token", 4096), ("text", 32 * 1024), ("attributes", 1024)):
        assert f'"maxLength": {bound}' in schema
        assert f"{bound} characters" in told[value]
    assert f'"maximum": {2**53 - 1}' in schema
    assert str(2**53 - 1) in told["id"]
    assert str(2**53 - 1) in told["count"]


# ----------------------------------------------------------------------------------------------------------- rooms


def test_the_page_of_architecture_names_rooms_that_are_there() -> None:
    named = [span for row in ARCHITECTURE.rows("Which room holds what") for span in re.findall("`(.*?)`", row[0])]
    places = [ROOT, ROOT / "harness", ROOT / "harness" / "world"]
    assert [name for name in named if not any((place / name).exists() for place in places)] == []


def test_the_page_of_architecture_has_each_file_of_the_world() -> None:
    told = {name for row in ARCHITECTURE.rows("The world, file by file") for name in re.findall("`(.*?)`", row[0])}
    assert told == {path.name for path in (ROOT / "harness" / "world").glob("*.py")} - {"__init__.py"}
