#!/usr/bin/env python3
"""A Pascal VOC folder (an XML file for each picture) as "detect" lines for palisade transfer and evaluate.

    python3 examples/datasets/voc.py --annotations Annotations --list ImageSets/Main/val.txt --images JPEGImages --out val.jsonl

Annotations: a folder of XML files, as in VOCtrainval_11-May-2012.tar of http://host.robots.ox.ac.uk/pascal/VOC (Flickr's terms), or
             as a labelling tool writes them. VOC counts pixels from 1; --from-zero is for tools that do not.
Pictures:    DIR holds what <filename> says. Objects marked difficult are not learnt and count neither for nor against an answer;
             --difficult takes them as the others.
Score:       --metric detection
"""
from pathlib import Path

from annotation_xml import number_of, read_xml, text_in
from converter import DataError, read_text, run
from detection import Picture, add_options, checked_label, lines_of, thing_of_pixels


def picture_of(path, options):
    root = read_xml(path, "annotation")
    size = root.find("size")
    if size is None:
        raise DataError(f"{path}: <size> is missing; correct the entry")
    width, height = (number_of(text_in(size, side, path), f"<{side}>", path) for side in ("width", "height"))
    if width <= 0 or height <= 0:
        raise DataError(f"{path}: <size> is {width:g} x {height:g} pixels; correct the entry")
    name = text_in(root, "filename", path)
    picture = Picture(str(path), path.stem, [name, f"{path.stem}.jpg", f"{path.stem}.png"], width, height)
    for number, entry in enumerate(root.findall("object"), 1):
        place = f"{path}: object {number}"
        box = entry.find("bndbox")
        if box is None:
            raise DataError(f"{place}: <bndbox> is missing; correct the entry")
        left, top, right, bottom = (number_of(text_in(box, edge, place), f"<{edge}>", place) for edge in ("xmin", "ymin", "xmax", "ymax"))
        if right < left or bottom < top:
            raise DataError(f"{place}: its box ends before it begins; correct the entry")
        first = 0 if options.from_zero else 1
        difficult = (entry.findtext("difficult") or "0").strip() == "1" and not options.difficult
        picture.things.append(thing_of_pixels(place, checked_label(text_in(entry, "name", place), place), (left - first, top - first, right, bottom),
                                              (width, height), crowd=difficult))
    return picture


def examples(options):
    if not options.annotations.is_dir():
        raise DataError(f"{options.annotations}: is no folder; name the one with an XML file for each picture")
    if options.list:
        stems = [line.split()[0] for line in read_text(options.list).splitlines() if line.strip()]
        for stem in stems:
            if "/" in stem or stem in ("", ".", ".."):
                raise DataError(f"{options.list}: {stem!r} is no name of a picture; give a file of ImageSets/Main")
        paths = [options.annotations / f"{stem}.xml" for stem in stems]
    else:
        paths = sorted(options.annotations.glob("*.xml"))
    pictures = [picture_of(path, options) for path in paths]
    classes = sorted({thing.label for picture in pictures for thing in picture.things})
    return lines_of(pictures, classes, options)


def flags(parser):
    parser.add_argument("--list", metavar="FILE", type=Path, help="names of the pictures to use, one a line (default: all)")
    parser.add_argument("--difficult", action="store_true", help="take objects marked difficult as the others")
    parser.add_argument("--from-zero", action="store_true", help="pixels are counted from 0")
    add_options(parser)


if __name__ == "__main__":
    run(__doc__, examples, extra=flags)
