"""paho-mqtt, an MQTT 5 client, as a client of linkproof: ``python examples/mqtt/adapter.py``.

It is an app around the client as its package brings it, and decides nothing for it: what paho does by itself (trying
again after a refusal, or after its session was taken over) is seen. docs/profiles.md has what stands for what.
"""

import importlib.metadata
import json
import sys
import threading
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

KEEP_ALIVE_S = 2
WILL_DELAY_S = 5
SESSION_EXPIRY_S = 10
RETRY_FIRST_S, RETRY_LONGEST_S = 1, 4  # paho doubles its wait between the two
TICK_S = 1  # so often does paho's thread look at its timers
UNANSWERED_S = KEEP_ALIVE_S + TICK_S  # after so long it gives up a connection that says nothing

HELLO = {
    "contract": 1,
    "name": "paho-mqtt",
    "version": importlib.metadata.version("paho-mqtt"),
    "language": "python",
    "heartbeat_s": float(KEEP_ALIVE_S + TICK_S),
    # An attempt that began on a dead link has to be given up first.
    "retry_s": float(UNANSWERED_S + RETRY_LONGEST_S),
    "capabilities": ["channels", "messages"],
}

DISCONNECTED, CONNECTING, CONNECTED, RECONNECTING, ABORTED = 1, 2, 3, 4, 5
LOGIN, LOGIN_SUCCESS, LOGIN_FAILURE, LOGIN_TIMEOUT, INTERRUPTED, LOGOUT, REMOTE_LOGIN = 1, 2, 3, 4, 5, 6, 8
OK, FAILED, ALREADY_LOGGED_IN, NOT_LOGGED_IN = 0, 1, 8, 102

FIRST_FAILURE, BAD_USER, NOT_AUTHORIZED, KEEP_ALIVE_TIMEOUT, TAKEN_OVER = 0x80, 0x86, 0x87, 0x8D, 0x8E
LOGIN_CODES = {BAD_USER: 5, NOT_AUTHORIZED: 7}  # INVALID_TOKEN, NOT_AUTHORIZED; any other is UNKNOWN
UNKNOWN = 1

GONE, JOINED, LEFT = "gone", "joined", "left"  # what is told of a user: by a will, and by the user
JWT = "eyJ"  # how a token of linkproof's begins; the broker knows nothing of those

Values = dict[str, Any]
Answer = Callable[[Values], None]
one_at_a_time = threading.Lock()


def say(message: Values) -> None:
    """Write one line; callbacks come on paho's thread."""
    with one_at_a_time:
        sys.stdout.write(json.dumps(message) + "\n")
        sys.stdout.flush()


def event(name: str, at_ns: int, **args: object) -> None:
    """Report a callback."""
    say({"event": name, "at_ns": at_ns, "args": args})


def properties(packet_type: int, **values: object) -> Properties:
    """Return MQTT 5 properties for a packet of this type."""
    made: Properties = Properties(packet_type)  # type: ignore[no-untyped-call] # paho does not say its types here
    for name, value in values.items():
        setattr(made, name, value)
    return made


def is_failure(codes: list[ReasonCode]) -> bool:
    """Whether one of the reason codes of an acknowledgement says so."""
    return any(code.value >= FIRST_FAILURE for code in codes)


