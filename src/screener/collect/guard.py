"""Keeps the collector out of private networks: which addresses may be asked, and connections to exactly those.

A feed, a redirect or a name server can point anywhere, also at the inside of the operator's network (server-side request
forgery). So a name is looked up here, once; if any of its addresses is not on the public internet the host is refused, and
the connection is made to the very address that was checked, since a second look-up might answer otherwise (DNS rebinding).
Hosts named in ``collect.private_hosts`` are the exception: any address, any port.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any

import httpcore
import httpx

from screener.errors import TerminalSourceError, TransientSourceError

_PORTS = {"http": 80, "https": 443}
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_SIX_TO_FOUR = IPv6Network("2002::/16")
_NAT64 = IPv6Network("64:ff9b::/96")
_KEEPALIVE_SECONDS = 5.0

Resolve = Callable[..., Iterable[tuple[Any, ...]]]
_ends_at: ContextVar[float | None] = ContextVar("ends_at", default=None)


def is_private_host(host: str, private_hosts: Collection[str]) -> bool:
    """True if the operator has named this host as one on a private network that may be asked."""
    return host.lower().rstrip(".") in private_hosts


def check_url(url: httpx.URL, private_hosts: Collection[str]) -> None:
    """Refuse what shows in the address itself: scheme, user name, port, a literal private address.

    Raises ``TerminalSourceError``; it names the host, never the rest of the address.
    """
    if url.scheme not in _PORTS or not url.host:
        raise TerminalSourceError(f"{url.host or 'address'}: only http and https addresses are asked")
    if url.userinfo:
        raise TerminalSourceError(f"{url.host}: an address with a user name or password in it is not asked")
    if is_private_host(url.host, private_hosts):
        return
    _check_port(url.host, url.port or _PORTS[url.scheme])
    try:
        _check_public(url.host, url.host)
    except ValueError:
        return


def check_address(
    host: str, port: int, private_hosts: Collection[str], *, resolve: Resolve = socket.getaddrinfo
) -> list[str]:
    """Addresses of the host that may be connected to, in the resolver's order; all were checked.

    Raises ``TransientSourceError`` if the name can't be resolved now, ``TerminalSourceError`` if any address isn't public.
    """
    is_private = is_private_host(host, private_hosts)
    if not is_private:
        _check_port(host, port)
    try:
        found = resolve(host, port, type=socket.SOCK_STREAM)
    except (socket.gaierror, UnicodeError) as error:
        raise TransientSourceError(f"{host}: the name can't be resolved ({error})") from None
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    for address in addresses:
        if not is_private:
            _check_public(host, address)
    return addresses


def _check_port(host: str, port: int) -> None:
    if port not in _PORTS.values():
        raise TerminalSourceError(
            f"{host}: port {port} is not asked, only 80 and 443 (collect.private_hosts lifts this)"
        )


def _check_public(host: str, address: str) -> None:
    """Raises ``ValueError`` for what is no address, ``TerminalSourceError`` for one that isn't public."""
    if not _is_public(ip_address(address)):
        raise TerminalSourceError(
            f"{host}: {address} is not an address on the public internet; if it may be asked, name the host in "
            "collect.private_hosts"
        )


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    """Stricter than ``is_global``, which lets multicast, 6to4 and site-local addresses pass."""
    if isinstance(address, IPv4Address):
        return address.is_global and not address.is_multicast
    if address.ipv4_mapped is not None:
        return _is_public(address.ipv4_mapped)
    if address in _NAT64:  # networks without IPv4 reach every such host through this prefix (RFC 6052)
        return _is_public(IPv4Address(int(address) & 0xFFFFFFFF))
    return address in _GLOBAL_UNICAST and address not in _SIX_TO_FOUR and address.is_global


@contextmanager
def time_cap(seconds: float) -> Iterator[None]:
    """Everything that this thread sends and receives inside the block takes no longer than this.

    Timeouts of httpx hold for one read each; a server that drips a byte now and then would never meet one.
    """
    token = _ends_at.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _ends_at.reset(token)


def _left(timeout: float | None) -> float | None:
    """The timeout of one read, no longer than what the cap leaves; raises ``httpcore.ReadTimeout`` if that is nothing."""
    ends_at = _ends_at.get()
    if ends_at is None:
        return timeout
    left = ends_at - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("took longer than collect.max_seconds_per_request")
    return left if timeout is None else min(timeout, left)


class _CappedStream(httpcore.NetworkStream):
    """A connection whose reads and writes end with the time cap."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _CappedStream(self._stream.start_tls(ssl_context, server_hostname, _left(timeout)))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


@dataclass(frozen=True, slots=True)
class GuardedBackend(httpcore.NetworkBackend):
    """Connects to checked addresses only, the next one where one doesn't answer.

    The pool above it still knows the host by name: the ``Host`` header and the TLS server name are not the address.
    """

    private_hosts: Collection[str]
    resolve: Resolve = socket.getaddrinfo
    sockets: httpcore.NetworkBackend = field(default_factory=httpcore.SyncBackend)

    def connect_tcp(
        self, host: str, port: int, timeout: float | None = None, local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:  # fmt: skip
        """A connection to the host; raises what ``check_address`` raises, and ``httpcore.ConnectError``."""
        failure: Exception = httpcore.ConnectError(f"{host} has no address")
        for address in check_address(host, port, self.private_hosts, resolve=self.resolve):
            try:
                return _CappedStream(
                    self.sockets.connect_tcp(address, port, _left(timeout), local_address, socket_options)
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure


class GuardedTransport(httpx.HTTPTransport):
    """httpx's transport over guarded connections: certificates verified, proxies and files of the environment not read."""

    def __init__(self, private_hosts: Collection[str]) -> None:
        # httpx hands no network backend through. The pool is all that HTTPTransport keeps (httpx is pinned to 0.28), so it
        # is made here instead of by the parent.
        self._pool = httpcore.ConnectionPool(
            ssl_context=httpx.create_ssl_context(trust_env=False),
            max_connections=None,
            keepalive_expiry=_KEEPALIVE_SECONDS,
            network_backend=GuardedBackend(private_hosts),
        )
