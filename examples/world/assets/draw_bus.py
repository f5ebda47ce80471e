#!/usr/bin/env python3
"""Draws bus.details.png and bus.tint.png, a kind that the demo model has never seen: python3 draw_bus.py FOLDER.
Needs Pillow."""
import sys
from pathlib import Path

from PIL import Image, ImageDraw

WIDTH, HEIGHT = 1000, 460  # four times the camera's scale
FINER = 4                  # drawn at so many times the size, then averaged
GLASS, LINE, TYRE, HUB, LAMP = (44, 62, 82), (26, 28, 34), (28, 28, 30), (150, 154, 160), (250, 236, 170)


class Layer:
    """Shapes in the sprite's own pixels; `mode` RGBA for details, LA for tint."""

    def __init__(self, mode):
        self.image = Image.new(mode, (WIDTH * FINER, HEIGHT * FINER), (0,) * len(mode))
        self.pen = ImageDraw.Draw(self.image)

    def box(self, x0, y0, x1, y1, fill, radius=0):
        self.pen.rounded_rectangle([FINER * v for v in (x0, y0, x1, y1)], FINER * radius, fill=fill)

    def disc(self, x, y, radius, fill):
        self.pen.ellipse([FINER * v for v in (x - radius, y - radius, x + radius, y + radius)], fill=fill)

    def save(self, path):
        # Box average of premultiplied samples, so that clear pixels darken nothing.
        self.image.reduce(FINER).save(path, optimize=True)


def tint():
    layer = Layer("LA")
    layer.box(6, 8, 994, 408, (255, 255), 46)      # body
    layer.box(6, 8, 994, 60, (222, 255), 40)       # roof
    layer.box(6, 330, 994, 408, (214, 255), 26)    # skirt, darker
    layer.box(6, 316, 994, 330, (150, 255))        # trim
    return layer


def details():
    layer = Layer("RGBA")
    layer.box(20, 430, 980, 458, (0, 0, 0, 96), 14)  # shadow
    for x in range(40, 690, 112):                    # a row of windows
        layer.box(x, 84, x + 98, 214, (*GLASS, 255), 12)
        layer.box(x + 8, 92, x + 90, 120, (120, 144, 168, 255), 6)
    layer.box(716, 84, 838, 400, (*LINE, 255), 12)   # door
    layer.box(724, 94, 774, 390, (*GLASS, 255), 8)
    layer.box(780, 94, 830, 390, (*GLASS, 255), 8)
    layer.box(862, 74, 994, 234, (*GLASS, 255), 20)  # windscreen
    layer.box(872, 24, 984, 58, (*LINE, 255), 8)     # destination
    layer.box(882, 32, 974, 50, (*LAMP, 255), 4)
    layer.box(966, 316, 994, 346, (*LAMP, 255), 8)   # head lamp
    layer.box(6, 312, 22, 350, (196, 30, 30, 255), 6)  # tail lamp
    layer.box(4, 396, 996, 410, (*LINE, 255), 6)
    for x in (200, 620):
        layer.disc(x, 396, 58, (*TYRE, 255))
        layer.disc(x, 396, 28, (*HUB, 255))
        layer.disc(x, 396, 10, (*TYRE, 255))
    return layer


if __name__ == "__main__":
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    tint().save(folder / "bus.tint.png")
    details().save(folder / "bus.details.png")
