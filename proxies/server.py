"""One Toxiproxy server: the process of a run, or one that is already running."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import re
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeVar

from harness.addresses import Address, written
from harness.errors import ToxiproxyError, UsageError
from harness.guard import Guard, kill_group
from proxies import watch
from proxies.api import WORKERS, Consumer, ProxyControl, RefusedError, UnreachableError
from proxies.breakable import Observer
from proxies.found import Found
from proxies.gates import Reset
from proxies.launch import Launched, launch, log_tail
from proxies.link import Link
from proxies.pinned import check_answered_version
from proxies.ports import PortBlock, blocks

T = TypeVar("T")

# Between the moment that the API hangs up and the moment that the kernel reports the end of the process.
_DEATH_NOTICE_S: Final = 1.0


class ToxiproxyServer:
    """A Toxiproxy and the links through it; made by `open`, `start` or `attach`, ended by `close`.

    Attributes:
        address: host and port of its API.
        link_host: what new links listen on: the host of its API, unless `open` was told another one.
        log_path: where the process of this run writes; None for a server that was running already.
    """

    def __init__(self, consumer: Consumer, launched: Launched | None, guard: Guard | None) -> None:
        self.address = (consumer.host, consumer.port)
        self.link_host = consumer.host
        self.log_path = launched.log_path if launched else None
        self._consumer = consumer
        self._process = launched.process if launched else None
        self._guard = guard
        self._threads = ThreadPoolExecutor(max_workers=WORKERS, thread_name_prefix="toxiproxy-api")
        self._ports = PortBlock(consumer.port if launched else next(blocks()))
        self._links: list[Link] = []
        self._serial = itertools.count(1)
        # Two users of one running server must not make proxies of the same name.
        self._prefix = "" if launched else f"{secrets.token_hex(4)}-"
        self._closed = False
        self._failure: ToxiproxyError | None = None

    @classmethod
    async def open(cls, found: Found, *, guard: Guard, log_path: Path, link_host: str | None = None) -> Self:
        """Use what `proxies.binary.find` has found: start the binary, or attach to the address.

        Links listen on ``link_host``, or where the API is.
        """
        if found.address is not None:
            server = await cls.attach(found.address)
        else:
            assert found.path is not None
            server = await cls.start(found.path, guard=guard, log_path=log_path)
        server.link_host = link_host or server.link_host
        return server

    @classmethod
    async def start(cls, binary: Path, *, guard: Guard, log_path: Path) -> Self:
        """Start a process of its own, on ports of its own, that dies with this run.

        Args:
            binary: the Toxiproxy server.
            guard: kills it when the run itself can no longer do it.
            log_path: receives what it writes.

        Raises:
            ToxiproxyError: it ended, or did not answer within 10 s.
            HostError: no port is free, or the binary cannot be run.
        """
        launched = await launch(binary, guard=guard, log_path=log_path)
        return cls(launched.consumer, launched, guard)

    @classmethod
    async def attach(cls, address: str) -> Self:
        """Use a server that is running already, on this machine; it is left running.

        Raises:
            UsageError: the address is not written as ``host:port``.
            ToxiproxyError: nothing answers there.
            HostError: what answers is not the pinned version.
        """
        written = re.fullmatch(r"([^:/\s]+):(\d{1,5})", address)
        if written is None:
            raise UsageError(f"{address!r} is not the address of a Toxiproxy", mend="write it as host:port.")
        server = cls(Consumer(written[1], int(written[2])), None, None)
        try:
            check_answered_version(await server.run(server._consumer.version), where=address)
        except BaseException:
            await server.close()
            raise
        return server

    @property
    def pid(self) -> int | None:
        """The process id; None for a server that was running already."""
        return self._process.pid if self._process else None

    @property
    def links(self) -> tuple[Link, ...]:
        """The links that are open."""
        return tuple(self._links)

    async def open_link(
        self, name: str, upstream: Address, *, resettable: bool = False, observer: Observer | None = None
    ) -> Link:
        """Make a new link to `upstream`, a host and a port, where a server need not listen yet.

        Args:
            name: what the scenario calls the link; need not be unique.
            upstream: host and port of the server.
            resettable: let `Link.reset` send real RSTs; then every close on the link looks like one.
            observer: told of each fault on the link when it has taken effect and when it is healed.

        Raises:
            ToxiproxyError: the server is gone or refused.
            HostError: no port is left.
        """
        proxy_name = f"{self._prefix}{next(self._serial):04d}-{re.sub(r'[^A-Za-z0-9_.-]+', '-', name)}"
        proxy, port = await self._create_proxy(proxy_name, written(upstream))
        if resettable:
            await self.run(lambda: Reset.arm(proxy))
        link = Link(
            name,
            proxy,
            self,
            address=(self.link_host, port),
            upstream=upstream,
            resettable=resettable,
            observer=observer,
            on_close=self._forget,
        )
        self._links.append(link)
        return link

    def take_port(self) -> int:
        """A port of this server's block that no link has, and no other run takes; for a server behind the links."""
        return self._ports.take()

    def give_back_port(self, port: int) -> None:
        """Let a port that was taken be used again."""
        self._ports.give_back(port)

    async def run(self, call: Callable[[], T]) -> T:
        """Run a blocking call of the API in one of the server's threads.

        Raises:
            ToxiproxyError: with the end of its log where the process has died.
        """
        if self._closed:
            raise UsageError("this Toxiproxy has been closed")
        if self._failure is not None:
            raise self._failure
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, call)
        except UnreachableError as error:
            if self._failure is not None:
                raise self._failure from error
            if self._process is not None:
                with contextlib.suppress(TimeoutError):  # it is alive, and the error that there is says it all
                    raise await asyncio.wait_for(self.died(), timeout=_DEATH_NOTICE_S) from error
            raise

    async def confirm(self) -> None:
        """See to it that it is there.

        Raises:
            ToxiproxyError: it is not, or stands still, or does not answer.
        """
        await self.run(self._consumer.version)

    async def failed(self) -> ToxiproxyError:
        """Wait until it has ended, stands still or answers no more; returns what to say about it.

        From then on each call fails with that at once: nobody waits for the answers that are still to come.
        """
        watches = [watch.answers_no_more(self.confirm)]
        if self._process is not None:
            watches += [watch.stands_still(self._process.pid), self.died()]
        self._failure = await watch.first_of(*watches)
        return self._failure

    async def died(self) -> ToxiproxyError:
        """Wait until the process has ended without being closed; returns what to say about it."""
        if self._process is None:
            raise UsageError("the end of a Toxiproxy that was running already cannot be waited for")
        status = await self._process.wait()
        assert self.log_path is not None
        return ToxiproxyError(
            f"the Toxiproxy of this run has ended with status {status}",
            why=f"the end of {self.log_path}:\n{log_tail(self.log_path)}",
            mend="a crash (panic) is a bug of Toxiproxy; keep the log and run again.",
        )

    async def close(self) -> None:
        """End the process of this run and reap it; from a server that is left running, delete the links."""
        if self._closed:
            return
        try:
            if self._process is None and self._failure is None:
                for link in self.links:
                    await link.close()
        finally:
            self._closed = True
            for link in self._links:
                link.abandon()
            self._links.clear()
            await self._reap()
            # Not waited for: a call that is still under way ends by itself after 3 s at the most.
            self._threads.shutdown(wait=False, cancel_futures=True)
            self._consumer.close()

    async def _create_proxy(self, name: str, upstream: str) -> tuple[ProxyControl, int]:
        while True:
            port = self._ports.take()
            listen = written((self.link_host, port))
            try:
                make = _creation(self._consumer, name, listen, upstream)
                return await self.run(make), port
            except RefusedError as error:
                # Another program has the port: it is not given back, and the next one is tried.
                if "address already in use" not in error.body:
                    raise

    def _forget(self, link: Link) -> None:
        self._links.remove(link)
        self._ports.give_back(link.address[1])

    async def _reap(self) -> None:
        if self._process is None:
            return
        kill_group(self._process.pid)
        await self._process.wait()
        assert self._guard is not None
        self._guard.release(self._process.pid)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        await self.close()


def _creation(consumer: Consumer, name: str, listen: str, upstream: str) -> Callable[[], ProxyControl]:
    return lambda: ProxyControl.create(consumer, name, listen=listen, upstream=upstream)
