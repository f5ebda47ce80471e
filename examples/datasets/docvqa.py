#!/usr/bin/env python3
"""DocVQA, questions about scanned documents, as lines for palisade transfer and evaluate.

    python3 examples/datasets/docvqa.py --annotations val_v1.0_withQT.json --images spdocvqa_images --out val.jsonl

Annotations: train_v1.0_withQT.json and val_v1.0_withQT.json (Task 1) of https://rrc.cvc.uab.es/?ch=17, after a registration and
             under its terms. The test file has no answers.
Pictures:    of the same page (UCSF Industry Documents Library). DIR holds documents/xnbl0037_1.png, or xnbl0037_1.png, and so on.
Recipes:     configs/recipes/docvqa_224.yaml, _448.yaml, _896.yaml; score: --metric anls --lower
"""
from converter import Example, read_json, run


def examples(options):
    for entry in read_json(options.annotations).entries("data"):
        image = entry.text("image")
        fields = {"question_types": entry.texts("question_types")} if entry.has("question_types") else {}
        yield Example(entry.place, entry.id("questionId"), entry.text("question"),
                      entry.texts("answers") if entry.has("answers") else [], images=[[image, image.rpartition("/")[2]]], fields=fields)


if __name__ == "__main__":
    run(__doc__, examples)
