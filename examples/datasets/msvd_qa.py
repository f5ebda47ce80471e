#!/usr/bin/env python3
"""MSVD-QA, questions about short films, as lines for palisade transfer and evaluate.

    python3 examples/datasets/msvd_qa.py --annotations test_qa.json --mapping youtube_mapping.txt --videos YouTubeClips --out test.jsonl

Annotations: train_qa.json, val_qa.json, test_qa.json and youtube_mapping.txt, which
             https://github.com/xudejing/video-question-answering points to; their page states the terms.
Films:       YouTubeClips of https://www.cs.utexas.edu/~ml/clamp/videoDescription, under their owners' terms. DIR holds
             -4wsuPCjDBc_5_15.avi and so on, which --mapping numbers, or vid1.avi and so on.
Recipes:     configs/recipes/msvd_qa_224.yaml (8 frames, every 26th); score: --metric vqa
"""
from pathlib import Path

from converter import DataError, Example, film_names, read_json, read_text, run


def numbered(path):
    """The films' own names by their number: lines "NAME vid12"."""
    names = {}
    for number, line in enumerate(read_text(path).splitlines(), 1):
        words = line.split()
        if not words:
            continue
        if len(words) != 2 or not words[1].startswith("vid") or not words[1][3:].isdecimal():
            raise DataError(f"{path}:{number}: is no line \"NAME vid12\"; give youtube_mapping.txt as it was published")
        if names.setdefault(int(words[1][3:]), words[0]) != words[0]:
            raise DataError(f"{path}:{number}: {words[1]} has two names; remove one")
    return names


def examples(options):
    names = numbered(options.mapping) if options.mapping else {}
    for entry in read_json(options.annotations).each():
        film = entry.whole("video_id")
        if names and film not in names:
            entry.at("video_id").fail(f"vid{film} is not in {options.mapping}; give the mapping that belongs to the file")
        yield Example(entry.place, entry.id("id"), f"answer en {entry.text('question')}", [entry.text("answer")], several=False,
                      film=film_names(f"vid{film}") + (film_names(names[film]) if film in names else []))


def mapping(parser):
    parser.add_argument("--mapping", metavar="FILE", type=Path, help="youtube_mapping.txt, where films have YouTube's names")


if __name__ == "__main__":
    run(__doc__, examples, films=True, extra=mapping)
