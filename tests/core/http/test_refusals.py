"""What the application sends after its connection was refused is dropped."""

from contextlib import closing

import pytest

from app.core.http.refusals import MAX_HEAD_BYTES
from tests.core.http.conftest import Serve, read_all
from tests.core.http.test_protocol import CHUNKED


def test_an_answer_after_a_refusal_is_dropped(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    """As that of a request without a key whose connection made room for others meanwhile."""
    connect = serve()
    with closing(connect()) as connection:
        connection.sendall(CHUNKED.replace(b"POST / ", b"POST /late "))
        connection.sendall(b"2;" + b"a" * 10 * MAX_HEAD_BYTES)
        status, problem = read_all(connection)

    assert (status, problem["code"]) == (431, "head_too_large")
    assert not [each for each in caplog.messages if "ASGI" in each]
