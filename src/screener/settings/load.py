"""Reads ``config/`` once, at the door, into one frozen object; a mistake names file, key and legal values."""

from __future__ import annotations

import hashlib
import os
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from screener.codes import is_language
from screener.errors import ConfigError, UnknownCodeError
from screener.records import Watch
from screener.settings.schemas import (
    LabelEntry,
    LexiconFile,
    RuntimeSettings,
    Sector,
    SectorFile,
    TaxonomyFile,
    WatchFile,
)
from screener.settings.sources import KINDS, ApiSource, FileSource, Source

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class Settings:
    """All of ``config/``, validated, with the hash that published rows carry."""

    folder: Path
    sha256: str
    runtime: RuntimeSettings
    watches: tuple[Watch, ...]
    sectors: tuple[Sector, ...]
    taxonomy_version: str
    labels: tuple[LabelEntry, ...]
    lexicons: tuple[LexiconFile, ...]
    sources: tuple[Source, ...]

    @property
    def label_ids(self) -> tuple[str, ...]:
        """The taxonomy's labels in the guide's order."""
        return tuple(label.id for label in self.labels)

    @property
    def watched_languages(self) -> frozenset[str]:
        """Languages that the workers of any watch speak."""
        return frozenset(language for watch in self.watches for language in watch.expected_languages)

    def sector(self, slug: str) -> Sector:
        """The sector of this slug; raises ``UnknownCodeError`` with the legal slugs."""
        for sector in self.sectors:
            if sector.slug == slug:
                return sector
        raise UnknownCodeError("sector", slug, [sector.slug for sector in self.sectors])

    def watch(self, country: str, sector: str) -> Watch | None:
        """The watch of this cell, if it is watched."""
        return next((w for w in self.watches if (w.country, w.sector) == (country, sector)), None)


def find_shipped(name: str) -> Path:
    """Folder ``config`` or ``models``: below the working directory, beside the source tree, or inside the wheel."""
    here = Path(__file__).resolve().parent
    for candidate in (Path.cwd() / name, here.parents[2] / name, here.parent / "_shipped" / name):
        if candidate.is_dir() and any(candidate.iterdir()):
            return candidate
    raise ConfigError(Path.cwd() / name, name, "no such folder; give it with --config or SCREENER_CONFIG")


def load_settings(folder: Path | None = None) -> Settings:
    """Validated settings from ``folder``, ``$SCREENER_CONFIG`` or the shipped ``config/``; raises ``ConfigError``."""
    chosen = folder or (Path(env) if (env := os.environ.get("SCREENER_CONFIG")) else find_shipped("config"))
    if not chosen.is_dir():
        raise ConfigError(chosen, "config", "no such folder")
    taxonomy = _read(chosen / "taxonomy.toml", TaxonomyFile)
    settings = Settings(
        folder=chosen,
        runtime=_read(chosen / "screener.toml", RuntimeSettings),
        watches=_watches(chosen / "watches.toml"),
        sectors=_read(chosen / "sectors.toml", SectorFile).sectors,
        taxonomy_version=taxonomy.version,
        labels=taxonomy.labels,
        lexicons=tuple(_read_lexicon(path) for path in sorted((chosen / "lexicon").glob("*.toml"))),
        sources=tuple(_read_source(path) for path in sorted((chosen / "sources").glob("*.toml"))),
        sha256=_digest(chosen),  # last: it reads bytes, and the readers above say better what is wrong with a file
    )
    _check_references(settings)
    return settings


def _check_references(settings: Settings) -> None:
    slugs = [sector.slug for sector in settings.sectors]
    _refuse_twice(settings.folder / "sectors.toml", "slug", slugs)
    _refuse_twice(settings.folder / "watches.toml", "watch", [watch.key for watch in settings.watches])
    _refuse_twice(settings.folder / "sources", "name", [source.name for source in settings.sources])
    _refuse_twice(settings.folder / "taxonomy.toml", "labels.id", list(settings.label_ids))
    for watch in settings.watches:
        if watch.sector not in slugs:
            raise ConfigError(
                settings.folder / "watches.toml",
                f"watches.{watch.key}.sector",
                f"'{watch.sector}' is unknown",
                legal=slugs,
            )
    for source in settings.sources:
        named = [source.sector] if isinstance(source, FileSource) else [target.sector for target in source.targets]
        for sector in named:
            if sector is not None and sector not in slugs:
                raise ConfigError(
                    settings.folder / "sources" / f"{source.name}.toml", "sector", f"'{sector}' is unknown", legal=slugs
                )
    for lexicon in settings.lexicons:
        file = settings.folder / "lexicon" / f"{lexicon.language}.toml"
        if unknown := sorted(set(lexicon.labels) - set(settings.label_ids)):
            raise ConfigError(file, f"labels.{unknown[0]}", "unknown label", legal=settings.label_ids)
    _check_thresholds(settings)


