#!/usr/bin/env python3
"""RefCOCO, RefCOCO+ and RefCOCOg, one object of a picture told by a sentence, as lines for palisade transfer and evaluate.

    python3 examples/datasets/refcoco.py --annotations "refcoco/refs(unc).p" --instances refcoco/instances.json --split val \\
      --codes vae-oid.npz --images train2014 --out val.jsonl

Annotations: refcoco.zip, refcoco+.zip and refcocog.zip of https://github.com/lichengunc/refer (Apache 2.0): refs(unc).p, for RefCOCOg
             refs(umd).p, or the same as JSON, and instances.json, or instances_train2017.json of https://cocodataset.org. The paper
             trains on all three: write them one after the other, each with the two others as --held-out.
Pictures:    train2014.zip or train2017.zip of https://cocodataset.org, under their owners' terms.
Codes:       a mask becomes sixteen codes by https://storage.googleapis.com/big_vision/paligemma/vae-oid.npz, about a second an object
             and process.
Recipes:     configs/recipes/refcoco_seg_224.yaml, _448.yaml, _896.yaml; score: --metric segmentation
"""
import io
import multiprocessing
import os
import pickle
from pathlib import Path

from converter import DataError, Entry, Example, LeftOut, by_id, parse, read_bytes, read_json, run
from detection import has_area, location_tokens
from mask_codes import MaskEncoder, box_of_mask
from masks import counts_of, mask_of


class PlainUnpickler(pickle.Unpickler):
    """Takes numbers, text, lists and dictionaries; a pickle that asks for anything else could run a program."""

    def find_class(self, module, name):
        raise pickle.UnpicklingError(f"asks for {module}.{name}, which references never need")


def references(path):
    """Of refs(unc).p, which Python 2 wrote, or of JSON."""
    data = read_bytes(path)
    if data.lstrip()[:1] == b"[":
        return Entry(parse(data.decode("utf-8", "replace"), str(path)), str(path), root=True)
    for encoding in ("utf-8", "latin1"):
        try:
            return Entry(PlainUnpickler(io.BytesIO(data), encoding=encoding).load(), str(path), root=True)
        except UnicodeDecodeError:
            continue
        except (Exception, RecursionError) as error:  # a broken pickle may raise anything
            raise DataError(f"{path}: is no file of references ({error or type(error).__name__}); download it again") from error
    raise DataError(f"{path}: is no file of references; download it again")


def objects_of(options):
    """References of the wanted part, each with its annotation and image."""
    instances = read_json(options.instances)
    images, annotations = by_id(instances.entries("images"), "id"), by_id(instances.entries("annotations"), "id")
    entries = references(options.annotations).each()
    parts = sorted({entry.text("split") for entry in entries})
    if options.split not in parts:
        raise DataError(f"{options.annotations}: has the parts {', '.join(parts)}; give --split one of them")
    held_out = {entry.id("image_id") for path in options.held_out for entry in references(path).each() if entry.text("split") != "train"}
    for entry in entries:
        if entry.text("split") != options.split:
            continue
        for key, known in (("ann_id", annotations), ("image_id", images)):
            if entry.id(key) not in known:
                entry.at(key).fail(f"{entry.id(key)} is not in {options.instances}; give the instances that belong to the references")
        image = images[entry.id("image_id")]
        yield entry, annotations[entry.id("ann_id")], image, entry.id("image_id") in held_out


def box_of(annotation, image):
    """Top, left, bottom, right in shares of the picture, and its height and width."""
    height, width = image.whole("height"), image.whole("width")
    numbers = [number.as_number() for number in annotation.entries("bbox")]
    if len(numbers) != 4 or height <= 0 or width <= 0:
        annotation.at("bbox").fail("is no box left, top, width, height in a picture with a size; correct the entry")
    left, top, wide, high = numbers
    return (top / height, left / width, (top + high) / height, (left + wide) / width), height, width


encoder = None  # of this process


def set_up(path):
    global encoder
    encoder = MaskEncoder(path) if path else None


def coded(work):
    """Of one object: its id, and its mask's run lengths and codes."""
    annotation, image = work
    box, height, width = box_of(annotation, image)
    mask = mask_of(annotation.at("segmentation"), height, width)
    top, left, bottom, right = (round(share * side) for share, side in zip(box, (height, width, height, width)))
    top, left, bottom, right = max(top, 0), max(left, 0), min(bottom, height), min(right, width)
    codes = None
    if encoder and bottom > top and right > left:
        codes = "".join(f"<seg{code:03}>" for code in encoder.encode(box_of_mask(mask, height, top, left, bottom, right)))
    return annotation.id("id"), (counts_of(mask), codes)


def coded_objects(options, objects):
    """By annotation; each object once, in as many processes as are asked for."""
    work = {annotation.id("id"): (annotation, image) for _, annotation, image, left_out in objects if not left_out}
    set_up(options.codes)
    if options.processes == 1 or len(work) < 2:
        return dict(map(coded, work.values()))
    with multiprocessing.Pool(options.processes, set_up, (options.codes,)) as pool:
        return dict(pool.imap(coded, work.values(), chunksize=4))


def examples(options):
    if options.form != "detect" and not options.codes:
        raise DataError("--codes: name vae-oid.npz, which makes codes of masks (--help says where it is), or choose --form detect")
    objects = list(objects_of(options))[:options.limit or None]
    known = coded_objects(options, objects)
    for entry, annotation, image, left_out in objects:
        if left_out:
            yield LeftOut(entry.place, "its picture is in a part that is held out")
            continue
        box, height, width = box_of(annotation, image)
        counts, codes = known[annotation.id("id")]
        if not has_area(box) or (codes is None and options.form != "detect"):
            yield LeftOut(entry.place, "its box has no area")
            continue
        name = image.text("file_name")
        fields = {"image_id": image.id("id"), "height": height, "width": width, "truth_mask": counts, "truth_box_y1x1y2x2": list(box)}
        for sentence in entry.entries("sentences"):
            words = sentence.text("sent")
            task, label = {"published": ("", ""), "segment": ("segment ", f" {words}"), "detect": ("detect ", f" {words}")}[options.form]
            suffix = location_tokens(box) + ("" if options.form == "detect" else codes) + label
            yield Example(sentence.place, sentence.id("sent_id"), task + words, [suffix], several=False,
                          images=[[name, name.rpartition("_")[2], f"COCO_train2014_{name}"]], fields=fields)


def flags(parser):
    parser.add_argument("--instances", metavar="FILE", type=Path, required=True, help="instances.json, which has boxes and masks")
    parser.add_argument("--split", metavar="PART", default="train", help="train (default), val, testA, testB or test")
    parser.add_argument("--held-out", metavar="FILE", type=Path, action="append", default=[],
                        help="references whose val and test pictures are left out (may be given several times)")
    parser.add_argument("--codes", metavar="FILE", type=Path, help="vae-oid.npz, which makes codes of masks")
    parser.add_argument("--form", choices=("published", "segment", "detect"), default="published",
                        help="the sentence alone as the paper's transfer has it (default), \"segment SENTENCE\", or \"detect SENTENCE\" with a box alone")
    parser.add_argument("--processes", metavar="N", type=int, default=len(os.sched_getaffinity(0)), help="that code masks (default: one a core)")


if __name__ == "__main__":
    run(__doc__, examples, extra=flags)
