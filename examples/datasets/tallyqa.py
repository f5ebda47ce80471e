#!/usr/bin/env python3
"""TallyQA, how many of something a picture shows, as lines for palisade transfer and evaluate.

    python3 examples/datasets/tallyqa.py --annotations test.json --images pictures --out test.jsonl

Annotations: train.json and test.json of https://github.com/manoja328/TallyQA_dataset; its page states no licence for them.
Pictures:    Visual Genome (https://homes.cs.washington.edu/~ranjay/visualgenome, CC BY 4.0) and, for training, COCO 2014
             (https://cocodataset.org). DIR holds the folders VG_100K, VG_100K_2, train2014 and val2014.
Recipes:     configs/recipes/tallyqa_224.yaml, _448.yaml, _896.yaml; score: --metric tallyqa
"""
from converter import Example, read_json, run


def examples(options):
    for entry in read_json(options.annotations).each():
        count = entry.whole("answer")
        # Only the test part says which questions are simple; -1 is neither.
        simple = int(entry.flag("issimple")) if entry.has("issimple") else -1
        yield Example(entry.place, entry.id("question_id"), f"answer en {entry.text('question')}", [str(count)], several=False,
                      images=[entry.text("image")], fields={"issimple": simple, "image_id": entry.id("image_id")})


if __name__ == "__main__":
    run(__doc__, examples)
