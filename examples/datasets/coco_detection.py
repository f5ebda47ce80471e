#!/usr/bin/env python3
"""Boxes in COCO's form, COCO's own or anybody's, as "detect" lines for palisade transfer and evaluate.

    python3 examples/datasets/coco_detection.py --annotations instances_val2017.json --images val2017 --classes car,dog --out val.jsonl

Annotations: instances_train2017.json and instances_val2017.json of https://cocodataset.org, CC BY 4.0; or what a labelling tool
             exports as COCO.
Pictures:    of the same page, under their owners' terms. DIR holds what "file_name" says.
Score:       --metric detection
"""
from converter import by_id, read_json, run
from detection import Picture, add_options, checked_label, lines_of, thing_of_pixels


def pictures_of(whole, names):
    pictures = {}
    for number, image in by_id(whole.entries("images"), "id").items():
        width, height = image.number("width"), image.number("height")
        if width <= 0 or height <= 0:
            image.fail(f"is {width} x {height} pixels; correct the entry")
        pictures[number] = Picture(image.place, number, [image.text("file_name")], width, height)
    for entry in whole.entries("annotations"):
        if entry.id("image_id") not in pictures:
            entry.at("image_id").fail(f"{entry.id('image_id')} is no image of the file; correct the entry")
        if entry.id("category_id") not in names:
            entry.at("category_id").fail(f"{entry.id('category_id')} is no category of the file; correct the entry")
        picture = pictures[entry.id("image_id")]
        box = [number.as_number() for number in entry.entries("bbox")]
        if len(box) != 4 or min(box[2:]) < 0:
            entry.at("bbox").fail("is no box left, top, width, height; correct the entry")
        left, top, width, height = box
        picture.things.append(thing_of_pixels(
            entry.place, names[entry.id("category_id")], (left, top, left + width, top + height), (picture.width, picture.height),
            crowd=entry.flag("iscrowd") if entry.has("iscrowd") else False, area=entry.number("area") if entry.has("area") else None))
    return pictures.values()


def examples(options):
    whole = read_json(options.annotations)
    names = {number: checked_label(entry.text("name"), entry.place) for number, entry in by_id(whole.entries("categories"), "id").items()}
    return lines_of(pictures_of(whole, names), names.values(), options)


if __name__ == "__main__":
    run(__doc__, examples, extra=add_options)
