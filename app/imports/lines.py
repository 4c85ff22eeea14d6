"""Split blocks of bytes into lines; a line that is too long is skipped, the others are not."""

from collections.abc import Iterable, Iterator

MAX_LINE_BYTES = 1024 * 1024


class Lines:
    """Iterates over lines without their ends, and knows where the next line starts.

    ``number``: of the next line, from 1. ``bad``: row error codes by line number. ``has_nul``:
    whether a NUL occurred so far.
    """

    def __init__(self, blocks: Iterable[bytes], *, offset: int = 0, number: int = 1) -> None:
        self.offset, self.number = offset, number
        self.bad: dict[int, str] = {}
        self.has_nul = False
        self._blocks = blocks

    def __iter__(self) -> Iterator[bytes]:
        rest, cut = b"", 0
        for block in self._blocks:
            self.has_nul = self.has_nul or b"\0" in block
            *whole, rest = (rest + block).split(b"\n")
            for line in whole:
                self.offset += cut + len(line) + 1
                yield self._next(line, cut)
                cut = 0
            if len(rest) > MAX_LINE_BYTES:
                cut, rest = cut + len(rest), b""
        if rest or cut:
            self.offset += cut + len(rest)
            yield self._next(rest, cut)

    def _next(self, line: bytes, cut: int) -> bytes:
        self.number += 1
        if not cut:
            return line
        self.bad[self.number - 1] = "line_too_long"
        return b""

    def texts(self) -> Iterator[str]:
        """Yield decoded lines with an end, as a CSV reader expects them."""
        for line in self:
            try:
                text = line.decode()
            except UnicodeDecodeError:
                self.bad[self.number - 1] = "invalid_encoding"
                text = line.decode(errors="replace")
            yield text + "\n"
