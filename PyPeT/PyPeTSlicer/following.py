"""What one choice on the panel means for others: proposals for an input, defaults for a modality, segments anew."""

from __future__ import annotations

from typing import Any

from PyPeTSlicer import parameters as choices


class Follower:
    """Remembers the choices of a parameter node, and lets others follow where one of them has changed.

    Parameters
    ----------
    parameters : parameterNodeWrapper
        Its choices as they are now need nothing to follow them.
    """

    def __init__(self, parameters: Any) -> None:
        self._parameters = parameters
        self._input = _id_of(parameters.inputSequence)
        self._second_echo = _id_of(parameters.secondEcho)
        self._modality = parameters.modality
        self._segmentations = self._chosen_segmentations()

    def follow(self) -> bool:
        """Change what follows from the choices that have changed; whether the input is another one."""
        parameters = self._parameters
        is_new = self._input != _id_of(parameters.inputSequence)
        if is_new:
            self._input = _id_of(parameters.inputSequence)
            choices.adopt(parameters)
        if parameters.modality is not self._modality:
            self._modality = parameters.modality
            choices.set_defaults(parameters)
        if self._second_echo != _id_of(parameters.secondEcho):
            self._second_echo = _id_of(parameters.secondEcho)
            choices.adopt_second_echo(parameters)
        # a segment belongs to its segmentation: with another one it has to be chosen anew
        last, self._segmentations = self._segmentations, self._chosen_segmentations()
        for name, segmentation in self._segmentations.items():
            if segmentation != last[name]:
                setattr(parameters, f"{name}Segment", "")
        return is_new

    def _chosen_segmentations(self) -> dict[str, str]:
        return {name: _id_of(choices.chosen_segment(self._parameters, name)[0]) for name in choices.SEGMENTS}


def _id_of(node: Any) -> str:
    return node.GetID() if node is not None else ""
