"""Tables of imported files, their chunks, noted periods and row errors."""

from datetime import date

from sqlalchemy import ARRAY, BigInteger, ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from app.core.db import Instant, Key, Table


def job_reference() -> ForeignKey:
    return ForeignKey("job.id", ondelete="CASCADE")


class ImportFile(Table):
    """The file of an import; the import itself is a job with the same id.

    ``signature`` hashes the content and the plan. ``finished_at``: when ``finish_import`` was done
    after the import had ended; null until then.
    """

    __tablename__ = "import_file"
    __table_args__ = (
        Index(None, "workspace_id", "signature"),
        Index("import_file_unfinished_idx", "import_id", postgresql_where="finished_at IS NULL"),
    )

    import_id: Mapped[Key] = mapped_column(job_reference(), primary_key=True)
    workspace_id: Mapped[Key]
    signature: Mapped[Key]
    finished_at: Mapped[Instant | None]


class ImportChunk(Table):
    """A compressed piece of an uploaded file. ``start``: its offset in the plain content."""

    __tablename__ = "import_chunk"

    import_id: Mapped[Key] = mapped_column(job_reference(), primary_key=True)
    start: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    workspace_id: Mapped[Key]
    content: Mapped[bytes] = mapped_column(LargeBinary)


class ImportPeriod(Table):
    """A subscription period that a file states, until its import ends (docs/adr/0034).

    ``key``, ``subscription`` and ``terms``: hashes of which period of which subscription it is and
    of what it says. ``lines``: the first of the ``line_count`` lines that state it.
    ``is_contradicted``: they say different things. ``is_unnamed``: a line has no subscription_id.
    Notes of earlier releases have no ``subscription`` and no days.
    """

    __tablename__ = "import_period"
    __table_args__ = (Index(None, "import_id", "subscription"),)

    import_id: Mapped[Key] = mapped_column(job_reference(), primary_key=True)
    key: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    workspace_id: Mapped[Key]
    terms: Mapped[bytes] = mapped_column(LargeBinary)
    lines: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    line_count: Mapped[int] = mapped_column(BigInteger)
    is_contradicted: Mapped[bool]
    is_unnamed: Mapped[bool]
    subscription: Mapped[bytes | None] = mapped_column(LargeBinary)
    starts_on: Mapped[date | None]
    known_on: Mapped[date | None]
    ends_on: Mapped[date | None]


class ImportRowError(Table):
    """A row that could not be imported. Only the first 10,000 errors are stored."""

    __tablename__ = "import_error"

    import_id: Mapped[Key] = mapped_column(job_reference(), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    workspace_id: Mapped[Key]
    line: Mapped[int] = mapped_column(BigInteger)
    code: Mapped[Key]
    message: Mapped[str]
