#!/usr/bin/env python3
"""COCO captions, five of each picture, as lines for palisade transfer and evaluate.

    python3 examples/datasets/cococap.py --annotations dataset_coco.json --split val --images . --out val.jsonl
    python3 examples/datasets/cococap.py --annotations captions_val2017.json --images val2017 --out val.jsonl

Annotations: captions_*.json of https://cocodataset.org (annotations_trainval*.zip, CC BY 4.0), or dataset_coco.json with the parts
             that the paper uses (Karpathy, https://cs.stanford.edu/people/karpathy/deepimagesent; no licence is stated).
Pictures:    https://cocodataset.org, under their owners' terms. DIR holds them, or the folders train2014 and val2014.
Recipes:     configs/recipes/cococap_224.yaml, cococap_448.yaml; score: --metric caption
"""
from converter import Example, by_id, captions, read_json, run


def from_coco(whole):
    texts = {}
    for entry in whole.entries("annotations"):
        texts.setdefault(entry.id("image_id"), []).append(entry)
    images = by_id(whole.entries("images"), "id")
    for number, entries in texts.items():
        if number not in images:
            entries[0].at("image_id").fail(f"{number} is no image of the file; download it again")
    for number, image in images.items():
        lines, notes = captions(texts.get(number, []), "caption")
        yield Example(image.place, number, "caption en", lines, images=[image.text("file_name")], fields={"image_id": number}, notes=notes)


def from_parts(whole, wanted):
    images = whole.entries("images")
    parts = sorted({image.text("split") for image in images})
    if not set(wanted) <= set(parts):
        whole.at("images").fail(f"has the parts {', '.join(parts)}; give --split one of them")
    for image in images:
        if image.text("split") in wanted:
            lines, notes = captions(image.entries("sentences"), "raw")
            name, folder, number = image.text("filename"), image.text("filepath"), image.id("cocoid")
            yield Example(image.place, number, "caption en", lines, images=[[f"{folder}/{name}", name]], fields={"image_id": number},
                          notes=notes)


def examples(options):
    whole = read_json(options.annotations)
    if whole.has("annotations"):
        return from_coco(whole)
    if not options.split:
        whole.fail("has parts, as Karpathy's file; give --split, such as val, or train,restval")
    return from_parts(whole, options.split.split(","))


def split(parser):
    parser.add_argument("--split", metavar="PART", help="of dataset_coco.json: val, test, or train,restval")


if __name__ == "__main__":
    run(__doc__, examples, extra=split)
