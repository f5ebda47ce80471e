#!/usr/bin/env python3
"""Boxes and outlines of Label Studio as "detect" lines for palisade transfer and evaluate.

    python3 examples/datasets/label_studio.py --annotations project-1.json --images upload --out boxes.jsonl

Annotations: what Label Studio exports as "JSON": tasks with rectangles or polygons. Of a task that several people have labelled
             the first annotation counts that was not cancelled; predictions of models do not.
Pictures:    DIR holds them under the file names that the tasks have, with or without the letters that an upload puts before them.
Score:       --metric detection
"""
from urllib.parse import unquote

from converter import LeftOut, read_json, run
from detection import Picture, Thing, add_options, checked_label, lines_of
from rotation import turned, upright

KINDS = {"rectanglelabels": "rectanglelabels", "polygonlabels": "polygonlabels"}


def file_names(address):
    """What the picture of a task may be called in the folder."""
    path = address.rpartition("?d=")[2] if "?d=" in address else address.partition("?")[0]
    name = unquote(path).replace("\\", "/").rpartition("/")[2]
    return list(dict.fromkeys([name, name.partition("-")[2] or name]))


def size_of(results, task):
    for result in results:
        if result.has("original_width") and result.has("original_height"):
            size = result.number("original_width"), result.number("original_height")
            if min(size) <= 0:
                result.fail("has no size of its picture; export it again")
            return size
    return None


def box_of(result, kind, size):
    """Left, top, right, bottom in percent of the picture."""
    value = result.at("value")
    if kind == "polygonlabels":
        points = [[number.as_number() for number in point.each()] for point in value.entries("points")]
        if len(points) < 3 or any(len(point) != 2 for point in points):
            value.at("points").fail("is no outline of three points or more; correct the entry")
        return upright(points)
    left, top, width, height = (value.number(key) for key in ("x", "y", "width", "height"))
    degrees = value.number("rotation") if value.has("rotation") else 0
    across, down = size[0] / 100, size[1] / 100  # a percent is not as long in both directions
    box = turned((left * across, top * down, (left + width) * across, (top + height) * down), degrees, (left * across, top * down))
    return box[0] / across, box[1] / down, box[2] / across, box[3] / down


def things_of(results, size, others):
    for result in results:
        kind = result.text("type")
        if kind not in KINDS:
            others.append(kind)
            continue
        labels = result.at("value").texts(KINDS[kind])
        left, top, right, bottom = (edge / 100 for edge in box_of(result, kind, size))
        for label in labels:
            yield Thing(result.place, checked_label(label, result.place), (top, left, bottom, right))


def picture_of(task, key, left_out):
    given = [entry for entry in task.entries("annotations") if not (entry.has("was_cancelled") and entry.flag("was_cancelled"))]
    if not given:
        return left_out.append(LeftOut(task.place, "nobody has labelled it"))
    results, others = given[0].entries("result"), []
    size = size_of(results, task)
    if size is None:
        return left_out.append(LeftOut(task.place, "it has no box, so that its size is not told"))
    picture = Picture(task.place, task.id("id"), file_names(task.at("data").text(key)), *size)
    picture.things = list(things_of(results, size, others))
    if others:
        left_out.append(LeftOut(task.place, f"a result that is neither rectangle nor polygon ({others[0]})"))
    return picture


def examples(options):
    tasks, left_out = read_json(options.annotations).each(), []
    for task in tasks:
        if not task.has("annotations"):
            task.fail("has no \"annotations\", as in an export as JSON-MIN; export as JSON")
    pictures = [picture for picture in (picture_of(task, options.key, left_out) for task in tasks) if picture]
    classes = sorted({thing.label for picture in pictures for thing in picture.things})
    yield from lines_of(pictures, classes, options)
    yield from left_out


def flags(parser):
    parser.add_argument("--key", metavar="NAME", default="image", help="what the labelling configuration calls the picture (default: image)")
    add_options(parser)


if __name__ == "__main__":
    run(__doc__, examples, extra=flags)
