"""Locks on files: whoever waited holds the file that the next one will lock."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from envctl.adapters.local.locking import is_locked, locked

if TYPE_CHECKING:
    from pathlib import Path


async def test_only_one_holds_it(tmp_path: Path) -> None:
    path = tmp_path / "new" / "lock"
    async with locked(path):
        assert is_locked(path)
        second = asyncio.create_task(_hold(path))
        _, waiting = await asyncio.wait({second}, timeout=0.3)
        assert waiting == {second}
    await asyncio.wait_for(second, 5)
    assert not is_locked(path)


async def test_a_file_that_was_deleted_is_no_lock_any_more(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    held = asyncio.Event()
    async with locked(path):
        second = asyncio.create_task(_hold(path, held))
        await asyncio.wait({second}, timeout=0.3)
        path.unlink()
    await asyncio.wait_for(held.wait(), 5)
    assert is_locked(path)
    second.cancel()
    await asyncio.wait({second})


async def _hold(path: Path, held: asyncio.Event | None = None) -> None:
    async with locked(path):
        if held:
            held.set()
            await asyncio.Event().wait()
