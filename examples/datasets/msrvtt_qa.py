#!/usr/bin/env python3
"""MSRVTT-QA, questions about MSR-VTT's films, as lines for palisade transfer and evaluate.

    python3 examples/datasets/msrvtt_qa.py --annotations test_qa.json --videos TestVideo --out test.jsonl

Annotations: train_qa.json, val_qa.json and test_qa.json, which https://github.com/xudejing/video-question-answering points to; their
             page states the terms.
Films:       MSR-VTT's clips of YouTube, under their owners' terms. DIR holds video7010.mp4 and so on.
Recipes:     configs/recipes/msrvtt_qa_224.yaml (16 frames, every ninth); score: --metric vqa
"""
from converter import Example, film_names, read_json, run


def examples(options):
    for entry in read_json(options.annotations).each():
        yield Example(entry.place, entry.id("id"), f"answer en {entry.text('question')}", [entry.text("answer")], several=False,
                      film=film_names(f"video{entry.whole('video_id')}"))


if __name__ == "__main__":
    run(__doc__, examples, films=True)
