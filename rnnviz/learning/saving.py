"""Save a training in a file, and read it again: arrays and text only, no pickle."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..text.language import _
from .settings import TrainingSettings

if TYPE_CHECKING:
    from .training import Training

Array = np.ndarray
FORMAT = "rnnviz training 1"
PLAIN_FIELDS = ("diverged_at", "reached_at")
KEYS = ("format", "settings", "step", "weights", "losses", "grad_norms", "overflowed", *PLAIN_FIELDS)


def save(training: Training, path: str | Path) -> None:
    """Write all that `load` needs to go on as if nothing had happened."""
    arrays = {name: getattr(training, name) for name in PLAIN_FIELDS}
    arrays |= {f"optimiser_{k}": memory for k, memory in enumerate(training.optimiser_memory)}
    for layer in range(len(training.networks[0].layers)):
        for name in training.networks[0].cell.states:
            joined = [states[layer][name] for states in training.states]
            arrays[f"state_{layer}_{name}"] = np.concatenate(joined)
    with open(path, "wb") as file:  # np.savez would add .npz to another name
        np.savez_compressed(
            file, format=FORMAT, settings=training.settings.to_json(), step=training.step,
            weights=training.stack.weights, losses=training.loss_curve.values, grad_norms=training.norm_curve.values,
            overflowed=np.array(training.overflowed), allow_pickle=False, **arrays,
        )  # fmt: skip


def read(path: str | Path) -> dict[str, Array]:
    """Return the arrays of a file; ValueError where it is none that `save` wrote."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
    except (ValueError, EOFError, zipfile.BadZipFile, AttributeError, TypeError) as error:
        raise ValueError(not_a_training(path)) from error
    if not set(KEYS) <= set(arrays) or str(arrays["format"]) != FORMAT:
        raise ValueError(not_a_training(path))
    return arrays


def not_a_training(path: str | Path) -> str:
    return _("{path} is not a training that rnnviz has saved.").format(path=path)


def restore(training: Training, path: str | Path) -> None:
    """Put a training where the one in a file was."""
    arrays = read(path)
    try:
        training.begin(TrainingSettings.from_json(str(arrays["settings"])))
        put_back(training, arrays)
    except (KeyError, TypeError, json.JSONDecodeError) as error:
        raise ValueError(not_a_training(path)) from error


def put_back(training: Training, arrays: dict[str, Array]) -> None:
    """Give a training that has just begun the arrays of another with the same settings."""
    if arrays["weights"].shape != training.stack.weights.shape:
        raise TypeError("weights of other networks")
    training.step = int(arrays["step"])
    training.stack.weights[...] = arrays["weights"]
    training.loss_curve.extend(arrays["losses"])
    training.norm_curve.extend(arrays["grad_norms"])
    training.overflowed = [str(each) for each in arrays["overflowed"]]
    for name in PLAIN_FIELDS:
        setattr(training, name, arrays[name])
    training.optimiser_memory = [arrays[f"optimiser_{k}"] for k in range(len(training.optimiser_memory))]
    for states, part in zip(training.states, training.parts, strict=True):
        for layer, state in enumerate(states):
            state.update({name: arrays[f"state_{layer}_{name}"][part] for name in state})
    training.snapshots.offer(training.step, training.stack.weights)
