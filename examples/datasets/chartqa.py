#!/usr/bin/env python3
"""ChartQA, questions about charts, as lines for palisade transfer and evaluate.

    python3 examples/datasets/chartqa.py --annotations test/test_human.json --images test/png --out test_human.jsonl

Annotations: train_human.json, train_augmented.json and so on of https://github.com/vis-nlp/ChartQA, GPL-3.0. Train on both kinds;
             evaluate them apart: what is published is the mean of the two.
Pictures:    of the same data set (Statista, Pew, Our World in Data, OECD: their own terms). DIR holds 41699051005347.png and so on.
Recipes:     configs/recipes/chartqa_224.yaml, chartqa_448.yaml; score: --metric chartqa --lower
"""
from converter import Example, read_json, run


def examples(options):
    for number, entry in enumerate(read_json(options.annotations).each()):
        yield Example(entry.place, f"{options.annotations.stem}-{number}", entry.text("query"), [entry.text("label")], several=False,
                      images=[entry.text("imgname")])


if __name__ == "__main__":
    run(__doc__, examples)
