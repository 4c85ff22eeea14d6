"""Errors of the database, which are logged with their traceback, contain no values of a row."""

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DataError


def test_a_database_error_does_not_contain_the_parameters_of_its_statement(engine: Engine) -> None:
    statement = text("SELECT CAST(:email AS text), 1 / CAST(:zero AS integer)")

    with engine.connect() as connection, pytest.raises(DataError) as caught:
        connection.execute(statement, {"email": "eve@example.com", "zero": 0})

    assert "division by zero" in str(caught.value)
    assert "eve@example.com" not in str(caught.value)
