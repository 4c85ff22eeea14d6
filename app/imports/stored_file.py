"""Uploaded files in the database, as compressed chunks, so that any worker can continue."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import zstandard
from sqlalchemy.orm import Session

from app.core.db import SessionFactory
from app.imports import queries
from app.imports.tables import ImportChunk


def store_file(
    session: Session, workspace_id: str, import_id: str, blocks: Iterable[bytes]
) -> None:
    """Store a file's content; each chunk is written before the next is read."""
    compressor, start = zstandard.ZstdCompressor(), 0
    for block in blocks:
        chunk = ImportChunk(
            workspace_id=workspace_id,
            import_id=import_id,
            start=start,
            content=compressor.compress(block),
        )
        session.add(chunk)
        session.flush()
        session.expunge(chunk)
        start += len(block)


@dataclass(frozen=True, slots=True)
class StoredFile:
    """An uploaded file as a ``FileSource``."""

    sessions: SessionFactory
    workspace_id: str
    import_id: str

    def blocks(self, offset: int) -> Iterator[bytes]:
        while block := self._read_block(offset):
            offset += len(block)
            yield block

    def _read_block(self, offset: int) -> bytes:
        with self.sessions() as session:
            chunk = queries.find_chunk(session, self.workspace_id, self.import_id, offset)
        if chunk is None:
            return b""
        return zstandard.ZstdDecompressor().decompress(chunk.content)[offset - chunk.start :]
