"""The adapter of client.py, after docs/adapter-contract.md: it turns names into the published numbers."""

import asyncio
import json
import sys
import time
from typing import Any

from client import Client  # type: ignore[import-not-found]

HELLO = {"contract": 1, "name": "small", "version": "1.0", "language": "python", "heartbeat_s": 0.5, "retry_s": 1.5}
NUMBERS = {
    "state": {"DISCONNECTED": 1, "CONNECTING": 2, "CONNECTED": 3, "RECONNECTING": 4, "ABORTED": 5},
    "reason": {"LOGIN": 1, "LOGIN_SUCCESS": 2, "LOGIN_FAILURE": 3, "LOGIN_TIMEOUT": 4, "INTERRUPTED": 5, "LOGOUT": 6},
    "code": {"ok": 0, "rejected": 2, "superseded": 2, "banned": 2, "remote_login": 2, "invalid_argument": 3},
}
NUMBERS["reason"] |= {"banned": 7, "superseded": 8, "remote_login": 8}
NUMBERS["code"] |= {"invalid_app_id": 4, "invalid_token": 5, "token_expired": 6, "not_authorized": 7}
NUMBERS["code"] |= {"already_logged_in": 8, "timeout": 9, "too_often": 10, "user_not_logged_in": 102}


def number(kind: str, name: str) -> int:
    return NUMBERS[kind].get(name, 1)  # as a code UNKNOWN


def say(**message: Any) -> None:
    print(json.dumps(message), flush=True)


def tell(name: str, **values: str) -> None:
    at_ns = time.monotonic_ns()
    say(event=name, at_ns=at_ns, args={kind: number(kind, value) for kind, value in values.items() if value})


def carry_out(call: str, args: dict[str, str], clients: list[Client]) -> dict[str, Any]:
    if call == "hello":
        return {"result": HELLO}
    if call == "clock":
        return {"result": {"now_ns": time.monotonic_ns()}}
    if call == "create" and not clients:
        clients.append(Client(args["url"], args["app_id"], tell))
        return {"result": {}}
    if call in ("login", "logout") and clients and all(isinstance(each, str) for each in args.values()):
        return {"result": {"code": number("code", getattr(clients[0], call)(**args))}}
    return {"error": f"not now, or not so: {args}" if call in ("create", "login", "logout") else "unsupported"}


async def main() -> None:
    lines, clients = asyncio.StreamReader(limit=2**21), list[Client]()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        request = json.loads(line)
        try:
            outcome = carry_out(request["call"], request["args"], clients)
        except (LookupError, TypeError) as error:
            outcome = {"error": repr(error)}
        say(id=request["id"], at_ns=time.monotonic_ns(), **outcome)


asyncio.run(main())
