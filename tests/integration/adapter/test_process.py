"""Children that break the contract in every way: each gives one error that says what, why and how to mend it."""

from __future__ import annotations

import asyncio
import gc
import os
import resource
import signal
import time
from typing import TYPE_CHECKING

import pytest

from harness.adapter import process as process_module
from harness.adapter.contract import LINE_BYTES_MAX
from harness.errors import AdapterError, HostError

if TYPE_CHECKING:
    from tests.integration.adapter.conftest import Nursery, RunInNursery

OBEDIENT = "while True: answer(read())"


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("no-such-command", "No such file or directory"),
        ("/no/such/file", "No such file or directory"),
        ("/etc/passwd", "Permission denied"),
        ("/", "Permission denied"),
    ],
)
def test_a_command_that_cannot_be_started(run_in_nursery: RunInNursery, command: str, why: str) -> None:
    async def test(nursery: Nursery) -> None:
        with pytest.raises(AdapterError, match=f"^adapter: alice: cannot start '{command}': {why}\n") as raised:
            await nursery.start_command(command, "and", "more")
        assert raised.value.why == "it is started as it stands, without a shell"
        assert raised.value.mend == "check the path, and that it may be executed"
        assert nursery.failures == []

    run_in_nursery(test)


def test_a_host_that_has_nothing_left_is_not_the_adapters_fault(run_in_nursery: RunInNursery) -> None:
    async def test(nursery: Nursery) -> None:
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        os.close(lowest_free := os.dup(0))
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free + 3, hard))
            with pytest.raises(HostError, match="no process can be started any more: Too many open files"):
                await nursery.start_command("cat")
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    run_in_nursery(test)


@pytest.mark.parametrize("turns", range(1, 8))
def test_a_start_that_is_cancelled_leaves_nothing_open(run_in_nursery: RunInNursery, turns: int) -> None:
    async def test(nursery: Nursery) -> None:
        starting = asyncio.create_task(nursery.start(OBEDIENT))
        for _ in range(turns):
            await asyncio.sleep(0)
        starting.cancel()
        await asyncio.wait({starting})
        assert starting.cancelled() or nursery.started
        gc.collect()  # what was left open is told by a warning, which is an error here

    run_in_nursery(test)


@pytest.mark.parametrize(
    ("program", "found"),
    [
        ("sys.exit(3)", "it exited with code 3 while it was still needed"),
        ("read(); sys.exit(0)", "it exited with code 0 while it was still needed"),
        ("read(); os.kill(os.getpid(), signal.SIGKILL)", "it ended by signal 9 while it was still needed"),
        ("read(); os.kill(os.getpid(), signal.SIGSEGV)", "it ended by signal 11 while it was still needed"),
        (
            "print('starting', file=sys.stderr); read(); sys.exit('no licence found')",
            "it exited with code 1 while it was still needed; its last words: no licence found",
        ),
        (
            "read(); sys.stderr.buffer.write(b'\\xff\\n\\n'); sys.exit(4)",
            "it exited with code 4 while it was still needed; its last words: \\xff",
        ),
        (
            "read(); print('{\"id\":1,\"at_', end='', flush=True); sys.exit(5)",
            'it exited with code 5 while it was still needed, in the middle of the line {"id":1,"at_',
        ),
        (
            "read(); subprocess.Popen(['sleep', '1000'], stderr=subprocess.DEVNULL); sys.exit(6)",
            "it exited with code 6 while it was still needed",
        ),
        ("read(); os.close(1); time.sleep(1000)", "it closed its standard output"),
    ],
    ids=["code", "code 0", "SIGKILL", "SIGSEGV", "last words", "no text", "half a line", "left a child", "closed"],
)
def test_it_ends_while_it_is_needed(run_in_nursery: RunInNursery, program: str, found: str) -> None:
    async def test(nursery: Nursery) -> None:
        process = await nursery.start(program)
        error = await nursery.failure_of(process)
        assert error.found == f"alice: {found}"
        assert nursery.failures == [error]

    run_in_nursery(test)


