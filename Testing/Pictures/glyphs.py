"""Icons of the panel's buttons and of the steps of a review: a few strokes each, in colours between light and dark.

Each colour stands out from white and from a dark theme by a contrast of 3 or more (WCAG 2.1, non-text contrast).
"""

from __future__ import annotations

import math

from PIL import Image, ImageDraw

SIZE = 40
FINE = 8
"""Icons are drawn so many times as large and then reduced, for smooth edges."""

GREY, BLUE, ORANGE, GREEN, RED = (126, 128, 132), (46, 130, 210), (214, 106, 24), (34, 148, 92), (222, 66, 70)
STROKE = 0.085
"""Width of a line as a share of the icon."""

BOLUS = [
    (0.0, 0.0),
    (0.18, 0.02),
    (0.3, 0.3),
    (0.4, 0.85),
    (0.47, 1.0),
    (0.55, 0.85),
    (0.68, 0.4),
    (0.82, 0.16),
    (1.0, 0.1),
]
DECAY = [(0.0, 1.0), (0.2, 0.96), (0.35, 0.72), (0.5, 0.38), (0.65, 0.16), (0.8, 0.06), (1.0, 0.02)]


class Pen:
    """Draws in a square from (0, 0), top left, to (1, 1)."""

    def __init__(self):
        self.large = SIZE * FINE
        self.picture = Image.new("RGBA", (self.large, self.large))
        self.pen = ImageDraw.Draw(self.picture)

    def _at(self, points):
        return [(self.large * x, self.large * y) for x, y in points]

    def line(self, points, colour, width=STROKE):
        """A line with round joints and ends."""
        at, thick = self._at(points), width * self.large
        self.pen.line(at, fill=colour, width=round(thick), joint="curve")
        for x, y in at:
            self.pen.ellipse((x - thick / 2, y - thick / 2, x + thick / 2, y + thick / 2), fill=colour)

    def curve(self, shape, colour, left=0.12, right=0.92, bottom=0.84, top=0.12, width=STROKE):
        """A curve given in shares of a box, upwards."""
        fine = smooth(shape)
        self.line([(left + x * (right - left), bottom + y * (top - bottom)) for x, y in fine], colour, width)

    def ring(self, middle, radius, colour, width=STROKE, share=1.0):
        """A circle, or an ellipse of a lesser width."""
        turns = [2 * math.pi * step / 60 for step in range(61)]
        x, y = middle
        self.line([(x + share * radius * math.cos(t), y + radius * math.sin(t)) for t in turns], colour, width)

    def disc(self, middle, radius, colour, share=1.0):
        """A filled circle or ellipse."""
        ((x, y),) = self._at([middle])
        r = radius * self.large
        self.pen.ellipse((x - share * r, y - r, x + share * r, y + r), fill=colour)

    def box(self, left, top, right, bottom, colour, radius=0.05):
        """A filled rectangle with round corners."""
        (a, b), (c, d) = self._at([(left, top), (right, bottom)])
        self.pen.rounded_rectangle((a, b, c, d), radius=radius * self.large, fill=colour)

    def shape(self, points, colour):
        """A filled polygon."""
        self.pen.polygon(self._at(points), fill=colour)

    def icon(self):
        """The picture in its final size."""
        return self.picture.resize((SIZE, SIZE), Image.Resampling.LANCZOS)


def smooth(points, steps=8):
    """Points along a Catmull-Rom curve."""
    ends = [points[0], *points, points[-1]]
    fine = []
    for a, b, c, d in zip(ends, ends[1:], ends[2:], ends[3:], strict=False):
        for t in (step / steps for step in range(steps)):
            weights = (-t + 2 * t**2 - t**3, 2 - 5 * t**2 + 3 * t**3, t + 4 * t**2 - 3 * t**3, t**3 - t**2)
            fine.append(
                tuple(0.5 * sum(w * p[axis] for w, p in zip(weights, (a, b, c, d), strict=True)) for axis in (0, 1))
            )
    return [*fine, points[-1]]


def axes(pen):
    """Two axes, for curves."""
    pen.line([(0.1, 0.1), (0.1, 0.9), (0.92, 0.9)], GREY, 0.06)


def brain(pen, colour=GREY, width=STROKE):
    """The outline of a head's slice."""
    pen.ring((0.5, 0.5), 0.42, colour, width, 0.82)


def review(pen):
    """A list that is ticked off, under a lens."""
    for y in (0.16, 0.38, 0.6):
        pen.line([(0.1, y), (0.16, y + 0.06), (0.27, y - 0.07)], GREEN, 0.07)
        pen.line([(0.4, y), (0.88 if y < 0.3 else 0.55, y)], GREY, 0.07)
    pen.ring((0.68, 0.6), 0.17, BLUE)
    pen.line([(0.81, 0.74), (0.92, 0.87)], BLUE, 0.11)


def probe(pen):
    """Cross hairs around a voxel."""
    pen.ring((0.5, 0.5), 0.27, BLUE)
    for a, b in ((0.06, 0.34), (0.66, 0.94)):
        pen.line([(a, 0.5), (b, 0.5)], GREY, 0.07)
        pen.line([(0.5, a), (0.5, b)], GREY, 0.07)
    pen.disc((0.5, 0.5), 0.08, ORANGE)


