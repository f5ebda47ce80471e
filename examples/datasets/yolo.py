#!/usr/bin/env python3
"""A YOLO folder (a text file of boxes beside each picture) as "detect" lines for palisade transfer and evaluate.

    python3 examples/datasets/yolo.py --annotations labels/val --names data.yaml --images images/val --out val.jsonl

Annotations: a folder of text files, one a picture and of its name: lines "CLASS X_CENTRE Y_CENTRE WIDTH HEIGHT" in shares of the
             picture, or "CLASS X Y X Y X Y ..." of an outline, of which the box is taken.
Names:       data.yaml, or one class a line (classes.txt, obj.names).
Pictures:    DIR holds them, in the same subfolders as the text files. A picture without a text file has no object.
Score:       --metric detection
"""
import math
import os
import re
from pathlib import Path

from converter import DataError, LeftOut, read_text, run
from detection import Picture, Thing, add_options, checked_label, lines_of, size_of_picture

PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif")


def unquoted(text):
    text = text.strip()
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" else re.sub(r"\s+#.*", "", text)


def names_of_yaml(path, text):
    """The "names:" of a data.yaml: a list in brackets or of dashes, or numbers and names."""
    found = re.search(r"(?m)^names:[ \t]*(.*)$", text)
    if not found:
        raise DataError(f"{path}: has no \"names:\"; give data.yaml, or a file with one class a line")
    if found[1].startswith("["):
        inside = text[found.start(1):].partition("]")[0][1:]
        return {number: unquoted(name) for number, name in enumerate(re.findall(r"'[^']*'|\"[^\"]*\"|[^,\n]+", inside)) if name.strip()}
    names = {}
    for line in text[found.end():].splitlines()[1:]:
        entry = re.fullmatch(r"\s*(?:-|(\d+):)\s*(.+?)\s*", line)
        if entry and (entry[1] is not None or line.lstrip().startswith("-")):
            names[int(entry[1]) if entry[1] else len(names)] = unquoted(entry[2])
        elif line.strip() and not line.lstrip().startswith("#"):
            break
    return names


def names_of(path):
    text = read_text(path)
    names = names_of_yaml(path, text) if path.suffix in (".yaml", ".yml") else dict(enumerate(line.strip() for line in text.splitlines() if line.strip()))
    if not names:
        raise DataError(f"{path}: names no class; give data.yaml, or a file with one class a line")
    return {number: checked_label(name, path) for number, name in names.items()}


def box_of(numbers):
    """Top, left, bottom, right of a centre and sides, or of an outline."""
    if len(numbers) == 4:
        x, y, width, height = numbers
        return y - height / 2, x - width / 2, y + height / 2, x + width / 2
    return min(numbers[1::2]), min(numbers[::2]), max(numbers[1::2]), max(numbers[::2])


def things_of(path, names):
    for number, line in enumerate(read_text(path).splitlines(), 1):
        words, place = line.split(), f"{path}:{number}"
        if not words:
            continue
        try:
            kind, numbers = int(words[0]), [float(word) for word in words[1:]]
        except ValueError as error:
            raise DataError(f"{place}: {error}; a line is a class and numbers") from error
        if kind not in names:
            raise DataError(f"{place}: {kind} is no class of --names; give the names that belong to the folder")
        if len(numbers) != 4 and (len(numbers) < 6 or len(numbers) % 2):
            raise DataError(f"{place}: has {len(numbers)} numbers after the class, not 4, nor an outline's; "
                            "lines of a model's detections have a confidence too: remove it")
        if not all(-0.01 <= share <= 1.01 for share in numbers):
            raise DataError(f"{place}: {max(numbers, key=lambda share: abs(share) if math.isfinite(share) else math.inf)} is no share of the picture, 0 to 1; divide pixels by its size")
        yield Thing(place, names[kind], box_of(numbers))


def pictures_of(options, names, left_out):
    for folder, folders, files in os.walk(options.folder):
        folders.sort()
        for file in sorted(files):
            if not file.lower().endswith(PICTURES):
                continue
            path = Path(folder, file)
            name = path.relative_to(options.folder).as_posix()
            labels = options.annotations / Path(name).with_suffix(".txt")
            size = size_of_picture(path)
            if not size or min(size) <= 0:
                left_out.append(LeftOut(str(path), "it is no picture"))
                continue
            yield Picture(str(path), name, [name], *size, list(things_of(labels, names)) if labels.is_file() else [])


def examples(options):
    if not options.annotations.is_dir():
        raise DataError(f"{options.annotations}: is no folder; name the one with a text file for each picture")
    names, left_out = names_of(options.names), []
    yield from lines_of(pictures_of(options, names, left_out), [names[number] for number in sorted(names)], options)
    yield from left_out


def flags(parser):
    parser.add_argument("--names", metavar="FILE", type=Path, required=True, help="data.yaml, or one class a line")
    add_options(parser)


if __name__ == "__main__":
    run(__doc__, examples, extra=flags)