class Acknowledgements:
    """What is to be done when a packet is acknowledged, which paho's thread may know before the sender has its id."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._awaited: dict[int, Callable[[list[ReasonCode]], None]] = {}
        self._early: dict[int, list[ReasonCode]] = {}

    def expect(self, packet: int, then: Callable[[list[ReasonCode]], None]) -> None:
        """Have this done then."""
        with self._lock:
            codes = self._early.pop(packet, None)
            if codes is None:
                self._awaited[packet] = then
        if codes is not None:
            then(codes)

    def came(self, packet: int, codes: list[ReasonCode]) -> None:
        """It is acknowledged."""
        with self._lock:
            then = self._awaited.pop(packet, None)
            if then is None:
                self._early[packet] = codes
        if then is not None:
            then(codes)


class Client:
    """One user: a paho client for each login, the channels they are in, and whom they know in there."""

    def __init__(self, url: str, app_id: str, ca_file: str = "", **_: object) -> None:
        self._server = urlsplit(url)
        self._app_id = app_id
        self._ca_file = ca_file
        self._uid = ""
        self._paho: mqtt.Client | None = None
        self._state = DISCONNECTED
        self._is_login_open = False
        self._is_leaving = False
        self._acknowledgements = Acknowledgements()
        self._members: dict[str, set[str]] = {}  # of each channel that we have joined: the others in it

    # -------------------------------------------------------------------------------------------- calls

    def login(self, answer: Answer, token: str, uid: str) -> None:
        """CONNECT, with the session kept, and a will that tells the others when we are gone."""
        if self._paho is not None:
            answer({"code": ALREADY_LOGGED_IN})
            return
        self._uid = uid
        self._is_login_open, self._is_leaving = True, False
        paho = mqtt.Client(CallbackAPIVersion.VERSION2, f"{self._app_id}.{uid}", protocol=mqtt.MQTTv5)
        if not token.startswith(JWT):
            paho.username_pw_set(uid, token)
        if self._server.scheme == "mqtts":
            paho.tls_set(self._ca_file)
        delayed = properties(PacketTypes.WILLMESSAGE, WillDelayInterval=WILL_DELAY_S)
        paho.will_set(self._topic("presence", uid), GONE, qos=1, properties=delayed)
        paho.reconnect_delay_set(RETRY_FIRST_S, RETRY_LONGEST_S)
        paho.connect_timeout = UNANSWERED_S
        paho.on_pre_connect = self._on_pre_connect
        paho.on_connect = self._on_connect
        paho.on_disconnect = self._on_disconnect
        paho.on_message = self._on_message
        paho.on_publish = lambda _c, _u, packet, code, _p: self._acknowledgements.came(packet, [code])
        paho.on_subscribe = lambda _c, _u, packet, codes, _p: self._acknowledgements.came(packet, codes)
        paho.on_unsubscribe = lambda _c, _u, packet, codes, _p: self._acknowledgements.came(packet, codes)
        self._switch(CONNECTING, LOGIN, time.monotonic_ns())
        paho.connect_async(
            self._server.hostname or "",
            self._server.port or 0,
            KEEP_ALIVE_S,
            clean_start=False,
            properties=properties(PacketTypes.CONNECT, SessionExpiryInterval=SESSION_EXPIRY_S),
        )
        self._paho = paho
        paho.loop_start()
        answer({"code": OK})

    def logout(self, answer: Answer) -> None:
        """DISCONNECT with 0x00; without a connection there is nothing to send, and paho only stops."""
        if self._paho is None:
            answer({"code": NOT_LOGGED_IN})
            return
        paho, self._paho, self._is_leaving = self._paho, None, True
        is_told = paho.disconnect() == mqtt.MQTT_ERR_SUCCESS
        answer({"code": OK})
        if not is_told:
            self._logged_out(time.monotonic_ns())

    def join(self, answer: Answer, channel: str) -> None:
        """SUBSCRIBE to the channel and to what is told of users, then tell the others."""
        answer({"code": OK if self._subscribe(channel) else NOT_LOGGED_IN})

    def leave(self, answer: Answer, channel: str) -> None:
        """UNSUBSCRIBE, and tell the others."""
        if self._paho is None:
            answer({"code": NOT_LOGGED_IN})
            return
        _, packet = self._paho.unsubscribe(self._topic("channel", channel))
        answer({"code": OK if packet is not None else NOT_LOGGED_IN})
        if packet is not None:
            self._acknowledgements.expect(packet, lambda codes: self._left(channel, codes))

    def sendToChannel(self, answer: Answer, channel: str, text: str) -> None:  # noqa: N802 - the contract's name
        """PUBLISH with QoS 1, answered when it is acknowledged; paho keeps for later what it cannot send now."""
        code, packet = self._publish(self._topic("channel", channel), text)
        if code != mqtt.MQTT_ERR_SUCCESS:
            answer({"code": code})
            return
        self._acknowledgements.expect(packet, lambda codes: answer({"code": FAILED if is_failure(codes) else OK}))

    # -------------------------------------------------------------------------------------------- callbacks

    def _on_pre_connect(self, _client: mqtt.Client, _userdata: object) -> None:
        """An attempt begins: the one that login() asked for, or one of paho's own."""
        at_ns = time.monotonic_ns()
        if self._state in (DISCONNECTED, ABORTED):
            self._switch(CONNECTING, LOGIN, at_ns)

    def _on_connect(
        self,
        _client: mqtt.Client,
        _userdata: object,
        flags: mqtt.ConnectFlags,
        code: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        """CONNACK."""
        at_ns = time.monotonic_ns()
        if code.value >= FIRST_FAILURE:
            if self._is_login_open:
                event("onLoginFailure", at_ns, code=LOGIN_CODES.get(code.value, UNKNOWN))
            if self._state == CONNECTING:
                self._switch(DISCONNECTED, LOGIN_FAILURE, at_ns)
            self._is_login_open = False
            return
        if self._is_login_open:
            event("onLoginSuccess", at_ns)
        self._is_login_open = False
        self._switch(CONNECTED, LOGIN_SUCCESS, at_ns)
        for channel in list(self._members):
            if flags.session_present:
                self._tell(f"{JOINED} {channel}", lambda: None)
            else:  # the broker has forgotten what we subscribed to
                self._subscribe(channel)

    def _on_disconnect(
        self,
        _client: mqtt.Client,
        _userdata: object,
        _flags: mqtt.DisconnectFlags,
        code: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        """DISCONNECT of the broker, the end of a connection, or of an attempt."""
        at_ns = time.monotonic_ns()
        if self._is_leaving:
            self._logged_out(at_ns)
        elif self._state == CONNECTED:
            if code.value == TAKEN_OVER:
                self._switch(ABORTED, REMOTE_LOGIN, at_ns)
            else:
                self._switch(RECONNECTING, INTERRUPTED, at_ns)
        elif self._state == CONNECTING:
            # paho goes on trying, and says in no other way that it has given up this attempt.
            self._switch(RECONNECTING, LOGIN_TIMEOUT if code.value == KEEP_ALIVE_TIMEOUT else INTERRUPTED, at_ns)

    def _on_message(self, _client: mqtt.Client, _userdata: object, message: mqtt.MQTTMessage) -> None:
        at_ns = time.monotonic_ns()
        kind, name = message.topic.removeprefix(f"{self._app_id}/").split("/", 1)
        text = message.payload.decode()
        if kind == "presence":
            self._told_of(name, text, at_ns)
            return
        sender = dict(getattr(message.properties, "UserProperty", [])).get("from", "")
        event("onMessageReceived", at_ns, channel=name, member=sender, text=text)

    # -------------------------------------------------------------------------------------------- helpers

    def _switch(self, state: int, reason: int, at_ns: int) -> None:
        self._state = state
        event("onConnectionStateChanged", at_ns, state=state, reason=reason)

    def _logged_out(self, at_ns: int) -> None:
        if self._state != DISCONNECTED:
            event("onLogout", at_ns, code=OK)
            self._switch(DISCONNECTED, LOGOUT, at_ns)
            self._members.clear()

    def _topic(self, kind: str, name: str) -> str:
        return f"{self._app_id}/{kind}/{name}"

    def _publish(self, topic: str, text: str) -> tuple[int, int]:
        if self._paho is None:
            return NOT_LOGGED_IN, 0
        sender = properties(PacketTypes.PUBLISH, UserProperty=("from", self._uid))
        sent = self._paho.publish(topic, text, qos=1, properties=sender)
        return sent.rc, sent.mid

    def _tell(self, text: str, then: Callable[[], None]) -> None:
        code, packet = self._publish(self._topic("presence", self._uid), text)
        if code == mqtt.MQTT_ERR_SUCCESS:
            self._acknowledgements.expect(packet, lambda _: then())

    def _subscribe(self, channel: str) -> bool:
        if self._paho is None:
            return False
        options = SubscribeOptions(qos=1, noLocal=True)
        topics = [(self._topic("channel", channel), options), (self._topic("presence", "+"), options)]
        _, packet = self._paho.subscribe(topics)
        if packet is not None:
            self._acknowledgements.expect(packet, lambda codes: self._joined(channel, codes))
        return packet is not None

    def _joined(self, channel: str, codes: list[ReasonCode]) -> None:
        if is_failure(codes):
            event("onJoinFailure", time.monotonic_ns(), channel=channel, code=FAILED)
            return
        self._members.setdefault(channel, set())
        # Joined is who has told so, and knows that it was heard: from then on anything may happen to the connection.
        self._tell(f"{JOINED} {channel}", lambda: event("onJoinSuccess", time.monotonic_ns(), channel=channel))

    def _left(self, channel: str, codes: list[ReasonCode]) -> None:
        code = FAILED if is_failure(codes) else OK
        self._members.pop(channel, None)
        self._tell(f"{LEFT} {channel}", lambda: event("onLeave", time.monotonic_ns(), channel=channel, code=code))

    def _told_of(self, uid: str, text: str, at_ns: int) -> None:
        """Somebody came, or went: by their own words, or by their will, which is of no channel in particular."""
        what, _, channel = text.partition(" ")
        for joined, members in self._members.items():
            if what == JOINED and joined == channel and uid not in members:
                members.add(uid)
                event("onMemberJoined", at_ns, channel=joined, member=uid)
            elif (what == GONE or (what == LEFT and joined == channel)) and uid in members:
                members.remove(uid)
                event("onMemberLeft", at_ns, channel=joined, member=uid)


class Adapter:
    """Carries out requests."""

    CALLS = ("login", "logout", "join", "leave", "sendToChannel")

    def __init__(self) -> None:
        self._client: Client | None = None

    def request(self, request: Values) -> None:
        """Carry out one, and answer it; what waits for the broker is answered later."""

        def answer(result: Values) -> None:
            say({"id": request["id"], "at_ns": time.monotonic_ns(), "result": result})

        try:
            self._carry_out(request["call"], request["args"], answer)
        except Exception as error:  # a request that cannot be carried out is answered too
            say({"id": request["id"], "at_ns": time.monotonic_ns(), "error": str(error)})

    def _carry_out(self, call: str, args: Values, answer: Answer) -> None:
        if call == "hello":
            answer(HELLO)
        elif call == "clock":
            answer({"now_ns": time.monotonic_ns()})
        elif call == "create" and self._client is None:
            self._client = Client(**args)
            answer({})
        elif call == "create":
            raise ValueError("there is a client already")
        elif call not in self.CALLS:
            raise NotImplementedError("unsupported")
        elif self._client is None:
            raise ValueError(f"{call} before create")
        else:
            getattr(self._client, call)(answer, **args)


if __name__ == "__main__":
    adapter = Adapter()
    for line in sys.stdin:
        adapter.request(json.loads(line))
