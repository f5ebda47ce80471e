"""From objects in pictures to lines whose prompt is "detect car ; dog" and whose suffix has the boxes as PaliGemma learns them."""
import os
import struct
from dataclasses import dataclass, field

from converter import DataError, Example, LeftOut

LAST = 1023  # 1,024 steps: big_vision rounds a share of the side times 1023 (big_vision/pp/proj/paligemma/segmentation.py)


def steps(share):
    """The step of a share of height or width; a half is rounded to the even number."""
    return min(max(round(share * LAST), 0), LAST)


def location_tokens(box):
    """`box`: top, left, bottom, right as shares of height and width."""
    return "".join(f"<loc{steps(share):04}>" for share in box)


def has_area(box):
    top, left, bottom, right = map(steps, box)
    return bottom > top and right > left


@dataclass
class Thing:
    """An object: its label and box, as top, left, bottom, right in shares of height and width. A crowd is no single object: it is
    not learnt, and counts neither for nor against an answer."""
    place: str
    label: str
    box: tuple
    crowd: bool = False
    area: "float | None" = None  # pixels; of the box where it is not known


@dataclass
class Picture:
    place: str
    id: "str | int"
    names: list
    width: float
    height: float
    things: list = field(default_factory=list)


def thing_of_pixels(place, label, edges, size, **more):
    """`edges`: left, top, right, bottom in pixels; `size`: width, height."""
    left, top, right, bottom = edges
    return Thing(place, label, (top / size[1], left / size[0], bottom / size[1], right / size[0]), **more)


def whole(number):
    return int(number) if number == int(number) else number


def annotation(thing, picture):
    """An object as COCO's detection tools have it."""
    top, left, bottom, right = thing.box
    box = [round(number, 3) for number in (left * picture.width, top * picture.height, (right - left) * picture.width, (bottom - top) * picture.height)]
    return {"category": thing.label, "bbox": box, "area": round(box[2] * box[3] if thing.area is None else thing.area, 3), "iscrowd": int(thing.crowd)}


def checked_label(label, place):
    label = " ".join(label.split())
    if not label or any(mark in label for mark in (";", "<loc", "<seg")):
        raise DataError(f"{place}: {label!r} cannot be the name of a class, for it stands between \" ; \" in a prompt; rename it")
    return label


def add_options(parser):
    parser.add_argument("--classes", metavar="A,B", help="the classes to use (default: all that the data set has)")
    parser.add_argument("--prompt", choices=("all", "present", "each"), default="all",
                        help="what a prompt names: all classes (default), those in the picture, which gives them away, or each of those "
                             "in a line of its own")
    parser.add_argument("--keep-empty", action="store_true",
                        help="keep pictures without an object, with an empty suffix (transfer takes them with --allow-empty-suffix)")


def line_of(picture, name, classes, things, options):
    seen = [thing for thing in things if thing.label in classes]
    learnt = [thing for thing in seen if not thing.crowd and has_area(thing.box)]
    if not learnt and not (options.keep_empty and classes):
        return LeftOut(picture.place, "it has no object of these classes")
    suffix = " ; ".join(f"{location_tokens(thing.box)} {thing.label}" for thing in learnt)
    small = sum(not thing.crowd and not has_area(thing.box) for thing in seen)
    return Example(picture.place, name, f"detect {' ; '.join(classes)}", [suffix], several=False, images=[picture.names], silent=options.keep_empty,
                   fields={"image_id": picture.id, "width": whole(picture.width), "height": whole(picture.height),
                           "annotations": [annotation(thing, picture) for thing in seen]},
                   notes=["boxes have no area in 1,024 steps and are not learnt"] * small)


def lines_of(pictures, classes, options):
    """`classes`: the names of all classes, in the order of the prompt."""
    known = list(dict.fromkeys(classes))
    wanted = [checked_label(name, "--classes") for name in options.classes.split(",")] if options.classes else known
    for name in wanted:
        if name not in known:
            raise DataError(f"--classes: {name!r} is no class of the data set; it has {', '.join(known)[:400]}")
    for picture in pictures:
        present = [name for name in wanted if any(thing.label == name for thing in picture.things)]
        if options.prompt == "each" and present:
            for name in present:
                yield line_of(picture, f"{picture.id}/{name}", [name], picture.things, options)
        else:
            yield line_of(picture, picture.id, wanted if options.prompt == "all" else present, picture.things, options)


def size_of_picture(path):
    """Width and height of a PNG, JPEG, GIF, BMP or WebP by its first bytes, or None."""
    with open(path, "rb") as file:
        start = file.read(32)
        if start.startswith(b"\x89PNG\r\n\x1a\n") and len(start) >= 24:
            return struct.unpack(">II", start[16:24])
        if start[:4] == b"GIF8" and len(start) >= 10:
            return struct.unpack("<HH", start[6:10])
        if start[:2] == b"BM" and len(start) >= 26:
            width, height = struct.unpack("<ii", start[18:26])
            return width, abs(height)
        if start[:4] == b"RIFF" and start[8:12] == b"WEBP" and len(start) >= 30:
            return size_of_webp(start)
        return size_of_jpeg(file) if start[:2] == b"\xff\xd8" else None


def size_of_webp(start):
    if start[12:16] == b"VP8X":
        return 1 + int.from_bytes(start[24:27], "little"), 1 + int.from_bytes(start[27:30], "little")
    if start[12:16] == b"VP8L":
        bits = int.from_bytes(start[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    width, height = struct.unpack("<HH", start[26:30])
    return width & 0x3FFF, height & 0x3FFF


def size_of_jpeg(file):
    file.seek(2, os.SEEK_SET)
    while len(head := file.read(4)) == 4 and head[0] == 0xFF:
        length = int.from_bytes(head[2:], "big")
        if 0xC0 <= head[1] <= 0xCF and head[1] not in (0xC4, 0xC8, 0xCC):
            frame = file.read(5)
            return (int.from_bytes(frame[3:], "big"), int.from_bytes(frame[1:3], "big")) if len(frame) == 5 else None
        if head[1] == 0xFF:  # a byte of filling
            file.seek(-3, os.SEEK_CUR)
        elif length < 2:
            return None
        else:
            file.seek(length - 2, os.SEEK_CUR)
    return None
