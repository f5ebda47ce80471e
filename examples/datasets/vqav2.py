#!/usr/bin/env python3
"""VQAv2, questions about COCO's pictures with ten answers each, as lines for palisade transfer and evaluate.

    python3 examples/datasets/vqav2.py --annotations v2_mscoco_val2014_annotations.json \\
      --questions v2_OpenEnded_mscoco_val2014_questions.json --images val2014 --out val.jsonl

Annotations: v2_Questions_*_mscoco.zip and v2_Annotations_*_mscoco.zip of https://visualqa.org/download.html, CC BY 4.0.
Pictures:    train2014.zip and val2014.zip of https://cocodataset.org, under their owners' terms. DIR holds
             COCO_val2014_000000262148.jpg and so on.
Recipes:     configs/recipes/vqav2_224.yaml, vqav2_448.yaml; score: --metric vqav2
"""
from pathlib import Path

from converter import Example, by_id, read_json, run


def examples(options):
    annotations, questions = read_json(options.annotations), read_json(options.questions)
    subset = annotations.text("data_subtype")
    asked = by_id(questions.entries("questions"), "question_id")
    for entry in annotations.entries("annotations"):
        number = entry.id("question_id")
        if number not in asked:
            entry.at("question_id").fail(f"{number} is no question of {options.questions}; give the questions of the same part")
        image = entry.whole("image_id")
        name = f"COCO_{subset}_{image:012d}.jpg"
        yield Example(entry.place, number, f"answer en {asked[number].text('question')}",
                      [answer.text("answer") for answer in entry.entries("answers")], images=[[name, f"{subset}/{name}"]],
                      fields={"answer_type": entry.text("answer_type"), "question_type": entry.text("question_type"), "image_id": image})


def questions(parser):
    parser.add_argument("--questions", metavar="FILE", type=Path, required=True, help="the official questions of the same part")


if __name__ == "__main__":
    run(__doc__, examples, extra=questions)