@pytest.mark.parametrize(
    ("program", "found", "why"),
    [
        (
            "print('Listening on port 80', flush=True)",
            "a line that the contract does not allow: Listening on port 80",
            "malformed",
        ),
        (
            "os.write(1, b'\\xff\\xfe\\n')",
            "a line that the contract does not allow: \\xff\\xfe",
            "malformed",
        ),
        ("os.write(1, b'\\n')", "a line that the contract does not allow: ", "truncated"),
        (
            "os.write(1, b'{\"x\":' + b'[' * 500_000 + b'\\n')",
            'a line that the contract does not allow: {"x":[[[[',
            "recursion",
        ),
        (
            "event('onTokenLost')",
            'a line that the contract does not allow: {"event": "onTokenLost"',
            "no callback is called 'onTokenLost'; there are onLoginSuccess, ",
        ),
        (
            "write(id=77, at_ns=1, result={})",
            "an answer to a request that was never made, 77",
            "each request is answered once, with its own id",
        ),
        (
            "write(id=0, at_ns=1, result={})",
            "an answer to a request that was never made, 0",
            "each request is answered once, with its own id",
        ),
        (
            f"os.write(1, b'x' * {LINE_BYTES_MAX + 1}); print()",
            f"a line of over {LINE_BYTES_MAX} bytes on standard output",
            "no message is longer",
        ),
        (
            "while True: os.write(1, b'x' * 65536)",
            f"a line of over {LINE_BYTES_MAX} bytes on standard output",
            "no message is longer",
        ),
        ("while True: os.write(1, b'y\\n' * 32768)", "a line that the contract does not allow: y", "malformed"),
        (
            'line = b\'{"event":"onTokenExpired","at_ns":1}\\n\'\nwhile True: os.write(1, line * 1000)',
            f"it called back more than {process_module.EVENTS_MAX} times",
            "no scenario gives it occasion to",
        ),
    ],
    ids=["text", "bytes", "empty", "deep", "name", "77", "0", "long", "endless", "flood", "flood of events"],
)
def test_it_says_what_the_contract_does_not_allow(
    run_in_nursery: RunInNursery, program: str, found: str, why: str
) -> None:
    async def test(nursery: Nursery) -> None:
        process = await nursery.start(f"read()\n{program}\ntime.sleep(1000)")
        error = await nursery.failure_of(process)
        assert error.found.startswith(f"alice: {found}")
        assert why in error.why
        assert nursery.failures == [error]
        assert len(nursery.events) <= process_module.EVENTS_MAX

    run_in_nursery(test)


def test_a_flood_does_not_keep_it_from_being_stopped(
    run_in_nursery: RunInNursery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process_module, "FINISH_S", 0.2)

    async def test(nursery: Nursery) -> None:
        process = await nursery.start("while True: os.write(1, b'y\\n' * 32768)")
        await nursery.failure_of(process)
        assert await process.stop() == "terminated"

    run_in_nursery(test)


def test_every_request_is_told_of_the_failure_and_every_later_one_at_once(run_in_nursery: RunInNursery) -> None:
    async def test(nursery: Nursery) -> None:
        process = await nursery.start("read(); read(); sys.exit(3)")
        errors = await asyncio.gather(nursery.failure_of(process), nursery.failure_of(process))
        assert errors[0] is errors[1] is await nursery.failure_of(process)
        assert nursery.failures == [errors[0]]

    run_in_nursery(test)


def test_two_answers_to_one_request(run_in_nursery: RunInNursery) -> None:
    async def test(nursery: Nursery) -> None:
        process = await nursery.start("request = read(); answer(request); read(); answer(request); read()")
        assert (await process.request("hello", {}))[0].id == 1
        error = await nursery.failure_of(process)
        assert error.found == "alice: a second answer to request 1"
        assert nursery.failures == [error]

    run_in_nursery(test)


def test_answers_in_another_order_reach_their_requests(run_in_nursery: RunInNursery) -> None:
    async def test(nursery: Nursery) -> None:
        process = await nursery.start(
            "for request in reversed([read() for _ in range(20)]):\n"
            "    event('onTokenExpired')\n"
            "    answer(request, code=request['args']['number'])\n"
            "read()"
        )
        asked = [process.request("x", {"number": number}) for number in range(20)]
        answers = [answer for answer, _ in await asyncio.gather(*asked)]
        assert [answer.result for answer in answers] == [{"code": number} for number in range(20)]
        assert len(nursery.events) == 20
        assert await process.stop() == "finished"
        assert nursery.failures == []

    run_in_nursery(test)


