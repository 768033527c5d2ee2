"""A small client, after docs/wire-protocol.md: no channels, messages, attributes, presence, renewal of tokens."""

import asyncio
import json
import secrets
from contextlib import suppress
from time import monotonic
from typing import Any

import websockets

STEP_S, SILENT_S, PAUSE_S = 1.3, 3.2, 0.8  # for an answer; for a pong, once it is in; between two attempts
BROKEN = (OSError, websockets.WebSocketException, ValueError, LookupError, TypeError)  # it is gone, or brought no frame
# It trusts its server: what subprotocol, heartbeat, field or kind of message comes is not looked at any further.
WIRE: dict[str, Any] = {"subprotocols": ["rtm.v1"], "compression": None, "proxy": None, "ping_interval": None}


class Client:
    def __init__(self, url: str, app_id: str, tell: Any) -> None:
        self._url, self._tell, self._in, self._began_s = url, tell, asyncio.get_running_loop().call_later, 0.0
        self._login: dict[str, Any] = {"app_id": app_id, "instance": secrets.token_hex(16), "attempt": 0}
        self._state, self._calls_s, self._pause_s = "DISCONNECTED", [-9.0, -9.0, -9.0], 0.0

    def login(self, token: str, uid: str) -> str:
        self._calls_s = [*self._calls_s[1:], monotonic()]
        if self._calls_s[2] - self._calls_s[0] < 1.0:
            return "too_often"
        if self._state != "DISCONNECTED" or not token or not 0 < len(uid) <= 64:
            return "invalid_argument" if self._state == "DISCONNECTED" else "already_logged_in"
        self._token, self._login = token, self._login | {"token": token, "uid": uid, "resume": None}
        self._switch("CONNECTING", "LOGIN")
        self._alarm = self._in(6.0, self._switch, "DISCONNECTED", "LOGIN_TIMEOUT", "onLoginFailure", "timeout")
        self._life = asyncio.create_task(self._live())
        return "ok"

    def logout(self) -> str:
        if self._state in ("DISCONNECTED", "CONNECTING"):
            return "user_not_logged_in"
        self._switch("DISCONNECTED", "LOGOUT", "onLogout", "ok")
        return "ok"

    def _switch(self, state: str, reason: str, result: str = "", code: str = "") -> None:
        if state in ("DISCONNECTED", "ABORTED"):
            self._alarm.cancel()
            self._life.cancel()
        if result:
            self._tell(result, code=code)
        self._state = state
        self._tell("onConnectionStateChanged", state=state, reason=reason)

    def _expire(self, token: str) -> None:
        if token == self._token and self._state in ("CONNECTED", "RECONNECTING"):
            self._token = ""  # the app is told once
            self._tell("onTokenExpired")

    async def _live(self) -> None:
        while True:
            await asyncio.sleep(self._began_s + self._pause_s * (1.0 - secrets.randbelow(50) / 100) - monotonic())
            self._began_s, self._pause_s = monotonic(), min(PAUSE_S, 2 * self._pause_s + 0.1)
            with suppress(*BROKEN):
                async with websockets.connect(self._url, open_timeout=STEP_S, close_timeout=0.1, **WIRE) as ws:
                    await self._hold(ws)

    async def _hold(self, ws: websockets.ClientConnection) -> None:
        self._login["attempt"] += 1
        await ws.send(json.dumps({"type": "login", **self._login}))
        async with asyncio.timeout(STEP_S):  # wait_for of Python 3.11 loses a cancel that comes with a frame
            answer = frame = json.loads(await ws.recv())
        due_s, oldest_s, sent, answered, is_in = monotonic(), monotonic(), 0, 0, False
        try:
            while frame["type"] not in ("refused", "ended"):
                answered = range(sent + 1)[frame["n"]] if frame["type"] == "pong" else answered
                if not is_in and (answer["resumed"] or answered):
                    is_in, self._login["resume"] = True, answer["session"]
                    self._alarm.cancel()
                    if answer.get("token_expires_in_s") is not None:
                        self._in(answer["token_expires_in_s"], self._expire, self._login["token"])
                    if self._state != "CONNECTED":
                        self._switch("CONNECTED", "LOGIN_SUCCESS", "onLoginSuccess" * (self._state == "CONNECTING"))
                if monotonic() >= due_s:
                    sent, due_s = sent + 1, due_s + answer["heartbeat_s"]
                    await ws.send(json.dumps({"type": "ping", "n": sent}))
                oldest_s = due_s - (sent - answered) * answer["heartbeat_s"]  # of the pings without an answer
                until_s, frame = min(due_s, oldest_s + (SILENT_S if is_in else STEP_S)), {"type": "nothing"}
                with suppress(*[TimeoutError] * (until_s == due_s)):
                    async with asyncio.timeout(until_s - monotonic()):
                        frame = json.loads(await ws.recv())
            why = frame.get("code") or frame["reason"]
            if self._state == "CONNECTING" and why != "stale":
                self._switch("DISCONNECTED", "LOGIN_FAILURE", "onLoginFailure", why)
            elif why in ("superseded", "remote_login", "banned"):
                self._switch("ABORTED", why)
        finally:
            self._pause_s *= answered < 2  # a link that breaks at once is no better than none
            if is_in and self._state == "CONNECTED":
                silent_s = monotonic() - oldest_s if monotonic() - oldest_s > STEP_S else 0.0
                self._alarm = self._in(4.0 - silent_s, self._switch, "RECONNECTING", "INTERRUPTED")
            elif self._state != "ABORTED" and answer["type"] == "logged_in":  # a logout, or given up half-way: no ghost
                with suppress(*BROKEN):
                    await ws.send('{"type": "logout"}')
