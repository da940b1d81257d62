"""Where everything in the face lies: control points in face units.

Half contours are the viewer's right half. The mouth is closed and symmetric: its upper and lower
inner curves are one line, and nothing crosses the skin from the nose to the chin.
"""

from __future__ import annotations

import numpy as np

from tools.portrait.curve import Points, across, spline

FACE = [
    (0, -222), (62, -214), (110, -180), (134, -122), (141, -60), (142, -5), (139.5, 40),
    (128, 84), (108, 124), (83, 159), (57, 187), (35, 204), (17, 211.5), (0, 213),
]  # fmt: skip
"""From the top of the skull to the chin."""
FOREHEAD_Y, CHIN_Y = FACE[0][1], FACE[-1][1]
JAW_Y = 151.0
"""Where the jaw is measured; lower down a rounded mouth would fold the skin beside it."""
NECK = [
    (0, 110), (70, 120), (86, 160), (79, 205), (75, 250), (78, 285), (96, 310), (150, 332),
    (232, 352), (220, 520), (0, 600),
]  # fmt: skip
EAR = [
    (136, -30), (148, -38), (160, -31), (166, -8), (164, 20), (158, 44), (153, 63), (146, 75),
    (138, 73), (134, 56),
]  # fmt: skip
NOSE_BASE = (0.0, 88.0)

MOUTH_CORNER = (54.0, 121.6)
UPPER_OUTER = [
    (0, 114.8), (5.5, 112.9), (11.5, 111.4), (20, 113.0), (34, 116.7), (45.5, 120.0), MOUTH_CORNER,
]  # fmt: skip
LIP_LINE = [
    (0, 130.4), (7, 129.4), (16, 128.9), (28, 129.2), (40, 127.0), (48, 124.2), MOUTH_CORNER,
]  # fmt: skip
LOWER_OUTER = [
    (0, 150.6), (10, 150.2), (21, 147.6), (33, 141.0), (43.8, 131.5), (50.6, 124.9), MOUTH_CORNER,
]  # fmt: skip

EYE_INNER, EYE_OUTER = (27.6, 6.6), (101.0, -6.6)
LID_UPPER = [
    EYE_INNER, (35.0, -3.6), (45.6, -12.2), (59.4, -16.8), (73.6, -16.9), (88.2, -13.3), EYE_OUTER,
]  # fmt: skip
LID_LOWER = [
    EYE_INNER, (38.4, 9.6), (51.1, 11.5), (65.1, 11.2), (79.4, 8.4), (91.2, 2.8), EYE_OUTER,
]  # fmt: skip
LID_CREASE = [
    (31.0, -6.0), (42.0, -18.0), (57.0, -25.0), (72.3, -25.8), (88.8, -21.9), (104.8, -12.4),
]  # fmt: skip
IRIS, IRIS_RADIUS, PUPIL_RADIUS = (63.4, -2.8), 16.4, 6.5
BROW = [(26, -50.5), (44, -55.4), (62, -58.6), (81, -60.0), (99, -56.4), (115, -46.0)]
BROW_HALF_THICKNESS = [3.4, 5.4, 5.3, 4.6, 3.2, 0.9]
UNDER_BROW = (70.0, -45.0)


def lids() -> tuple[Points, Points]:
    """The viewer's right eye: upper and lower lid from the inner to the outer corner."""
    return spline(LID_UPPER, 14), spline(LID_LOWER, 14)


def jaw_corner() -> Points:
    """(1, 2): the viewer's right point of the jaw's outline at ``JAW_Y``."""
    jaw = spline(FACE[6:], 32)
    return np.array([(np.interp(JAW_Y, jaw[:, 1], jaw[:, 0]), JAW_Y)])


def lips() -> tuple[Points, Points]:
    """The outlines of the upper and of the lower lip."""
    upper, line, lower = across(UPPER_OUTER), across(LIP_LINE), across(LOWER_OUTER)
    return np.concatenate([upper, line[::-1]]), np.concatenate([line, lower[::-1]])
