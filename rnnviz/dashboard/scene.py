"""A scene: everything that the page's controls say, and how it travels in a link."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any
from urllib.parse import parse_qsl, urlencode

from ..network.config import FIELDS, Config, from_text
from ..network.schemes import SCHEMES
from ..text.language import _
from ..text.registry import explain_choice
from ..views import OPTIONS

MOST_SEEDS = 100
MOST_SCHEMES = 6
LONGEST_LINK = 200_000  # characters; a text setting may be long, a hostile link longer


@dataclass(frozen=True)
class Scene:
    """One state of the page.

    Attributes
    ----------
    config : the settings; its scheme is the first one drawn.
    beside : the schemes drawn beside it.
    options : the page's choices that differ from their defaults.
    seeds : how many seeds are run.
    """

    config: Config = field(default_factory=Config)
    beside: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    seeds: int = 8

    def __post_init__(self):
        for name in self.beside:
            SCHEMES[name]
        # In the order of the registry, so that the same scenes are equal however they were put together.
        beside = tuple(name for name in SCHEMES if name in self.beside and name != self.config.scheme)
        object.__setattr__(self, "beside", beside[: MOST_SCHEMES - 1])
        for name, value in self.options.items():
            check_option(name, value)
        chosen = {name: value for name, value in self.options.items() if value != OPTIONS[name].choices[0][1]}
        object.__setattr__(self, "options", chosen)
        if isinstance(self.seeds, bool) or not isinstance(self.seeds, int) or not 1 <= self.seeds <= MOST_SEEDS:
            text = _("{name} must be a whole number from {low} to {high}; got {received}.")
            raise ValueError(text.format(name="seeds", low=1, high=MOST_SEEDS, received=repr(self.seeds)))

    @property
    def schemes(self) -> tuple[str, ...]:
        """The schemes drawn, the first one first."""
        return (self.config.scheme, *self.beside)

    def drawn(self, count: int) -> range:
        """Return the first ``count`` seeds, counted from the config's, or from lower down where they would run out."""
        first = min(self.config.seed, 2**32 - count)
        return range(first, first + count)

    def option(self, name: str) -> Any:
        """Return the value of one of the page's choices."""
        return self.options.get(name, OPTIONS[name].choices[0][1])

    def replace(self, **changes: Any) -> Scene:
        """Return a copy; fields of Config are changed in its config."""
        own = {spec.name for spec in fields(self)}
        inner = {name: value for name, value in changes.items() if name not in own}
        outer = {name: value for name, value in changes.items() if name in own}
        config = outer.pop("config", self.config)
        return replace(self, config=config.replace(**inner), **outer)

    def to_query(self, start: Scene) -> str:
        """Return what differs from ``start`` as a query string.

        >>> start = Scene()
        >>> start.replace(gain=1.5, beside=("he", "orthogonal")).to_query(start)
        'gain=1.5&beside=he%2Corthogonal'
        """
        mine, theirs = self.config.to_dict(), start.config.to_dict()
        pairs = {name: "" if value is None else value for name, value in mine.items() if value != theirs[name]}
        if self.beside != start.beside:
            pairs["beside"] = ",".join(self.beside)
        if self.seeds != start.seeds:
            pairs["seeds"] = self.seeds
        for name in OPTIONS:
            if self.option(name) != start.option(name):
                pairs[name] = int(self.option(name)) if isinstance(self.option(name), bool) else self.option(name)
        return urlencode(pairs)

    @classmethod
    def from_query(cls, query: str, start: Scene) -> tuple[Scene, list[str]]:
        """Return the scene of a link, and a sentence for each part of it that cannot be; ``start`` stands for those.

        Names that mean nothing here are left to whoever they are meant for.
        """
        if len(query) > LONGEST_LINK:
            return start, [_("This link is too long to be read: the page starts as usual.")]
        scene, problems = start, []
        parts = dict(parse_qsl(query.removeprefix("?"), keep_blank_values=True))
        # The schemes beside the first come last: they leave out the first one, wherever in the link that stands.
        for name, text in sorted(parts.items(), key=lambda part: part[0] == "beside"):
            try:
                scene = scene.with_text(name, text)
            except ValueError as error:
                problems.append(_("In this link {problem}").format(problem=error))
        return scene, problems

    def with_text(self, name: str, text: str) -> Scene:
        """Return a copy with one part set from a link's text; ValueError where that cannot be."""
        if name in FIELDS:
            optional = FIELDS[name].metadata.get("optional") and text == ""
            return self.replace(**{name: None if optional else from_text(FIELDS[name], text)})
        if name == "beside":
            return self.replace(beside=tuple(part for part in text.split(",") if part))
        if name == "seeds":
            return self.replace(seeds=from_text(FIELDS["seed"], text))
        if name in OPTIONS:
            return self.replace(options={**self.options, name: option_from_text(name, text)})
        return self


def check_option(name: str, value: Any) -> None:
    """Raise a ValueError unless ``value`` is one of the option's choices."""
    allowed = [choice for _, choice in OPTIONS[name].choices]
    if not any(value == choice and type(value) is type(choice) for choice in allowed):
        raise ValueError(explain_choice(name, value, [choice for choice in allowed if choice != ""]))


def option_from_text(name: str, text: str) -> Any:
    """Return a choice of the page from a link's text."""
    for _label, value in OPTIONS[name].choices:
        if text == value or (isinstance(value, bool) and text.lower() in (str(int(value)), str(value).lower())):
            return value
    return text