def compare(pen):
    """Two slices side by side, one of which differs."""
    pen.line([(0.5, 0.08), (0.5, 0.92)], GREY, 0.05)
    for x in (0.25, 0.75):
        pen.ring((x, 0.5), 0.3, BLUE, 0.07, 0.6)
    pen.disc((0.71, 0.45), 0.1, ORANGE, 0.8)


def steer(pen):
    """Sliders."""
    for y, x, colour in ((0.22, 0.66, BLUE), (0.5, 0.32, ORANGE), (0.78, 0.58, GREEN)):
        pen.line([(0.1, y), (0.9, y)], GREY, 0.06)
        pen.disc((x, y), 0.115, colour)


def preset(pen):
    """A card with a star: settings that are kept."""
    pen.line([(0.14, 0.12), (0.86, 0.12), (0.86, 0.88), (0.14, 0.88), (0.14, 0.12)], GREY, 0.07)
    turns = [math.pi * (step / 5 - 0.5) for step in range(10)]
    radii = [0.29, 0.12] * 5
    pen.shape([(0.5 + r * math.cos(t), 0.52 + r * math.sin(t)) for r, t in zip(radii, turns, strict=True)], ORANGE)


def step_input(pen):
    """Frames, one behind the other."""
    for shift, colour in ((0.0, GREY), (0.14, GREY), (0.28, BLUE)):
        left, top = 0.1 + shift, 0.38 - shift
        pen.line(
            [(left, top), (left + 0.5, top), (left + 0.5, top + 0.5), (left, top + 0.5), (left, top)], colour, 0.065
        )


def step_motion(pen):
    """A head, and where it was before, with an arrow."""
    pen.ring((0.37, 0.42), 0.32, GREY, 0.06, 0.8)
    pen.ring((0.55, 0.5), 0.32, BLUE, 0.07, 0.8)
    pen.line([(0.18, 0.9), (0.78, 0.9)], ORANGE, 0.07)
    pen.shape([(0.76, 0.79), (0.95, 0.9), (0.76, 1.0)], ORANGE)


def step_mask(pen):
    """The brain within the skull."""
    brain(pen)
    pen.disc((0.5, 0.5), 0.28, BLUE, 0.82)


def step_bolus(pen):
    """A passage of contrast, and when it begins."""
    axes(pen)
    pen.curve(BOLUS, BLUE, left=0.16, bottom=0.78)
    pen.line([(0.38, 0.16), (0.38, 0.26)], ORANGE, 0.06)
    pen.line([(0.38, 0.42), (0.38, 0.52)], ORANGE, 0.06)
    pen.line([(0.38, 0.68), (0.38, 0.78)], ORANGE, 0.06)


def step_concentration(pen):
    """A signal that falls, and the concentration that rises."""
    axes(pen)
    pen.curve(BOLUS, ORANGE, left=0.16, bottom=0.2, top=0.48, width=0.06)
    pen.curve(BOLUS, BLUE, left=0.16, bottom=0.8, top=0.5)


def step_aif(pen):
    """The steep curve of an artery over that of the tissue."""
    axes(pen)
    pen.curve(BOLUS, GREY, left=0.28, bottom=0.8, top=0.58, width=0.06)
    pen.curve(BOLUS, RED, left=0.12, right=0.78, bottom=0.8, top=0.14)


def step_residue(pen):
    """What is left of a bolus in tissue."""
    axes(pen)
    pen.curve(DECAY, BLUE, left=0.18, bottom=0.78, top=0.2)


def step_maps(pen):
    """Four maps."""
    for x, y, colour in ((0.08, 0.08, BLUE), (0.54, 0.08, GREEN), (0.08, 0.54, ORANGE), (0.54, 0.54, RED)):
        pen.box(x, y, x + 0.38, y + 0.38, colour, 0.07)


def step_lesions(pen):
    """A core within the tissue at risk."""
    brain(pen)
    pen.disc((0.39, 0.5), 0.24, GREEN, 0.75)
    pen.disc((0.36, 0.5), 0.12, RED, 0.75)


def step_quality(pen):
    """A warning."""
    pen.line([(0.5, 0.12), (0.92, 0.86), (0.08, 0.86), (0.5, 0.12)], ORANGE)
    pen.line([(0.5, 0.4), (0.5, 0.6)], GREY, 0.09)
    pen.disc((0.5, 0.74), 0.05, GREY)


GLYPHS = {
    "Review": review,
    "Probe": probe,
    "Compare": compare,
    "Steer": steer,
    "Preset": preset,
    "StepInput": step_input,
    "StepMotion": step_motion,
    "StepMask": step_mask,
    "StepBolus": step_bolus,
    "StepConcentration": step_concentration,
    "StepAIF": step_aif,
    "StepResidue": step_residue,
    "StepMaps": step_maps,
    "StepLesions": step_lesions,
    "StepQuality": step_quality,
}
"""File, without its ending, to the function that draws it."""


def glyph(name):
    """One icon, square, on a transparent ground."""
    pen = Pen()
    GLYPHS[name](pen)
    return pen.icon()
