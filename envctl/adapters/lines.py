"""Lines of what others write, bounded: some programs write megabytes without a line's end."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator

#: Bytes of a line; one that is longer is cut.
MAX_LINE = 16 * 1024


async def bounded(chunks: AsyncIterable[bytes]) -> AsyncIterator[str]:
    """The lines of a stream as text, each as soon as it has ended; no more of one is held."""
    rest, skipping = b"", False
    async for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if not skipping:
                yield line[:MAX_LINE].decode(errors="replace")
            skipping = False
        if len(rest) > MAX_LINE:
            if not skipping:
                yield rest[:MAX_LINE].decode(errors="replace") + " …"
            rest, skipping = b"", True
    if rest and not skipping:
        yield rest.decode(errors="replace")
