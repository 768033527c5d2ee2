"""Eclipse Mosquitto as a server of linkproof: requests of the control contract on stdin, answers on stdout.

``python examples/mqtt/broker.py [--host HOST] [--port PORT]`` starts a ``mosquitto`` on a loopback port, with a
configuration made for it: no persistence, so that a broker that was killed has forgotten its sessions; anybody may
come without a user name, and nobody with one, so that a login can be refused. Both end together, with standard input.
"""

import argparse
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

CONTRACT_VERSION = 1
MAX_KEEP_ALIVE_S = 60  # what the broker allows; the client asks for less
STOP_S = 1.5  # linkproof waits for 2 s
AGAIN_S = 0.1
RUNNING = "running"  # mosquitto's word when its listeners are open
CERTIFICATE_VARIABLE, KEY_VARIABLE = "LINKPROOF_TLS_CERT", "LINKPROOF_TLS_KEY"
# Twelve bytes of salt, and 64 of a hash that no password has. With a password file each other name is refused as well;
# who gives none is anonymous.
NOBODY = f"nobody:$7$101${'A' * 16}${'A' * 86}==\n"
INSTALL = "mosquitto is not here: apt-get install mosquitto, or see https://mosquitto.org/download"


def configuration(host: str, port: int, files: dict[str, str]) -> str:
    """Return mosquitto's configuration file; ``files`` are the paths of others, by the name of their setting."""
    lines = [
        f"listener {port} {host}",
        "allow_anonymous true",
        "persistence false",
        f"max_keepalive {MAX_KEEP_ALIVE_S}",
        "log_dest stderr",
        "log_type all",
        *(f"{setting} {path}" for setting, path in files.items()),
    ]
    return "".join(f"{line}\n" for line in lines)


def file_in_memory(name: str, text: str) -> int:
    """Return a descriptor of a file that is gone with the processes that have it open, however they end."""
    descriptor = os.memfd_create(name)
    os.write(descriptor, text.encode())
    return descriptor


class Broker:
    """One mosquitto, from its start to its end."""

    def __init__(self, host: str, port: int) -> None:
        # Started by a user it may be where only root's PATH leads.
        binary = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
        if binary is None:
            sys.exit(INSTALL)
        self.host, self.port = host, port or free_port(host)
        # Started by root mosquitto becomes another user, who could not read the keys where they are.
        texts = {"password_file": NOBODY}
        if CERTIFICATE_VARIABLE in os.environ:
            texts["certfile"] = Path(os.environ[CERTIFICATE_VARIABLE]).read_text()
            texts["keyfile"] = Path(os.environ[KEY_VARIABLE]).read_text()
        files = {setting: file_in_memory(setting, text) for setting, text in texts.items()}
        paths = {setting: f"/dev/fd/{descriptor}" for setting, descriptor in files.items()}
        settings = file_in_memory("mosquitto.conf", configuration(host, self.port, paths))
        self.process = subprocess.Popen(
            [binary, "-c", f"/dev/fd/{settings}"],
            stdin=subprocess.DEVNULL,
            stdout=sys.stderr,
            stderr=subprocess.PIPE,
            pass_fds=(settings, *files.values()),
            text=True,
        )
        self.version = ""
        self.is_stopping = False
        self._is_open = threading.Event()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._is_open.wait()

    @property
    def url(self) -> str:
        """Where clients find it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'mqtts' if CERTIFICATE_VARIABLE in os.environ else 'mqtt'}://{host}:{self.port}"

    def _read(self) -> None:
        """Hand mosquitto's log on; a broker that ends without having been asked to takes us with it."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            sys.stderr.write(line)
            words = line.split()
            if words[-1:] == [RUNNING]:  # 1700000000: mosquitto version 2.0.11 running
                self.version = words[-2]
                self._is_open.set()
        if not self.is_stopping:
            sys.stderr.write(f"mosquitto ended by itself, with {self.process.wait()}\n")
            sys.stderr.flush()
            os._exit(1)

    def stop(self) -> None:
        """Have it end in order, and wait for it."""
        self.is_stopping = True
        deadline_s = time.monotonic() + STOP_S
        while self.process.poll() is None and time.monotonic() < deadline_s:
            # Again and again: mosquitto says that it is running a moment before it heeds a signal.
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(AGAIN_S)
        self.process.kill()  # of no effect where it has ended
        self.process.wait()
        self._reader.join()  # to the end of its log


def free_port(host: str) -> int:
    """Return a port that nobody listens on now; who takes it meanwhile makes mosquitto end, and us with it."""
    with socket.create_server((host, 0), family=socket.AF_INET6 if ":" in host else socket.AF_INET) as server:
        port: int = server.getsockname()[1]
        return port


def answer(broker: Broker, call: str) -> dict[str, object]:
    """Return the outcome of a request; of bans, and of what single users do, mosquitto's control knows nothing."""
    if call == "hello":
        described = {"contract": CONTRACT_VERSION, "name": "mosquitto", "version": broker.version, "language": "c"}
        return {"result": described | {"url": broker.url, "heartbeat_s": float(MAX_KEEP_ALIVE_S)}}
    if call == "clock":
        return {"result": {"now_ns": time.monotonic_ns()}}
    if call == "stop":
        return {"result": {}}
    return {"error": "unsupported"}


def main() -> None:
    """Serve until ``stop``, the end of standard input, or SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes any that is free")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    broker = Broker(options.host, options.port)
    try:
        for line in sys.stdin:
            request = json.loads(line)
            said = {"id": request["id"], "at_ns": time.monotonic_ns()} | answer(broker, request["call"])
            sys.stdout.write(json.dumps(said) + "\n")
            sys.stdout.flush()
            if request["call"] == "stop":
                break
    finally:
        broker.stop()


if __name__ == "__main__":
    main()
