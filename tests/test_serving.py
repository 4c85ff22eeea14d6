"""Checks at the start of ``serve``."""

import socket

import pytest

from app import serving
from app.core.settings import Settings
from app.serving import PortTakenError


def at(port: int) -> Settings:
    return Settings(_env_file=None, host="127.0.0.1", port=port)


def test_a_port_in_use_is_detected_first() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(PortTakenError, match=f"127.0.0.1:{port} cannot be served"):
            serving.expect_free_port(at(port))

    serving.expect_free_port(at(port))
