"""Which addresses may be asked, and that a connection goes to the address that was checked and to no other."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpcore
import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from screener.collect.guard import GuardedBackend, GuardedTransport, check_address, check_url, time_cap
from screener.errors import TerminalSourceError, TransientSourceError

PUBLIC, OTHER_PUBLIC, PUBLIC_IPV6 = "93.184.215.14", "93.184.215.15", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"
NOT_PUBLIC = [
    "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "255.255.255.255",
    "224.0.0.1", "240.0.0.1", "198.18.0.1", "192.0.2.1",
    "::1", "::", "fe80::1", "fe80::1%eth0", "fd00::1", "fec0::1", "ff02::1", "ff0e::1", "2001:db8::1", "::127.0.0.1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a00:1", "2002:7f00:1::", "2002:5db8:d70e::1", "2001:0:5db8:d70e::1", "100::1", "5f00::1",
]  # fmt: skip


class Names:
    """A name server that gives its answers one after the other, the last one for ever."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers, self.asked = list(answers), []

    def __call__(self, host: str, port: int, **_: object) -> list[tuple[Any, ...]]:
        self.asked.append(host)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in answer]


class Sockets(httpcore.NetworkBackend):
    """Writes down where a connection would have gone; those in ``dead`` don't answer."""

    def __init__(self, dead: tuple[str, ...] = ()) -> None:
        self.dead, self.connected = dead, []

    def connect_tcp(self, host: str, port: int, *_: object, **__: object) -> httpcore.NetworkStream:
        self.connected.append((host, port))
        if host in self.dead:
            raise httpcore.ConnectError("refused")
        return httpcore.MockStream([])


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_name_that_leads_to_a_private_address_is_refused(address: str) -> None:
    with pytest.raises(TerminalSourceError, match=r"union\.example: .* name the host in collect\.private_hosts"):
        check_address("union.example", 443, (), resolve=Names([address]))


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_one_private_address_among_public_ones_is_enough(address: str) -> None:
    for answer in ([PUBLIC, address], [address, PUBLIC]):
        with pytest.raises(TerminalSourceError):
            check_address("union.example", 443, (), resolve=Names(answer))


@pytest.mark.parametrize("address", [PUBLIC, PUBLIC_IPV6, "::ffff:93.184.215.14", "64:ff9b::5db8:d70e"])
def test_public_address_is_given_back_once(address: str) -> None:
    assert check_address("union.example", 443, (), resolve=Names([address, address])) == [address]


def test_private_host_may_be_anywhere_and_at_any_port() -> None:
    assert check_address("forum.intern", 8080, ("forum.intern",), resolve=Names(["10.0.0.1"])) == ["10.0.0.1"]
    assert check_address("Forum.Intern.", 8080, ("forum.intern",), resolve=Names(["10.0.0.1"])) == ["10.0.0.1"]
    with pytest.raises(TerminalSourceError):
        check_address("a.forum.intern", 443, ("forum.intern",), resolve=Names(["10.0.0.1"]))


@pytest.mark.parametrize("port", [0, 22, 6379, 8080])
def test_other_ports_are_refused_before_the_name_is_looked_up(port: int) -> None:
    names = Names([PUBLIC])
    with pytest.raises(TerminalSourceError, match=f"port {port} is not asked"):
        check_address("union.example", port, (), resolve=names)
    assert names.asked == []


@pytest.mark.parametrize("error", [socket.gaierror(-2, "Name or service not known"), UnicodeError("label too long")])
def test_name_that_is_not_found_may_be_found_later(error: Exception) -> None:
    def resolve(*_: object, **__: object) -> list[tuple[Any, ...]]:
        raise error

    with pytest.raises(TransientSourceError, match=r"union\.example: the name can't be resolved"):
        check_address("union.example", 443, (), resolve=resolve)


@pytest.mark.parametrize("spelling", ["127.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.0.0.1", "::ffff:7f00:1"])
def test_private_address_in_whatever_spelling_is_refused(spelling: str) -> None:
    with pytest.raises(TerminalSourceError, match="not an address on the public internet"):
        check_address(spelling, 80, ())


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("ftp://union.example/", "only http and https"),
        ("file:///etc/passwd", "only http and https"),
        ("https:///feed", "only http and https"),
        ("/feed", "only http and https"),
        ("https://mira:hunter22@union.example/", "user name or password"),
        ("https://mira@union.example/", "user name or password"),
        ("https://union.example:8443/", "port 8443"),
        ("http://169.254.169.254/latest/meta-data/", "public internet"),
        ("http://[::1]/", "public internet"),
    ],
)
def test_address_that_shows_what_it_is_is_refused_before_anything_is_sent(url: str, problem: str) -> None:
    with pytest.raises(TerminalSourceError, match=problem) as caught:
        check_url(httpx.URL(url), ())
    assert "hunter22" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    ["https://union.example/feed", "http://union.example:443/", f"https://{PUBLIC}/", f"https://[{PUBLIC_IPV6}]/"],
)
def test_ordinary_address_is_let_through(url: str) -> None:
    check_url(httpx.URL(url), ())
    check_url(httpx.URL("http://forum.intern:8080/"), ("forum.intern",))


def test_connection_goes_to_the_checked_address_without_a_second_look_up() -> None:
    """DNS rebinding: the name server's next answer would be the inside of the network."""
    names, sockets = Names([PUBLIC], ["127.0.0.1"]), Sockets()
    GuardedBackend((), resolve=names, sockets=sockets).connect_tcp("union.example", 443)
    assert (names.asked, sockets.connected) == (["union.example"], [(PUBLIC, 443)])


