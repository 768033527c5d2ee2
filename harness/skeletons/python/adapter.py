"""A linkproof adapter: requests come on standard input, answers and events go to standard output, a line each."""

import json
import sys
import threading
import time
from typing import Any

NOT_INITIALIZED = 101  # what login() says as long as there is no SDK
HELLO = {"contract": 1, "name": "my-sdk", "version": "0", "language": "python"}
# Declare what is true, and each capability once its calls are there: "channels", "messages", ...
HELLO |= {"heartbeat_s": 0.5, "retry_s": 1.0, "capabilities": []}
one_at_a_time = threading.Lock()


def say(message: dict[str, Any]) -> None:
    """Write one line; callbacks may come on several threads."""
    with one_at_a_time:
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()


def event(name: str, at_ns: int, **args: object) -> None:
    """Report a callback. Have at_ns = time.monotonic_ns() first thing inside it."""
    say({"event": name, "at_ns": at_ns, "args": args})


class Client:
    """The SDK goes here: make it in __init__ without connecting, and call event() in each of its callbacks."""

    def __init__(self, url: str, app_id: str) -> None:
        self.url, self.app_id = url, app_id

    def login(self, token: str, uid: str) -> dict[str, Any]:  # noqa: ARG002
        """Return {"code": sdk.login(token, uid)}; its outcome follows as events."""
        return {"code": NOT_INITIALIZED}

    def logout(self) -> dict[str, Any]:
        """Return {"code": sdk.logout()}. Write the other calls like these two."""
        return {"code": NOT_INITIALIZED}


client: Client | None = None
for line in sys.stdin:
    request = json.loads(line)
    call, args, answer = request["call"], request["args"], {"id": request["id"]}
    try:
        if call == "hello":
            answer["result"] = HELLO
        elif call == "clock":
            answer["result"] = {"now_ns": time.monotonic_ns()}
        elif call == "create" and client is None:
            client, answer["result"] = Client(args["url"], args["app_id"]), {}
        elif call in ("login", "logout"):
            answer["result"] = getattr(client, call)(**args)
        else:
            answer["error"] = "there is a client already" if call == "create" else "unsupported"
    except Exception as error:  # a request that cannot be carried out is answered too
        answer["error"] = repr(error)
    say(answer | {"at_ns": time.monotonic_ns()})
