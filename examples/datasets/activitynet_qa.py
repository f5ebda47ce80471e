#!/usr/bin/env python3
"""ActivityNet-QA, questions about long films, as lines for palisade transfer and evaluate.

    python3 examples/datasets/activitynet_qa.py --annotations test_a.json --questions test_q.json --videos test --out test.jsonl

Annotations: train_q.json, train_a.json and so on of https://github.com/MILVLG/activitynet-qa (dataset), MIT.
Films:       of http://activity-net.org, clips of YouTube, under their owners' terms. DIR holds v_TIEzvhv6xaI.mp4 and so on.
Recipes:     configs/recipes/activitynet_qa_224.yaml (16 frames, every 70th); score: --metric vqa
"""
from pathlib import Path

from converter import Example, by_id, film_names, read_json, run

# As the README of the data set numbers them.
TYPES = ("motion", "spatial relationship", "temporal relationship", "yes/no", "color", "object", "location", "number", "other")


def examples(options):
    asked = by_id(read_json(options.questions).each(), "question_id")
    for entry in read_json(options.annotations).each():
        name = entry.text("question_id")
        if name not in asked:
            entry.at("question_id").fail(f"{name!r} is no question of {options.questions}; give the questions of the same part")
        question, kind = asked[name], entry.whole("type")
        if not 0 <= kind < len(TYPES):
            entry.at("type").fail(f"is {kind}, not 0 to {len(TYPES) - 1}; correct the entry")
        film = question.text("video_name")
        yield Example(entry.place, name, f"answer en {question.text('question')}", [entry.text("answer")], several=False,
                      film=film_names(f"v_{film}") + film_names(film), fields={"question_type": TYPES[kind]})


def questions(parser):
    parser.add_argument("--questions", metavar="FILE", type=Path, required=True, help="the official questions of the same part")


if __name__ == "__main__":
    run(__doc__, examples, films=True, extra=questions)
