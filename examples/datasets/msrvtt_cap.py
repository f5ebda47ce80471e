#!/usr/bin/env python3
"""MSR-VTT captions, twenty of each film, as lines for palisade transfer and evaluate.

    python3 examples/datasets/msrvtt_cap.py --annotations train_val_videodatainfo.json --split validate --videos TrainValVideo --out val.jsonl

Annotations: train_val_videodatainfo.json and test_videodatainfo.json (2016), of Microsoft's MSR-VTT; no licence is stated.
Films:       clips of YouTube, under their owners' terms. DIR holds video7010.mp4 and so on.
Recipes:     configs/recipes/msrvtt_cap_224.yaml (16 frames, every ninth); score: --metric caption
"""
from converter import Example, by_id, captions, film_names, read_json, run


def examples(options):
    whole = read_json(options.annotations)
    texts = {}
    for entry in whole.entries("sentences"):
        texts.setdefault(entry.text("video_id"), []).append(entry)
    films = by_id(whole.entries("videos"), "video_id")
    for name, entries in texts.items():
        if name not in films:
            entries[0].at("video_id").fail(f"{name!r} is no video of the file; download it again")
    parts = sorted({film.text("split") for film in films.values()})
    if options.split and options.split not in parts:
        whole.at("videos").fail(f"has the parts {', '.join(parts)}; give --split one of them")
    for name, film in films.items():
        if not options.split or film.text("split") == options.split:
            lines, notes = captions(texts.get(name, []), "caption")
            yield Example(film.place, name, "caption en", lines, film=film_names(name), notes=notes)


def split(parser):
    parser.add_argument("--split", metavar="PART", help="train, validate or test (default: all that the file has)")


if __name__ == "__main__":
    run(__doc__, examples, films=True, extra=split)