def _check_thresholds(settings: Settings) -> None:
    file, legal = settings.folder / "screener.toml", (*settings.label_ids, "relevance", "positive")
    for label, by_language in settings.runtime.classify.thresholds.items():
        if label not in legal:
            raise ConfigError(file, f"classify.thresholds.{label}", "unknown label", legal=legal)
        for language in by_language:
            if language != "default" and not is_language(language):
                raise ConfigError(
                    file,
                    f"classify.thresholds.{label}.{language}",
                    "unknown language",
                    legal=["default", "a language code such as my"],
                )


def _refuse_twice(file: Path, key: str, values: list[str]) -> None:
    for value in values:
        if values.count(value) > 1:
            raise ConfigError(file, key, f"'{value}' stands twice")


def _watches(path: Path) -> tuple[Watch, ...]:
    return tuple(
        Watch(entry.country, entry.sector, entry.languages, entry.migrant_languages, tuple(entry.queries.items()))
        for entry in _read(path, WatchFile).watches
    )


def _read(path: Path, model: type[Model]) -> Model:
    try:
        return model.model_validate(_toml(path))
    except ValidationError as error:
        raise _config_error(path, error) from None  # pydantic's own error shows the whole input, pasted secrets too


def _read_lexicon(path: Path) -> LexiconFile:
    lexicon = _read(path, LexiconFile)
    if lexicon.language != path.stem:
        raise ConfigError(path, "language", f"'{lexicon.language}' must equal the file's name", legal=[path.stem])
    return lexicon


def _read_source(path: Path) -> Source:
    kind = _toml(path).get("kind")
    if kind != "file" and kind not in KINDS:
        raise ConfigError(path, "kind", f"is {kind!r}" if kind is not None else "is missing", legal=["file", *KINDS])
    source: Source = _read(path, FileSource) if kind == "file" else _read(path, ApiSource)
    if source.name != path.stem:
        raise ConfigError(path, "name", f"'{source.name}' must equal the file's name", legal=[path.stem])
    return source


def _toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(path, "file", "is missing") from error
    except OSError as error:
        raise ConfigError(path, "file", f"can't be read ({error.strerror or error})") from error
    except UnicodeDecodeError as error:
        raise ConfigError(path, "file", f"is not UTF-8 (byte {error.start})") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(path, "file", f"is not TOML: {error}") from error


def _config_error(path: Path, error: ValidationError) -> ConfigError:
    found = error.errors(include_url=False)
    # a typo is also a missing key; the typo explains both
    first = next((e for e in found if e["type"] == "extra_forbidden"), found[0])
    key = ".".join(str(part) for part in first["loc"]) or "file"
    legal: list[str] = []
    if first["type"] == "extra_forbidden":
        return ConfigError(path, key, "unknown key", legal=_known_keys(error, first["loc"]))
    if first["type"] == "missing":
        return ConfigError(path, key, "is missing")
    if "expected" in first.get("ctx", {}):
        legal = [str(first["ctx"]["expected"])]
    others = len(found) - 1
    more = f" (and {others} more)" if others else ""
    return ConfigError(path, key, f"{first['msg']}{_got(first)}{more}", legal=legal)


def _got(found: Any) -> str:
    """What stood there, unless it may be a secret: a pasted token, an address with a password, a table that holds either."""
    is_plain = isinstance(found["input"], str | int | float | bool)
    return f", got {found['input']!r:.60}" if is_plain and not {"credentials", "url"} & set(found["loc"]) else ""


def _known_keys(error: ValidationError, loc: tuple[int | str, ...]) -> list[str]:
    """Keys legal beside the unknown one, found by walking the schema along the error's location."""
    from screener.settings import schemas, sources

    current: Any = getattr(schemas, error.title, None) or getattr(sources, error.title, None)
    for part in loc[:-1]:
        if current is None or isinstance(part, int):
            continue
        fields = getattr(current, "model_fields", {})
        annotation = fields[part].annotation if part in fields else None
        current = _inner_model(annotation)
    return sorted(getattr(current, "model_fields", {}))


def _inner_model(annotation: Any) -> Any:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        if (found := _inner_model(argument)) is not None:
            return found
    return None


def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.toml")):
        digest.update(path.relative_to(folder).as_posix().encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
