"""Requests over TLS and plain connections: certificates, reuse, and invalid responses."""

import asyncio
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from app.webhooks.connector import Connector
from app.webhooks.http_client import HttpClient, HttpOutcome
from tests.webhooks.delivery import LOCALHOST
from tests.webhooks.receiver import ReceivedRequest, Receiver, http_response, running_receiver

NAME = "crm.example"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file with a certificate for one name and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    named = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(named)
        .issuer_name(named)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem, kind = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    path.write_bytes(
        signed.public_bytes(pem) + key.private_bytes(pem, kind, serialization.NoEncryption())
    )
    return path


@pytest.fixture
def server_names() -> list[str | None]:
    """The server names that TLS handshakes requested."""
    return []


@pytest.fixture
def receiver(certificate: Path, server_names: list[str | None]) -> Iterator[Receiver]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.sni_callback = lambda _, name, __: server_names.append(name)
    with running_receiver(Receiver(), tls=context) as started:
        yield started


async def resolve_to_localhost(_: str, __: int) -> Sequence[str]:
    """Resolve every name to this machine."""
    return ["127.0.0.1"]


def send(url: str, certificate: Path) -> HttpOutcome:
    tls = ssl.create_default_context(cafile=str(certificate))

    async def exchange() -> HttpOutcome:
        client = HttpClient(Connector(LOCALHOST, resolve_to_localhost), tls=tls)
        outcome = await client.post(url, {}, b"{}")
        client.close()
        return outcome

    return asyncio.run(exchange())


def test_the_host_name_is_used_for_the_certificate_and_the_host_header(
    receiver: Receiver, certificate: Path, server_names: list[str | None]
) -> None:
    outcome = send(f"https://{NAME}:{receiver.port}/", certificate)

    assert (outcome.status, outcome.error) == (200, None)
    assert server_names == [NAME]
    assert receiver.received[0].headers["host"] == f"{NAME}:{receiver.port}"


def test_a_certificate_for_another_name_is_refused(receiver: Receiver, certificate: Path) -> None:
    outcome = send(f"https://other.example:{receiver.port}/", certificate)

    assert outcome.error == "connect_failed"
    assert receiver.received == []


def post_all(*urls: str) -> list[HttpOutcome]:
    """Send one request after the other with one client."""

    async def exchange() -> list[HttpOutcome]:
        client = HttpClient(Connector(LOCALHOST), deadline_seconds=5)
        outcomes = [await client.post(url, {"x-a": "b"}, b"{}") for url in urls]
        client.close()
        return outcomes

    return asyncio.run(exchange())


def test_a_connection_is_reused() -> None:
    with running_receiver(Receiver()) as receiver:
        outcomes = post_all(*[receiver.url] * 3)

        assert [each.status for each in outcomes] == [200] * 3
        assert (len(receiver.received), receiver.connections) == (3, 1)


@pytest.mark.parametrize(
    "first",
    [
        http_response(200, connection="close"),
        http_response(200, b"x" * 10_000),
        b"HTTP/1.0 200 OK\r\n\r\nall",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"x-long: " + b"y" * 100_000 + b"\r\n\r\n",
    ],
)
def test_a_connection_in_an_unclear_state_is_not_reused(first: bytes) -> None:
    responses = iter([first, http_response(204)])

    def respond(_: ReceivedRequest) -> bytes | Callable[[socket.socket], None]:
        response = next(responses)
        if response.startswith(b"HTTP/1.1 2"):
            return response
        return lambda connection: send_and_close(connection, response)

    with running_receiver(Receiver(respond)) as receiver:
        outcomes = post_all(receiver.url, receiver.url)

        assert outcomes[1].status == 204
        assert receiver.connections == 2


def send_and_close(connection: socket.socket, response: bytes) -> None:
    connection.sendall(response)
    connection.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (b"nonsense\r\n\r\n", "protocol_error"),
        (b"", "connection_broken"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf", "protocol_error"),
        (b"HTTP/1.1 200 OK\r\nx-long: " + b"y" * 100_000, "protocol_error"),
    ],
)
def test_invalid_responses_have_distinct_errors(response: bytes, error: str) -> None:
    with running_receiver(
        Receiver(lambda _: lambda connection: send_and_close(connection, response))
    ) as bad:
        [outcome] = post_all(bad.url)

    assert (outcome.status, outcome.error) == (None, error)


def test_informational_responses_are_skipped() -> None:
    early = b"HTTP/1.1 102 Processing\r\n\r\n" * 3

    with running_receiver(Receiver(lambda _: early + http_response(204))) as receiver:
        assert post_all(receiver.url)[0].status == 204
