"""Boxes that a labelling tool has rotated: the upright box around them."""
import math


def upright(corners):
    """Left, top, right, bottom of points."""
    return min(x for x, _ in corners), min(y for _, y in corners), max(x for x, _ in corners), max(y for _, y in corners)


def turned(box, degrees, about):
    """The upright box around `box` (left, top, right, bottom) turned clockwise about a point."""
    left, top, right, bottom = box
    if not degrees:
        return box
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    corners = [(about[0] + (x - about[0]) * cosine - (y - about[1]) * sine, about[1] + (x - about[0]) * sine + (y - about[1]) * cosine)
               for x, y in ((left, top), (right, top), (right, bottom), (left, bottom))]
    return upright(corners)