def test_no_answer_is_an_error_within_the_time_and_a_late_one_is_passed_over(run_in_nursery: RunInNursery) -> None:
    async def test(nursery: Nursery) -> None:
        process = await nursery.start("late = read(); second = read(); answer(late); answer(second); read()")
        error = await nursery.failure_of(process, "getMembers", within_s=0.2)
        assert f"no answer to 'getMembers' within 0.2 s; the process {process.pid} is still running" in error.found
        answer, _ = await process.request("clock", {})
        assert answer.id == 2
        assert nursery.failures == []

    run_in_nursery(test)


def test_it_never_reads_and_its_pipe_is_full(run_in_nursery: RunInNursery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_module, "FINISH_S", 0.2)

    async def test(nursery: Nursery) -> None:
        process = await nursery.start("time.sleep(1000)")
        with pytest.raises(AdapterError, match="no answer to 'login'"):
            await process.request("login", {"token": "x" * 1_000_000}, within_s=0.3)
        assert await process.stop() == "terminated"
        assert nursery.failures == []

    run_in_nursery(test)


@pytest.mark.parametrize(
    ("program", "outcome", "least_s", "most_s"),
    [
        (OBEDIENT, "finished", 0.0, 1.0),
        ("answer(read()); sys.stdin.read(); time.sleep(0.5)", "finished", 0.5, 2.0),
        ("answer(read()); time.sleep(1000)", "terminated", 2.0, 3.0),
        (
            "signal.signal(signal.SIGTERM, signal.SIG_IGN); answer(read())\nwhile True: time.sleep(1)",
            "killed",
            3.0,
            4.5,
        ),
    ],
    ids=["obedient", "slow", "ignores the end", "ignores SIGTERM too"],
)
def test_it_is_stopped_by_what_it_takes(
    run_in_nursery: RunInNursery, program: str, outcome: str, least_s: float, most_s: float
) -> None:
    async def test(nursery: Nursery) -> None:
        process = await nursery.start(program)
        await process.request("hello", {})
        began = time.monotonic()
        assert await process.stop() == outcome
        assert least_s <= time.monotonic() - began < most_s
        assert nursery.failures == []
        assert await process.stop() == outcome, "and again"

    run_in_nursery(test)


@pytest.mark.parametrize("detached", [False, True], ids=["in its group", "in a session of its own"])
def test_what_it_started_does_not_hold_up_the_stop(run_in_nursery: RunInNursery, detached: bool) -> None:
    async def test(nursery: Nursery) -> None:
        # It inherits the pipes, and one that has left the group is out of reach: then its time is short.
        sleep_s = 4 if detached else 1000
        process = await nursery.start(
            f"child = subprocess.Popen(['sleep', '{sleep_s}'], start_new_session={detached})\n"
            "answer(read(), pid=child.pid)\nread()"
        )
        await process.request("hello", {})
        began = time.monotonic()
        assert await process.stop() == "finished"
        assert time.monotonic() - began < 1.0

    run_in_nursery(test)


def test_a_process_that_was_killed_tells_of_no_failure(run_in_nursery: RunInNursery) -> None:
    async def test(nursery: Nursery) -> None:
        process = await nursery.start(OBEDIENT)
        await process.request("hello", {})
        await process.kill()
        await process.kill()
        assert nursery.failures == []

    run_in_nursery(test)


def test_a_signal_reaches_the_whole_group(run_in_nursery: RunInNursery) -> None:
    async def test(nursery: Nursery) -> None:
        process = await nursery.start_command("sh", "-c", "sleep 1000 & wait")
        await process.signal(signal.SIGSTOP)
        with pytest.raises(AdapterError, match="no answer"):
            await process.request("hello", {}, within_s=0.1)
        await process.signal(signal.SIGCONT)
        await process.signal(signal.SIGTERM)
        error = await nursery.failure_of(process)
        assert "it ended by signal 15" in error.found

    run_in_nursery(test)


def test_a_mistake_in_the_harness_is_not_lost(run_in_nursery: RunInNursery) -> None:
    async def test(nursery: Nursery) -> None:
        process = await nursery.start("read(); event('onTokenExpired'); read()")
        nursery.events = None  # type: ignore[assignment]  # so that taking the event raises
        with pytest.raises(AdapterError, match="no answer"):
            await process.request("hello", {}, within_s=0.5)
        with pytest.raises(AttributeError, match="append"):
            await process.stop()

    run_in_nursery(test)
