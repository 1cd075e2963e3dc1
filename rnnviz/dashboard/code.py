"""The Python that makes a page, or its numbers and pictures, again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..engine.trace import Trace
from ..network.config import DEFAULTS, Config
from ..text.language import LANGUAGES, _, current
from ..views import OPTIONS, VIEWS, View

WIDTH = 100  # characters of a line of code


def in_a_row(seeds: Sequence[int]) -> bool:
    """Tell whether seeds are counted up one by one."""
    return len(seeds) > 0 and all(seed == seeds[0] + k for k, seed in enumerate(seeds))


def taken(options: Mapping[str, Any] | None, views: Iterable[View]) -> dict[str, Any]:
    """Return the options that these views take and that differ from the first choice; ValueError for an unknown one."""
    theirs = {name for view in views for name in view.options}
    return {
        name: value
        for name, value in (options or {}).items()
        if value != OPTIONS[name].choices[0][1] and name in theirs
    }


def changed(config: Config) -> dict[str, Any]:
    """Return the fields that differ from their defaults, without scheme and seed, which a comparison replaces."""
    values = config.to_dict()
    return {name: values[name] for name in values if values[name] != DEFAULTS[name] and name not in ("scheme", "seed")}


def code(
    config: Config, schemes: Sequence[str], seeds: Sequence[int], options: Mapping[str, Any], views: Sequence[str]
) -> str:
    """Return the Python that shows these views of this comparison, for a notebook's cell.

    Raises
    ------
    ValueError : for an unknown name, or seeds that are not counted up one by one, which a page cannot show.
    """
    if not in_a_row(seeds):
        raise ValueError("a dashboard takes seeds that are counted up one by one")
    shown = taken(options, [VIEWS[name] for name in views])
    # The page counts from config.seed, or from below where the numbers end.
    first = config.seed if min(config.seed, 2**32 - len(seeds)) == seeds[0] else seeds[0]
    arguments = [literal(name) for name in views]
    arguments += [f"scheme={literal(list(schemes) if len(schemes) > 1 else schemes[0])}", f"seeds={len(seeds)}"]
    arguments += [f"options={literal(shown)}"] if shown else []
    arguments += [f"lang={literal(current())}"] if current() != next(iter(LANGUAGES)) else []
    arguments += settings(config.replace(seed=first))
    return f"from rnnviz import Dashboard\n\n{call('Dashboard', arguments)}\n"


def code_of_own(config: Config, name: str, file: str, views: Sequence[str]) -> str:
    """Return the Python that shows the network of a file again, or traces it on the batch that the file has too."""
    asked = ("cell", "activation", "loss_at", "loss_reduction", "truncate")  # by both calls
    decided = (*asked, "gain", "hidden_size", "input_size", "output_size", "layers")
    own = [each for each in settings(config) if each.partition("=")[0] in asked] + [f"name={literal(name)}"]
    rest = [each for each in settings(config) if each.partition("=")[0] not in decided]
    return "\n".join([
        "import numpy as np",
        "import rnnviz as rv",
        "",
        f"params = dict(np.load({literal(file)}))",
        'x, targets = params.pop("x"), params.pop("targets")',
        call("rv.Dashboard", [*map(literal, views), "params=params", *own, *rest]),
        "",
        _("# or without the page:"),
        f"trace = {call('rv.trace', ['params', 'x', 'targets', *own])}",
        "",
    ])  # fmt: skip


def computation(
    config: Config,
    schemes: Sequence[str],
    seeds: Sequence[int],
    options: Mapping[str, Any],
    views: Sequence[str],
    pins: Sequence[tuple[str, Trace]] = (),
) -> str:
    """Return the Python that computes the same without a page: ``trace``, and ``pictures``, what each view draws of it.

    ``pins`` are names and comparisons whose first scheme is drawn too.

    Raises
    ------
    ValueError : for an unknown name.
    """
    lines = ["import rnnviz as rv", *(["from rnnviz.views import VIEWS"] if views else []), ""]
    lines.append(f"config = {call('rv.Config', settings(config))}")
    lines.append(f"trace = {comparison('config', schemes, seeds)}")
    for k, (_name, pin) in enumerate(pins, 1):
        lines.append(f"config_{k} = {call('rv.Config', settings(pin.config))}")
    named = [f"({literal(name)}, {comparison(f'config_{k}', pin.schemes[:1], pin.seeds)})"
             for k, (name, pin) in enumerate(pins, 1)]  # fmt: skip
    lines += ["pins = [", *(f"    {each}," for each in named), "]"] if pins else []
    lines.append(_("# Each is an array (schemes, seeds, steps 0 to T)."))
    lines.append("trace.second_moment, trace.variance, trace.mean, trace.saturation, trace.log10_grad_norm")
    drawn = []
    for name in views:
        given = taken(options, [VIEWS[name]])
        arguments = ["trace", *(f"{option}={literal(value)}" for option, value in given.items())]
        arguments += ["pins=pins"] if pins and VIEWS[name].pins else []
        drawn.append(f"    {literal(name)}: {call(f'VIEWS[{literal(name)}].data', arguments)},")
    return "\n".join([*lines, *(["pictures = {", *drawn, "}"] if drawn else [])]) + "\n"


def comparison(config: str, schemes: Sequence[str], seeds: Sequence[int]) -> str:
    """Return the call that runs schemes and seeds with the settings of this name."""
    return call("rv.compare", [config, literal(list(schemes)), f"seeds={counted(seeds)}"])


def settings(config: Config) -> list[str]:
    """Return the keyword arguments that make a Config, its scheme apart."""
    values = changed(config) | ({"seed": config.seed} if config.seed != DEFAULTS["seed"] else {})
    return [f"{name}={literal(value)}" for name, value in values.items()]


def call(name: str, arguments: Sequence[str]) -> str:
    """Return a call, on one line where it fits."""
    line = f"{name}({', '.join(arguments)})"
    if len(line) <= WIDTH:
        return line
    return "\n".join([f"{name}(", *(f"    {argument}," for argument in arguments), ")"])


def literal(value: Any) -> str:
    """Return ``value`` as Python writes it, in double quotes where that needs no escape."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{literal(key)}: {literal(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(literal, value)) + "]"
    if not isinstance(value, str):
        return repr(value)
    plain = repr(str.__str__(value))
    return f'"{plain[1:-1]}"' if plain[0] == "'" and '"' not in plain else plain


def counted(seeds: Sequence[int]) -> str:
    """Return seeds as a range, or as a list where they are none."""
    if not in_a_row(seeds):
        return literal([int(seed) for seed in seeds])
    first, end = int(seeds[0]), int(seeds[-1]) + 1
    return f"range({first}, {end})" if first else f"range({end})"
