"""What the controls say, and which comparison that asks for."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..network.checks import check
from ..network.config import FIELDS, Config, number
from ..network.schemes import SCHEMES
from ..text.language import N_, _
from ..text.registry import explain_choice
from ..views import OPTIONS
from .comparison import Comparison, OwnNetwork

MOST_SCHEMES = 6
DRAWS_HELP = N_("how many seeds are run: lines are their medians, bands hold all of them (from 19 on, the middle ones)")


@dataclass(frozen=True)
class Settings:
    """What the controls say.

    Raises
    ------
    ValueError : naming the scheme, option or number, and what is allowed.
    """

    config: Config = field(default_factory=Config)  # its scheme is the first one drawn
    beside: tuple[str, ...] = ()  # the schemes drawn beside it
    options: Mapping[str, Any] = field(default_factory=dict)  # the page's choices that differ from their defaults
    seeds: int = number(8, 1, 100, N_("Draws"), DRAWS_HELP, slider=(1, 32), step=1)
    network: OwnNetwork | None = None  # the reader's own, which is run alone, with one seed

    def __post_init__(self):
        beside, seeds = self.beside, check(SPECS["seeds"], self.seeds)
        if self.network:
            self.network.check(self.config)
            beside, seeds = (), 1
        for name in beside:
            SCHEMES[name]
        for name, value in self.options.items():
            check_option(name, value)
        chosen = {name: value for name, value in self.options.items() if value != OPTIONS[name].choices[0][1]}
        # In the order of the registry: the same settings are equal however they were put together.
        beside = tuple(name for name in SCHEMES if name in beside and name != self.config.scheme)[: MOST_SCHEMES - 1]
        for name, value in {"beside": beside, "options": chosen, "seeds": seeds}.items():
            object.__setattr__(self, name, value)

    @property
    def comparison(self) -> Comparison:
        """What has to be computed for these settings."""
        entries = (*self.config.entries, *(SCHEMES[name] for name in self.beside))
        return Comparison(self.config, (self.config.scheme, *self.beside), self.seeds, entries, self.network)

    @property
    def name(self) -> str:
        """What the page calls the first scheme, or the reader's own network."""
        return self.network.name if self.network else _(SCHEMES[self.config.scheme].short)

    @property
    def alone(self) -> Settings:
        """The first scheme alone, with the default options: what a pin keeps."""
        return replace(self, beside=(), options={})

    @property
    def values(self) -> dict[str, Any]:
        """Every value by its name in a link: the fields of Config, "beside", "seeds", and the page's choices."""
        chosen = {name: self.option(name) for name in OPTIONS}
        return {**self.config.to_dict(), "beside": self.beside, "seeds": self.seeds, **chosen}

    def option(self, name: str) -> Any:
        """Return the value of one of the page's choices."""
        return self.options.get(name, OPTIONS[name].choices[0][1])

    def replace(self, **changes: Any) -> Settings:
        """Return a copy; fields of Config and the page's choices are changed by their own names too."""
        own = {name: changes.pop(name) for name in self.__dataclass_fields__ if name in changes}
        chosen = {name: changes.pop(name) for name in OPTIONS if name in changes}
        own["config"] = own.get("config", self.config).replace(**changes)
        own["options"] = {**own.get("options", self.options), **chosen}
        return replace(self, **own)


# What links, controls and the glossary know of each number, text or name.
SPECS = FIELDS | {"seeds": Settings.__dataclass_fields__["seeds"]}


def label_of(name: str) -> str:
    """Return what the page calls a setting, in the current language."""
    label = OPTIONS[name].label if name in OPTIONS else SPECS[name].metadata["label"]
    return _(label)


def too_many(first: str, beside: Collection[str]) -> str:
    """Return a sentence where more schemes are to be compared than a page draws, else ""."""
    named = [name for name in SCHEMES if name in beside and name != first]
    left_out = ", ".join(_(SCHEMES[name].short) for name in named[MOST_SCHEMES - 1 :])
    sentence = _("A page compares at most {count} schemes; it leaves out: {names}.")
    return sentence.format(count=MOST_SCHEMES, names=left_out) if left_out else ""


def check_option(name: str, value: Any) -> None:
    """Raise a ValueError unless ``value`` is one of the option's choices."""
    allowed = [choice for _, choice in OPTIONS[name].choices]
    if not any(value == choice and type(value) is type(choice) for choice in allowed):
        raise ValueError(explain_choice(name, value, [choice for choice in allowed if choice != ""]))
