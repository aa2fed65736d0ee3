"""What the tab for synthesis has chosen, kept with the module's parameters in the scene, and what is still missing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import slicer
from slicer.i18n import tr as _

from PyPeTLib.errors import InputError
from PyPeTLib.synthesis import SynthesisModel, load_model
from PyPeTSlicer.comparison_nodes import NO_VALUE
from PyPeTSlicer.nodes import RUN
from PyPeTSlicer.segments import SegmentChoice
from PyPeTSlicer.synthesis_nodes import PREFIX, is_synthetic
from PyPeTSlicer.words import for_panel

MOST_CONTRASTS = 6
"""Selectors that the tab has."""

_MODEL, _SEGMENT = f"{PREFIX}Model", f"{PREFIX}BrainSegment"
_CHOICE = f"{PREFIX}Choice."
"""Beginning of the roles of the references from the parameter node to the chosen nodes."""

_BRAIN, _PET = "brain", "pet"


class SynthesisChoices:
    """The choices of the tab, in the module's parameter node.

    They are no fields of the wrapped node, because the model says how many contrasts there are and what their names
    are. Those of a model stay when another one is chosen that wants the same contrasts.

    Parameters
    ----------
    node : vtkMRMLScriptedModuleNode
    """

    def __init__(self, node: Any) -> None:
        self.node = node

    @property
    def model(self) -> str:
        """Path of the model file; empty where none is chosen."""
        return str(self.node.GetParameter(_MODEL) or "")

    @model.setter
    def model(self, path: str) -> None:
        if path != self.model:
            self.node.SetParameter(_MODEL, path)

    @property
    def segment(self) -> str:
        """Id of the segment of the brain; empty for none."""
        return str(self.node.GetParameter(_SEGMENT) or "")

    @segment.setter
    def segment(self, segment_id: str) -> None:
        if segment_id != self.segment:
            self.node.SetParameter(_SEGMENT, segment_id)

    @property
    def brain(self) -> Any:
        """Segmentation, labelmap or volume with the brain, or None."""
        return self._get(_BRAIN)

    @brain.setter
    def brain(self, node: Any) -> None:
        if node is not self.brain:
            # a segment belongs to its segmentation
            self.segment = ""
            self._set(_BRAIN, node)

    @property
    def pet(self) -> Any:
        """Volume with the real PET, or None."""
        return self._get(_PET)

    @pet.setter
    def pet(self, node: Any) -> None:
        self._set(_PET, node)

    def contrast(self, name: str) -> Any:
        """Volume chosen for a contrast, or None."""
        return self._get(_of_contrast(name))

    def choose(self, name: str, node: Any) -> None:
        """Choose a volume for a contrast, or none."""
        self._set(_of_contrast(name), node)

    def contrasts(self, model: SynthesisModel) -> dict[str, Any]:
        """The chosen volumes by contrast, in the model's order; None for those still to be chosen."""
        return {name: self.contrast(name) for name in model.contrasts}

    def brain_choice(self) -> Any:
        """The brain as `synthesis.run` takes it: a segment, a volume, or None."""
        node = self.brain
        if node is None or not node.IsA("vtkMRMLSegmentationNode"):
            return node
        return SegmentChoice(segmentation=node, segment_id=self.segment)

    def forget(self, node: Any) -> None:
        """Choose nothing in place of a node that goes."""
        roles = [self.node.GetNthNodeReferenceRole(n) for n in range(self.node.GetNumberOfNodeReferenceRoles())]
        for role in roles:
            if role.startswith(_CHOICE) and self.node.GetNodeReference(role) is node:
                self.node.SetNodeReferenceID(role, None)

    def _get(self, what: str) -> Any:
        return self.node.GetNodeReference(f"{_CHOICE}{what}")

    def _set(self, what: str, node: Any) -> None:
        if node is not self._get(what):
            self.node.SetNodeReferenceID(f"{_CHOICE}{what}", node.GetID() if node is not None else None)


def _of_contrast(name: str) -> str:
    # a scene file separates references by blanks and colons
    return f"contrast.{quote(name, safe='')}"


class ModelFiles:
    """Reads the chosen model file, again only when it has changed."""

    def __init__(self) -> None:
        self._key: tuple[str, int, int] | None = None
        self._model: SynthesisModel | None = None
        self._error = ""

    def read(self, path: str) -> tuple[SynthesisModel | None, str]:
        """The model of a file, or why there is none, in words; neither for an empty path."""
        if not path:
            return None, ""
        file = Path(path)
        if not file.is_file():
            self._key = None
            return None, str(_("{file}: there is no such file.")).format(file=file.name or path)
        state = file.stat()
        key = (path, state.st_mtime_ns, state.st_size)
        if key != self._key:
            self._model, self._error = self._loaded(file)
            self._key = key
        return self._model, self._error

    def _loaded(self, file: Path) -> tuple[SynthesisModel | None, str]:
        try:
            model = load_model(file)
        except InputError as error:
            return None, for_panel(str(error))
        except OSError as error:
            return None, str(_("{file}: the file cannot be read ({reason}).")).format(
                file=file.name, reason=error.strerror or type(error).__name__
            )
        if len(model.contrasts) > MOST_CONTRASTS:
            many = _("{file}: the model takes {count} contrasts, and this tab has room for {most}. Use a script.")
            return None, str(many).format(file=file.name, count=len(model.contrasts), most=MOST_CONTRASTS)
        return model, ""


