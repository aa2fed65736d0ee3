"""Models as files: arrays and a text of facts in one ``.npz``; nothing in it is ever executed."""

from __future__ import annotations

import io
import json
import zipfile
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from PyPeTLib.arrays import Curve
from PyPeTLib.errors import InputError
from PyPeTLib.io.writing import write_whole
from PyPeTLib.synthesis.features import features_in
from PyPeTLib.synthesis.model import FORMAT, SynthesisModel, digest_of
from PyPeTLib.synthesis.options import SynthesisOptions
from PyPeTLib.synthesis.signature import Signature

_FACTS, _DIGEST = "facts", "digest"
_LARGEST = 512 << 20
"""Bytes; the largest model of six contrasts has a few MB."""


def save_model(path: str | PathLike[str], model: SynthesisModel) -> None:
    """Write a model, whole or not at all; the same model gives the same bytes.

    Raises
    ------
    InputError
        If the name does not end in ``.npz``, or the file cannot be written.
    """
    path = Path(path)
    if path.suffix != ".npz":
        raise InputError(f"{path.name}: models are stored as .npz. Choose a name that ends so.")
    content = io.BytesIO()
    stored: dict[str, Any] = {
        _FACTS: np.array(json.dumps(model.facts(), sort_keys=True)),
        _DIGEST: np.array(model.digest),
        **model.arrays(),
    }
    np.savez(content, **stored)
    write_whole(path, content.getvalue())


def load_model(path: str | PathLike[str]) -> SynthesisModel:
    """Read a model and check that it is whole.

    Raises
    ------
    InputError
        If the file is no model, is damaged or changed, or was written by a version that stores models otherwise.
    """
    path = Path(path)
    facts, digest, arrays = _content(path)
    if facts.get("format") != FORMAT:
        raise InputError(
            f"{path.name}: this model is stored in format {facts.get('format')!r}, this version of PyPeT reads format "
            f"{FORMAT}. Train it anew, or use the version that wrote it."
        )
    if digest_of(facts, arrays) != digest:
        raise InputError(f"{path.name}: the model does not match its hash: it was damaged or changed. Copy it anew.")
    try:
        model = _made(facts, arrays)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise _no_model(path) from error
    wanted = (model.options.patches, features_in(model.options.features, len(model.contrasts)))
    if model.weights.shape != wanted:
        raise InputError(
            f"{path.name}: this model has coefficients for {model.weights.shape} patches and features, this version of "
            f"PyPeT takes {wanted}. Train it anew, or use the version that wrote it."
        )
    return model


def _content(path: Path) -> tuple[dict[str, Any], str, dict[str, Curve]]:
    if not path.is_file():
        raise InputError(f"{path}: there is no such file. Give a model that 'pypet synthesis train' made.")
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(item.file_size for item in archive.infolist()) > _LARGEST:
                raise _no_model(path)
        with np.load(path, allow_pickle=False) as stored:
            names = [name for name in stored.files if name not in (_FACTS, _DIGEST)]
            arrays = {name: np.asarray(stored[name], np.float64) for name in names}
            facts = json.loads(str(stored[_FACTS]))
            digest = str(stored[_DIGEST])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise _no_model(path) from error
    if not isinstance(facts, dict):
        raise _no_model(path)
    return facts, digest, arrays


def _made(facts: dict[str, Any], arrays: dict[str, Curve]) -> SynthesisModel:
    contrasts = tuple(str(name) for name in facts["contrasts"])
    signatures = {
        name: Signature(means=means, spreads=spreads)
        for name, means, spreads in zip(contrasts, arrays["signature_means"], arrays["signature_spreads"], strict=True)
    }
    return SynthesisModel(
        options=SynthesisOptions.from_mapping(facts["options"]),
        contrasts=contrasts,
        weights=arrays["weights"],
        auxiliary=arrays["auxiliary"],
        variances=arrays["variances"],
        trust=float(facts["trust"]),
        signatures=signatures,
        subjects=int(facts["subjects"]),
        voxels=int(facts["voxels"]),
        unit=str(facts["unit"]),
    )


def _no_model(path: Path) -> InputError:
    return InputError(
        f"{path.name}: this is no synthesis model, or a damaged one. Give a .npz that 'pypet synthesis train' made."
    )
