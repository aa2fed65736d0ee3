"""A run in the scene as the tests of the review look at it."""

import sys

from PyPeTSlicer import sequences
from PyPeTSlicer.review.steps import STEPS, Review
from PyPeTSlicer.review.subject import Subject

STEP = {step.name: step for step in STEPS}


class Reviewed:
    """A series that was analysed; further choices are parameters of the run."""

    def __init__(self, sequence, **choices):
        self.logic, self.sequence = sys.modules["PyPeT"].PyPeTLogic(), sequence
        self.run(**choices)

    def run(self, **choices):
        parameters = self.logic.getParameterNode()
        parameters.inputSequence = self.sequence
        self.logic.adopt(parameters)
        for name, value in choices.items():
            setattr(parameters, name, value)
        self.logic.process(parameters)

    @property
    def subject(self):
        return Subject.of(self.sequence, self.logic.session)

    @property
    def result(self):
        return self.subject.result

    @property
    def browser(self):
        return sequences.browser_of(self.sequence)

    def review(self, role):
        """A node of the review."""
        return self.subject.existing(role)

    def shown(self, role):
        """The volume that shows a sequence of the review."""
        return self.browser.GetProxyNode(self.review(role))

    def open(self, name):
        Review(self.logic.views).open(STEP[name], self.subject)
