"""Logs say which exception happened where, and contain no values of rows and requests."""

import logging
from collections.abc import Callable
from io import StringIO

import orjson
import pytest
from sqlalchemy import Engine, text

from app.core import logs
from app.core.logs import format_exception
from app.core.postgres.engines import open_engine

PERSON = "eve@example.com"


def logged(act: Callable[[], object]) -> str:
    """Return the traceback of the exception that an action raises."""
    with pytest.raises(Exception) as caught:  # noqa: PT011 - any exception
        act()
    return format_exception((caught.type, caught.value, caught.tb))


def insert_twice(engine: Engine) -> None:
    statement = "CREATE TEMP TABLE person (id text CONSTRAINT person_key PRIMARY KEY)"
    with engine.begin() as connection:
        connection.execute(text(statement))
        for _ in range(2):
            connection.execute(text("INSERT INTO person VALUES (:id)"), {"id": PERSON})


def cast_to_number(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("SELECT CAST(CAST(:id AS text) AS integer)"), {"id": PERSON})


@pytest.mark.parametrize(
    ("act", "expected"),
    [
        (insert_twice, "UniqueViolation: 23505"),
        (insert_twice, "person_key"),
        (insert_twice, "IntegrityError: INSERT INTO person VALUES"),
        (cast_to_number, "InvalidTextRepresentation: 22P02"),
        (lambda _: int(PERSON), "ValueError"),
        (lambda _: dict[str, int]()[PERSON], "KeyError"),
    ],
)
def test_a_traceback_names_class_and_place_and_no_value(
    engine: Engine, act: Callable[[Engine], object], expected: str
) -> None:
    found = logged(lambda: act(engine))

    assert expected in found
    assert __file__ in found
    assert PERSON not in found


def test_a_traceback_contains_the_causes_without_their_values() -> None:
    def act() -> None:
        try:
            int(PERSON)
        except ValueError as error:
            raise RuntimeError("The page failed.") from error

    found = logged(act)

    assert found.index("ValueError") < found.index("RuntimeError: The page failed.")
    assert PERSON not in found


def test_a_lost_database_is_logged_with_host_and_reason() -> None:
    unreachable = open_engine("postgresql://u@127.0.0.1:1/x", pool_size=1)

    found = logged(unreachable.connect)

    assert "OperationalError: connection failed" in found
    assert "127.0.0.1" in found


def test_records_of_libraries_contain_no_values_either() -> None:
    stream = StringIO()
    logger = logging.getLogger("uvicorn.error.test")
    logger.addHandler(logging.StreamHandler(stream))
    try:
        int(PERSON)
    except ValueError:
        logger.exception("Exception in ASGI application")

    assert "ValueError" in stream.getvalue()
    assert PERSON not in stream.getvalue()


@pytest.mark.usefixtures("quiet_logs")
def test_a_warning_of_a_library_is_a_line_of_ours(capsys: pytest.CaptureFixture[str]) -> None:
    library, root = logging.getLogger("some_driver"), logging.getLogger()
    handlers, root.handlers = root.handlers, []  # pytest has its own; processes have none
    try:
        logs.configure("warning")
        library.warning("the connection of %s is lost", "a pipeline")
    finally:
        root.handlers = handlers

    line = orjson.loads(capsys.readouterr().err)
    assert line["event"] == "library_warning"
    assert line["level"] == "warning"
    assert (line["logger"], line["message"]) == (
        "some_driver",
        "the connection of a pipeline is lost",
    )