def describe(model: SynthesisModel) -> str:
    """What a model is, in one line."""
    options = model.options
    parts = [
        str(_("Takes {contrasts}")).format(contrasts=", ".join(model.contrasts)),
        str(_("{count} patches")).format(count=options.patches),
        str(_("trained on {count} subjects")).format(count=model.subjects),
        str(_("PET in {unit}")).format(unit=model.unit) if model.unit else str(_("unit of the PET not told")),
        str(_("digest {digest}")).format(digest=model.digest[:12]),
    ]
    return "; ".join(parts) + "."


# ---- what is missing


def missing(choices: SynthesisChoices, model: SynthesisModel | None, error: str) -> str:
    """What has to be done before a prediction, in one sentence; empty where nothing is. Looks at no voxel.

    Parameters
    ----------
    choices : SynthesisChoices
    model : SynthesisModel or None
    error : str
        Why there is no model, as `ModelFiles.read` tells.
    """
    if model is None:
        return error or str(_("Choose a model file; “pypet synthesis train” makes one."))
    return _unfit_contrast(choices.contrasts(model)) or _unfit_brain(choices) or _unfit_pet(choices, model)


def _unfit_contrast(chosen: Mapping[str, Any]) -> str:
    seen: dict[str, str] = {}
    for name, node in chosen.items():
        if node is None:
            return str(_("Choose a volume for {contrast}.")).format(contrast=name)
        if node.GetID() in seen:
            return str(_("{one} and {other} are the same volume, {node}. Choose another one.")).format(
                one=seen[node.GetID()], other=name, node=node.GetName()
            )
        seen[node.GetID()] = name
        if problem := _unfit_volume(node):
            return f"{name}: {problem}"
    return ""


def _unfit_brain(choices: SynthesisChoices) -> str:
    node = choices.brain
    if node is None:
        return ""
    if not node.IsA("vtkMRMLSegmentationNode"):
        problem = _unfit_volume(node)
        return str(_("Brain: {problem}")).format(problem=problem) if problem else ""
    if not choices.segment:
        return str(_("Brain: choose one of the segments."))
    if node.GetSegmentation().GetSegment(choices.segment) is None:
        return str(_("Brain: the segment {segment} is gone. Choose another one.")).format(segment=choices.segment)
    return ""


def _unfit_pet(choices: SynthesisChoices, model: SynthesisModel) -> str:
    node = choices.pet
    if node is None:
        return ""
    if problem := _unfit_volume(node):
        return str(_("Real PET: {problem}")).format(problem=problem)
    for name, other in choices.contrasts(model).items():
        if other is node:
            return str(_("Real PET: {node} is chosen for {contrast}. Choose another one.")).format(
                node=node.GetName(), contrast=name
            )
    return ""


def _unfit_volume(node: Any) -> str:
    if is_synthetic(node):
        return str(_("{node} was made by this tab. Choose a measured image.")).format(node=node.GetName())
    if node.GetImageData() is None:
        return str(_("{node} holds no image. Choose another volume.")).format(node=node.GetName())
    return ""


# ---- by names


@dataclass(frozen=True, kw_only=True)
class Named:
    """Volumes by contrast, and a sentence about each contrast that found none."""

    contrasts: dict[str, Any]
    notes: tuple[str, ...]


def candidates() -> list[Any]:
    """Volumes of the scene that may be contrasts: no frames of a sequence, and none that PyPeT made."""
    logic = slicer.modules.sequences.logic()

    def may_be(node: Any) -> bool:
        return (
            node.GetClassName() == "vtkMRMLScalarVolumeNode"
            and not node.GetHideFromEditors()
            and node.GetImageData() is not None
            and node.GetAttribute(NO_VALUE) is None
            and node.GetAttribute(RUN) is None
            and node.GetAttribute("PyPeT.Symbol") is None
            and not is_synthetic(node)
            and logic.GetFirstBrowserNodeForProxyNode(node) is None
        )

    return [node for node in slicer.util.getNodesByClass("vtkMRMLScalarVolumeNode") if may_be(node)]


def by_names(wanted: Sequence[str], volumes: Iterable[Any]) -> Named:
    """Volumes for contrasts by the words of their names; none where several fit, or one fits several contrasts.

    A contrast is named by a word, in whatever letter case: T1 by ``T1`` and ``T1w``, in ``sub-01_T1w`` too.
    """
    found: dict[str, list[Any]] = {name: [] for name in wanted}
    notes = []
    for node in volumes:
        fitting = [name for name in wanted if _names(node.GetName(), name)]
        if len(fitting) > 1:
            both = _("{node} may be {contrasts}: choose it by hand.")
            notes.append(str(both).format(node=node.GetName(), contrasts=str(_(" or ")).join(fitting)))
        elif fitting:
            found[fitting[0]].append(node)
    for name, nodes in found.items():
        if len(nodes) > 1:
            listing = ", ".join(node.GetName() for node in nodes)
            notes.append(str(_("{contrast}: several volumes fit ({nodes}).")).format(contrast=name, nodes=listing))
        elif not nodes:
            notes.append(str(_("{contrast}: no volume has this name.")).format(contrast=name))
    return Named(contrasts={name: nodes[0] for name, nodes in found.items() if len(nodes) == 1}, notes=tuple(notes))


def _names(text: str, contrast: str) -> bool:
    """Whether the words of a name hold those of a contrast."""
    words = _words(text)
    return bool(_words(contrast)) and all(
        word in words or (len(word) > 1 and f"{word}w" in words) for word in _words(contrast)
    )


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.casefold())
