#!/usr/bin/env python3
"""Boxes, outlines and masks of CVAT as "detect" lines for palisade transfer and evaluate.

    python3 examples/datasets/cvat.py --annotations annotations.xml --images images --out boxes.jsonl

Annotations: annotations.xml of an export as "CVAT for images 1.1". (CVAT exports COCO, YOLO and Pascal VOC as well; coco_detection.py,
             yolo.py and voc.py read those.)
Pictures:    images/ of the same export, with "save images".
Score:       --metric detection
"""
from annotation_xml import number_of, read_xml
from converter import DataError, LeftOut, run
from detection import Picture, add_options, checked_label, lines_of, thing_of_pixels
from rotation import turned, upright


def attribute(element, name, place):
    if name not in element.attrib:
        raise DataError(f"{place}: has no attribute {name}; export as CVAT for images 1.1")
    return element.attrib[name]


def number(element, name, place):
    return number_of(attribute(element, name, place), name, place)


def edges_of(shape, place):
    """Left, top, right, bottom in pixels, or None where a shape is no area."""
    if shape.tag == "box":
        box = tuple(number(shape, name, place) for name in ("xtl", "ytl", "xbr", "ybr"))
        middle = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
        return turned(box, number_of(shape.get("rotation", "0"), "rotation", place), middle)
    if shape.tag == "polygon":
        points = [tuple(number_of(part, "points", place) for part in point.split(",")) for point in attribute(shape, "points", place).split(";")]
        if len(points) < 3 or any(len(point) != 2 for point in points):
            raise DataError(f"{place}: points is no outline of three points or more; correct the entry")
        return upright(points)
    if shape.tag == "mask":
        left, top, width, height = (number(shape, name, place) for name in ("left", "top", "width", "height"))
        return left, top, left + width, top + height
    return None


def picture_of(image, path, left_out):
    name = attribute(image, "name", f"{path}: an image")
    place = f"{path}: {name}"
    size = number(image, "width", place), number(image, "height", place)
    if min(size) <= 0:
        raise DataError(f"{place}: is {size[0]:g} x {size[1]:g} pixels; correct the entry")
    picture = Picture(place, name, [name, name.rpartition("/")[2]], *size)
    for position, shape in enumerate(image, 1):
        spot = f"{place}: shape {position}"
        edges = edges_of(shape, spot)
        if edges is None:
            left_out.append(LeftOut(spot, f"a shape without an area ({shape.tag})"))
            continue
        picture.things.append(thing_of_pixels(spot, checked_label(attribute(shape, "label", spot), spot), edges, size))
    return picture


def examples(options):
    root, left_out = read_xml(options.annotations, "annotations"), []
    images = root.findall("image")
    if not images:
        video = " (it has tracks, as CVAT for video)" if root.find("track") is not None else ""
        raise DataError(f"{options.annotations}: has no <image>{video}; export as CVAT for images 1.1")
    pictures = [picture_of(image, options.annotations, left_out) for image in images]
    named = [label.findtext("name") for label in root.iterfind("meta//labels/label") if label.findtext("name")]
    classes = named or sorted({thing.label for picture in pictures for thing in picture.things})
    used = {thing.label for picture in pictures for thing in picture.things}
    yield from lines_of(pictures, [checked_label(name, options.annotations) for name in [*classes, *sorted(used - set(classes))]], options)
    yield from left_out


if __name__ == "__main__":
    run(__doc__, examples, extra=add_options)
