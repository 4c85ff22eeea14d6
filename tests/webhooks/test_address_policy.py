"""Nothing is sent to a non-public address, however it is spelt or reached."""

import asyncio
import socket
import ssl
from asyncio import StreamReader, StreamWriter
from collections.abc import Sequence
from ipaddress import ip_network

import pytest

from app.webhooks.address_policy import AddressDeniedError, check_addresses
from app.webhooks.connector import (
    ConnectFailedError,
    Connector,
    HttpOrigin,
    NameUnresolvedError,
    Resolve,
    resolve,
)
from app.webhooks.http_client import HttpClient, HttpOutcome
from tests.webhooks.delivery import LOCALHOST
from tests.webhooks.receiver import Receiver, running_receiver

PUBLIC, PRIVATE = "93.184.215.14", "10.0.0.1"

DENIED = [
    "127.0.0.1",
    "127.1",
    "0x7f.0.0.1",
    "0177.0.0.1",
    "2130706433",
    "017700000001",
    "0x7f000001",
    "0",
    "0.0.0.0",  # noqa: S104 - denied
    "localhost",
    "::1",
    "::",
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
    "::127.0.0.1",
    "::ffff:8.8.8.8",
    "64:ff9b::169.254.169.254",
    "64:ff9b::8.8.8.8",
    "64:ff9b:1::a00:1",
    "2002:7f00:1::",
    "2001:0:7f00:1::",
    "169.254.169.254",
    "0xa9fea9fe",
    "168.63.129.16",
    "100.100.100.200",
    "192.0.0.192",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%lo",
    "fec0::1",
    "ff02::1",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "100.64.0.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "2001:db8::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
]


class RecordingConnect:
    """Refuses every connection and records the addresses."""

    def __init__(self) -> None:
        self.addresses: list[str] = []

    async def __call__(self, address: str, _: HttpOrigin) -> tuple[StreamReader, StreamWriter]:
        self.addresses.append(address)
        raise ConnectionRefusedError


class FakeResolver:
    """A resolver with a list of answers; the last answer repeats."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers, self.calls = list(answers), 0

    async def __call__(self, _: str, __: int) -> Sequence[str]:
        answer = self.answers[min(self.calls, len(self.answers) - 1)]
        self.calls += 1
        return answer


def connect_to(
    recorder: RecordingConnect, host: str = "crm.example", *, resolve: Resolve = resolve
) -> None:
    origin = HttpOrigin(host, 443, ssl.create_default_context())
    asyncio.run(Connector((), resolve, recorder).open_connection(origin))


@pytest.mark.parametrize("spelling", DENIED)
def test_no_spelling_of_a_non_public_address_is_connected_to(spelling: str) -> None:
    recorder = RecordingConnect()

    with pytest.raises(
        (AddressDeniedError, NameUnresolvedError)
    ):  # some systems do not know a spelling
        connect_to(recorder, spelling)

    assert recorder.addresses == []


@pytest.mark.parametrize("spelling", ["127.1", "0x7f.0.0.1", "2130706433", "localhost"])
def test_this_system_resolves_these_spellings(spelling: str) -> None:
    """Otherwise the test above would prove nothing for them."""
    answers = socket.getaddrinfo(spelling, 443, family=socket.AF_INET, type=socket.SOCK_STREAM)

    assert answers[0][4][0] == "127.0.0.1"


@pytest.mark.parametrize("address", [PUBLIC, "8.8.8.8", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"])
def test_the_checked_public_address_is_the_one_connected_to(address: str) -> None:
    recorder, names = RecordingConnect(), FakeResolver([address])

    with pytest.raises(ConnectFailedError):
        connect_to(recorder, resolve=names)

    assert (recorder.addresses, names.calls) == ([address], 1)


@pytest.mark.parametrize("answer", [[PUBLIC, PRIVATE], [PRIVATE, PUBLIC], ["::1", PUBLIC], []])
def test_one_denied_address_among_others_denies_the_host(answer: list[str]) -> None:
    recorder = RecordingConnect()

    with pytest.raises(AddressDeniedError):
        connect_to(recorder, resolve=FakeResolver(answer))

    assert recorder.addresses == []


def test_a_name_that_resolves_differently_the_second_time_is_denied() -> None:
    recorder, names = RecordingConnect(), FakeResolver([PUBLIC], [PRIVATE])

    with pytest.raises(ConnectFailedError):
        connect_to(recorder, resolve=names)
    with pytest.raises(AddressDeniedError):
        connect_to(recorder, resolve=names)

    assert recorder.addresses == [PUBLIC]


def test_the_next_address_is_tried_if_the_first_does_not_answer() -> None:
    recorder, addresses = RecordingConnect(), ["93.184.215.1", "93.184.215.2"]

    with pytest.raises(ConnectFailedError):
        connect_to(recorder, resolve=FakeResolver(addresses))

    assert recorder.addresses == addresses


def test_only_networks_allowed_by_the_operator_are_allowed_besides_public_ones() -> None:
    allowed = [ip_network("10.1.0.0/16"), ip_network("fd00::/8")]

    assert check_addresses(["10.1.2.3", "fd00::1", PUBLIC], allowed, plain=False)
    for address in ("10.2.0.1", "::ffff:10.1.2.3", "127.0.0.1"):
        with pytest.raises(AddressDeniedError):
            check_addresses([address], allowed, plain=False)


def test_without_tls_only_allowed_networks_are_connected_to() -> None:
    assert check_addresses(["127.0.0.1"], LOCALHOST, plain=True)
    with pytest.raises(AddressDeniedError, match="Without TLS"):
        check_addresses([PUBLIC], LOCALHOST, plain=True)


def test_a_client_does_not_connect_to_this_machine_unless_it_is_allowed() -> None:
    with running_receiver(Receiver()) as receiver:
        for host in ("127.0.0.1", "localhost", "0x7f.1", "[::ffff:127.0.0.1]"):
            for scheme in ("http", "https"):
                outcome = asyncio.run(
                    post(HttpClient(Connector(())), f"{scheme}://{host}:{receiver.port}/")
                )
                assert outcome.error == "address_denied"

        assert receiver.connections == 0
        assert asyncio.run(post(HttpClient(Connector(LOCALHOST)), receiver.url)).status == 200


def test_proxy_variables_of_the_environment_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    with running_receiver(Receiver()) as proxy, running_receiver(Receiver()) as receiver:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"):
            monkeypatch.setenv(name, proxy.url)

        assert asyncio.run(post(HttpClient(Connector(LOCALHOST)), receiver.url)).status == 200
        assert (
            asyncio.run(post(HttpClient(Connector(())), "https://10.0.0.1/")).error
            == "address_denied"
        )

        assert (proxy.connections, receiver.connections) == (0, 1)


async def post(client: HttpClient, url: str) -> HttpOutcome:
    outcome = await client.post(url, {}, b"{}")
    client.close()
    return outcome
