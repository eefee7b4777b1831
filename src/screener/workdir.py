"""The working directory: where lake, results store, pseudonym key and caches live."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from screener.errors import ConfigError, UsageError

KEY_VARIABLE = "SCREENER_PSEUDONYM_KEY"
_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Workdir:
    """Paths below one folder (``--workdir``, ``$SCREENER_WORKDIR`` or ``var/``); made on first use, not on import."""

    root: Path

    @property
    def lake(self) -> Path:
        """Parquet parts, a folder per layer."""
        return self.root / "lake"

    @property
    def store_url(self) -> str:
        """SQLite results store, unless config or environment names another."""
        return f"sqlite:///{self.root / 'results.db'}"

    @property
    def cache(self) -> Path:
        """What can be made again."""
        return self.root / "cache"

    @property
    def demo(self) -> Path:
        """Where the demonstration posts are unpacked for the file connector."""
        return self.root / "demo"

    def ensure(self) -> Workdir:
        """Create the folder; raises ``UsageError`` if that cannot be."""
        try:
            self.root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"--workdir {self.root}: {error.strerror or error}") from error
        if not os.access(self.root, os.W_OK):
            raise UsageError(f"--workdir {self.root}: not writable")
        return self

    def pseudonym_key(self) -> bytes:
        """The HMAC key for author pseudonyms: from ``$SCREENER_PSEUDONYM_KEY`` (hex), or made once with mode 0600.

        Losing the key makes old and new pseudonyms incomparable, so voices of one author would count twice.
        """
        if value := os.environ.get(KEY_VARIABLE):
            try:
                key = bytes.fromhex(value)
            except ValueError as error:
                raise ConfigError("environment", KEY_VARIABLE, "is not hexadecimal") from error
            if len(key) < _KEY_BYTES:
                raise ConfigError("environment", KEY_VARIABLE, f"has {len(key)} bytes, needs at least {_KEY_BYTES}")
            return key
        return self._key_file()

    def _key_file(self) -> bytes:
        path = self.ensure().root / "pseudonym.key"
        if not path.exists() and any((self.lake / "posts").glob("source=*")):
            raise ConfigError(
                path,
                "key",
                f"is missing, but the lake holds authors made with it; restore it, or set {KEY_VARIABLE}, or remove the lake too",
            )
        temporary = path.with_suffix(f".{os.getpid()}")
        if not path.exists():
            handle = os.open(temporary, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "w") as stream:
                stream.write(secrets.token_hex(_KEY_BYTES))
            try:
                os.link(temporary, path)  # atomic, and the first of two processes wins
            except FileExistsError:
                pass
            finally:
                temporary.unlink()
        try:
            key = bytes.fromhex(path.read_text())
        except ValueError as error:
            raise ConfigError(
                path, "key", "is damaged; restore it from a backup, or remove it and the lake to start over"
            ) from error
        if len(key) < _KEY_BYTES:
            raise ConfigError(
                path, "key", "is too short; restore it from a backup, or remove it and the lake to start over"
            )
        return key
