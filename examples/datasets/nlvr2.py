#!/usr/bin/env python3
"""NLVR2, true or false statements about two photographs, as lines for palisade transfer and evaluate.

    python3 examples/datasets/nlvr2.py --annotations dev.json --images images/dev --out dev.jsonl

Annotations: train.json, dev.json, test1.json and test2.json of https://github.com/lil-lab/nlvr (nlvr2/data), CC BY 4.0.
Pictures:    asked for by the form that the same page names, for research alone; they belong to others. DIR holds dev-850-0-img0.png
             and so on; train's lie in a folder by number (images/train/3), which is found by the entry's "directory".
Recipes:     configs/recipes/nlvr2_224.yaml, nlvr2_448.yaml; score: --metric nlvr2
"""
from converter import Example, read_lines, run


def examples(options):
    for entry in read_lines(options.annotations):
        identifier = entry.text("identifier")
        pair, dash, sentence = identifier.rpartition("-")
        if not dash or len(identifier.split("-")) != 4:
            entry.at("identifier").fail(f"{identifier!r} is not of the form split-set-pair-sentence; correct the entry")
        folders = [f"{entry.id('directory')}/", ""] if entry.has("directory") else [""]
        label = entry.text("label")
        if label not in ("True", "False"):
            entry.at("label").fail(f"is {label!r}, not \"True\" or \"False\"; correct the entry")
        yield Example(entry.place, identifier, f"answer en {entry.text('sentence')}", [label], several=False,
                      images=[[f"{folder}{pair}-img{side}.png" for folder in folders] for side in (0, 1)],
                      fields={"identifier": identifier})


if __name__ == "__main__":
    run(__doc__, examples)
