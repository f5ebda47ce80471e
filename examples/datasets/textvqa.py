#!/usr/bin/env python3
"""TextVQA, questions about text in photographs with ten answers each, as lines for palisade transfer and evaluate.

    python3 examples/datasets/textvqa.py --annotations TextVQA_0.5.1_val.json --images train_images --out val.jsonl

Annotations: TextVQA_0.5.1_train.json and _val.json of https://textvqa.org/dataset, CC BY 4.0. The test file has no answers.
Pictures:    train_val_images.zip of the same page (OpenImages, CC BY 2.0). DIR holds 003a8ae2ef43b901.jpg and so on. A few are
             rotated (https://textvqa.org/dataset names the list); turn them first, as the published transfer did.
Recipes:     configs/recipes/textvqa_224.yaml, _448.yaml, _896.yaml; score: --metric vqav2
"""
from converter import Example, read_json, run


def examples(options):
    for entry in read_json(options.annotations).entries("data"):
        image = entry.text("image_id")
        yield Example(entry.place, entry.id("question_id"), f"answer en {entry.text('question')}",
                      entry.texts("answers") if entry.has("answers") else [], images=[f"{image}.jpg"],
                      fields={"answer_type": "other", "image_id": image})


if __name__ == "__main__":
    run(__doc__, examples)