def test_each_new_connection_is_checked_again() -> None:
    backend = GuardedBackend((), resolve=Names([PUBLIC], ["127.0.0.1"]), sockets=Sockets())
    backend.connect_tcp("union.example", 443)
    with pytest.raises(TerminalSourceError):
        backend.connect_tcp("union.example", 443)


def test_nothing_is_connected_to_if_one_address_is_private() -> None:
    sockets = Sockets()
    with pytest.raises(TerminalSourceError):
        GuardedBackend((), resolve=Names([PUBLIC, "10.0.0.1"]), sockets=sockets).connect_tcp("union.example", 443)
    assert sockets.connected == []


def test_next_address_is_tried_where_one_does_not_answer() -> None:
    sockets = Sockets(dead=(PUBLIC,))
    GuardedBackend((), resolve=Names([PUBLIC, OTHER_PUBLIC]), sockets=sockets).connect_tcp("union.example", 443)
    assert [address for address, _ in sockets.connected] == [PUBLIC, OTHER_PUBLIC]
    with pytest.raises(httpcore.ConnectError, match="refused"):
        GuardedBackend((), resolve=Names([PUBLIC]), sockets=sockets).connect_tcp("union.example", 443)
    with pytest.raises(httpcore.ConnectError, match="no address"):
        GuardedBackend((), resolve=Names([]), sockets=sockets).connect_tcp("union.example", 443)


def test_time_cap_leaves_ever_less_and_ends_with_its_block() -> None:
    class Clocked(Sockets):
        def connect_tcp(self, host: str, port: int, timeout: float | None = None, *_: object, **__: object) -> httpcore.NetworkStream:  # fmt: skip
            self.connected.append(timeout)
            return httpcore.MockStream([b"x"])

    sockets = Clocked()
    backend = GuardedBackend((), resolve=Names([PUBLIC]), sockets=sockets)
    backend.connect_tcp("union.example", 443, timeout=20.0)
    with time_cap(5.0):
        backend.connect_tcp("union.example", 443, timeout=20.0)
        backend.connect_tcp("union.example", 443)
        stream = backend.connect_tcp("union.example", 443, timeout=1.0)
    secured = stream.start_tls(ssl.create_default_context())
    for used in (stream, secured):
        with time_cap(0.0), pytest.raises(httpcore.ReadTimeout, match=r"collect\.max_seconds_per_request"):
            used.read(1)
        with time_cap(0.0), pytest.raises(httpcore.ReadTimeout):
            used.write(b"x")
        with time_cap(0.0), pytest.raises(httpcore.ReadTimeout):
            used.start_tls(ssl.create_default_context())
    assert stream.read(1) == b"x"
    first, capped, bare, short = sockets.connected
    assert (first, short) == (20.0, 1.0)
    assert 4.0 < bare <= capped <= 5.0


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for union.example that nobody has signed but itself, with its key, as one PEM file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "union.example")])
    now = datetime.now(UTC)
    built = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now - timedelta(1), now + timedelta(1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("union.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    path = tmp_path_factory.mktemp("tls") / "union.pem"
    plain = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(plain + built.public_bytes(serialization.Encoding.PEM))
    return path


@contextlib.contextmanager
def tls_server(certificate: Path) -> Iterator[tuple[int, list[str]]]:
    """A server on 127.0.0.1 that answers one request; its port, and the TLS server name and Host header that it sees."""
    seen: list[str] = []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.sni_callback = lambda _socket, name, _context: seen.append(name)

    def answer() -> None:
        connection, _ = listener.accept()
        with connection, contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True) as stream:
            request = stream.recv(65536).decode()
            seen.extend(line for line in request.split("\r\n") if line.lower().startswith("host:"))
            stream.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=answer)
        thread.start()
        yield listener.getsockname()[1], seen
        thread.join(timeout=5)


def test_tls_server_name_and_host_header_stay_the_name(certificate: Path) -> None:
    backend = GuardedBackend(("union.example",), resolve=Names(["127.0.0.1"]))
    trusting = ssl.create_default_context(cafile=certificate)
    with tls_server(certificate) as (port, seen), httpcore.ConnectionPool(trusting, network_backend=backend) as pool:
        answer = pool.request("GET", f"https://union.example:{port}/")
    assert (answer.status, answer.content) == (200, b"ok")
    assert seen == ["union.example", f"Host: union.example:{port}"]


def test_certificate_of_another_name_is_refused(certificate: Path) -> None:
    backend = GuardedBackend(("ngo.example",), resolve=Names(["127.0.0.1"]))
    trusting = ssl.create_default_context(cafile=certificate)
    with (
        tls_server(certificate) as (port, _),
        httpcore.ConnectionPool(trusting, network_backend=backend) as pool,
        pytest.raises(httpcore.ConnectError, match="Hostname mismatch"),
    ):
        pool.request("GET", f"https://ngo.example:{port}/")


def test_transport_verifies_certificates_whatever_the_environment_says(
    certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with (
        tls_server(certificate) as (port, _),
        httpx.Client(transport=GuardedTransport(("localhost",))) as client,
        pytest.raises(httpx.ConnectError, match=r"CERTIFICATE_VERIFY_FAILED.*self.signed"),
    ):
        client.get(f"https://localhost:{port}/")


def test_transport_refuses_the_own_machine() -> None:
    """Would fail if httpx no longer took its connections from the pool that was made for it."""
    refusal = pytest.raises(TerminalSourceError, match=r"localhost: .* not an address on the public internet")
    with httpx.Client(transport=GuardedTransport(())) as client, refusal:
        client.get("http://localhost/")
