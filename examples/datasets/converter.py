"""What the scripts of this folder share: annotation files are read here, examples become lines here, and every complaint names
file, entry and remedy. Needs nothing but Python 3.11."""
import argparse
import json
import math
import os
import random
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

FILMS = (".mp4", ".avi", ".mkv", ".webm", ".mov")
# What no text of an example may hold (tasks/prompt.cc), and what ends a line for the captions' tokenizer.
CONTROL_TOKENS = ("<image>", "<bos>", "<eos>", "<pad>", "<unk>")
LINE_ENDS = "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029"
BROKEN = "captions held line breaks, which became spaces"
MAX_WHOLE = 2**53


class DataError(Exception):
    """Input that is not as its official description says. The message names file, entry and remedy."""


def kind_of(value):
    for kinds, name in (((bool,), "true or false"), ((str,), "text"), ((int, float), "a number"), ((list,), "a list"), ((dict,), "an object")):
        if isinstance(value, kinds):
            return name
    return "null" if value is None else type(value).__name__


class Entry:
    """A value of an annotation file, and where it stands, such as "val.json: annotations[7].image_id"."""

    def __init__(self, value, place, root=False):
        self.value, self.place, self.root = value, place, root

    def fail(self, what):
        raise DataError(f"{self.place}: {what}")

    def has(self, key):
        return isinstance(self.value, dict) and self.value.get(key) is not None

    def at(self, key):
        if not isinstance(self.value, dict):
            self.fail(f"is {kind_of(self.value)}, not an object with \"{key}\"; give the file that --help describes")
        if key not in self.value:
            known = ", ".join(map(str, list(self.value)[:8])) or "nothing"
            self.fail(f"\"{key}\" is missing (it has {known}); give the file that --help describes")
        return Entry(self.value[key], f"{self.place}{': ' if self.root else '.'}{key}")

    def wrong(self, wanted):
        self.fail(f"is {kind_of(self.value)}, not {wanted}; correct the entry")

    def each(self):
        if not isinstance(self.value, list):
            self.wrong("a list")
        return [Entry(value, f"{self.place}[{number}]") for number, value in enumerate(self.value)]

    def as_text(self):
        if not isinstance(self.value, str):
            self.wrong("text")
        try:
            self.value.encode()
        except UnicodeEncodeError:
            self.fail("holds half of a surrogate pair, which is no character; correct the entry")
        return self.value

    def as_number(self):
        if isinstance(self.value, bool) or not isinstance(self.value, (int, float)):
            self.wrong("a number")
        if not abs(self.value) < MAX_WHOLE or not math.isfinite(self.value):
            self.fail("is no number that a picture could have; correct the entry")
        return self.value

    def as_whole(self):
        if isinstance(self.value, bool) or not isinstance(self.value, int):
            self.wrong("a whole number")
        return self.as_number()

    def as_id(self):
        return self.as_text() if isinstance(self.value, str) else self.as_whole()

    def text(self, key):
        return self.at(key).as_text()

    def number(self, key):
        return self.at(key).as_number()

    def whole(self, key):
        return self.at(key).as_whole()

    def id(self, key):
        return self.at(key).as_id()

    def entries(self, key):
        return self.at(key).each()

    def texts(self, key):
        return [entry.as_text() for entry in self.entries(key)]

    def flag(self, key):
        if self.at(key).value not in (True, False, 0, 1):
            self.at(key).wrong("true or false")
        return bool(self.at(key).value)


def read_bytes(path):
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise DataError(f"{path}: {error.strerror or error}; name a file that can be read") from error


def read_text(path):
    try:
        return read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: byte {error.start} is not UTF-8; unpack the file, or save it as UTF-8") from error


def parse(text, place, file_end=""):
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        cut = "is cut off" if error.pos >= len(text.rstrip()) else f"is no JSON at line {error.lineno}, column {error.colno} ({error.msg})"
        raise DataError(f"{place}: {cut}; download the file again{file_end}") from error
    except (RecursionError, ValueError) as error:
        raise DataError(f"{place}: holds what no annotation does ({error}); download the file again") from error


def read_json(path):
    return Entry(parse(read_text(path), str(path)), str(path), root=True)


def read_lines(path):
    """The objects of a file that has one a line."""
    text = read_text(path)
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield Entry(parse(line, f"{path}:{number}", " (it has one object a line)"), f"{path}:{number}", root=True)


def by_id(entries, key):
    """Entries by their id; none may come twice."""
    found = {}
    for entry in entries:
        twice(found.setdefault(entry.id(key), entry), entry, key)
    return found


def twice(first, entry, key):
    if first is not entry:
        entry.fail(f"has the {key} of {first.place}; remove one of them")


@dataclass
class Example:
    """A line. `images` are names in the folder of pictures, each a name or several that may be meant; `film` likewise. `answers`
    are all references, or with `several` false the only one. The suffix is the most frequent of them, unless it is given."""
    place: str
    id: "str | int"
    prefix: str
    answers: list
    images: list = field(default_factory=list)
    film: list = field(default_factory=list)
    several: bool = True
    suffix: "str | None" = None
    fields: dict = field(default_factory=dict)
    silent: bool = False  # an empty suffix is meant
    notes: list = field(default_factory=list)  # what was changed, counted and told


@dataclass
class LeftOut:
    """An entry of which no line is made, and why."""
    place: str
    reason: str


def text_fault(text):
    """Why `palisade transfer` would refuse a text."""
    if any((mark < " " and mark not in "\n\r\t") or mark == "\x7f" for mark in text):
        return "its text holds a control character"
    for token in CONTROL_TOKENS:
        if token in text:
            return f"its text holds the control token {token}"
    return "its text is longer than 8 KiB" if len(text.encode()) > 8192 else None


def captions(entries, key):
    """Captions as one line each, and what is told of them: the captions' tokenizer takes a line for a picture."""
    texts = [entry.text(key) for entry in entries]
    lines = [" ".join(text.split()) if any(mark in text for mark in LINE_ENDS) else text for text in texts]
    return lines, [BROKEN] * sum(line != text for line, text in zip(lines, texts))


class PictureFolder:
    """Names in annotations to paths as a line has them, relative to the file of lines."""

    def __init__(self, folder, out):
        self.folder = folder
        if not os.path.isdir(folder):
            raise DataError(f"{folder}: is no folder; name the one that has the pictures or films")
        self.prefix = os.path.relpath(os.path.realpath(folder), os.path.realpath(out.parent))
        self.known = {}

    def find(self, names, place):
        """The first of the names that is a file, or None."""
        names = (names,) if isinstance(names, str) else tuple(names)
        if names not in self.known:
            for name in names:
                if not name or "\0" in name or os.path.isabs(name) or ".." in name.replace("\\", "/").split("/"):
                    raise DataError(f"{place}: {shortened(repr(name))} is no name of a file in the folder {self.folder}; correct the entry")
            self.known[names] = next((name for name in names if os.path.isfile(os.path.join(self.folder, name))), None)
        name = self.known[names]
        return name and os.path.normpath(os.path.join(self.prefix, name))


def film_names(stem):
    return [stem + ending for ending in FILMS]


def shortened(text):
    return text if len(text) <= 200 else f"{text[:200]}…"


def json_line(value):
    """A line of JSON that is one to every program: what some take for the end of a line is escaped."""
    text = json.dumps(value, ensure_ascii=False)
    for mark in "\x7f\x85\u2028\u2029":
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return text + "\n"


class Lines:
    """Writes examples and counts what is left out."""

    def __init__(self, options, folder, stream):
        self.options, self.folder, self.stream = options, folder, stream
        self.places, self.left_out, self.notes, self.first, self.written, self.missing, self.films = {}, Counter(), Counter(), {}, 0, 0, False

    def leave_out(self, place, reason, detail=""):
        self.left_out[reason] += 1
        self.first.setdefault(reason, place + (f": {shortened(detail)}" if detail else ""))

    def add(self, example):
        if isinstance(example, LeftOut):
            return self.leave_out(example.place, example.reason)
        earlier = self.places.setdefault(example.id, example.place)
        if earlier is not example.place:
            raise DataError(f"{example.place}: the id {example.id!r} is that of {earlier}; remove one of them")
        paths = []
        for names in example.images + ([example.film] if example.film else []):
            path = self.folder.find(names, example.place)
            if path is None:
                self.missing, self.films = self.missing + 1, bool(example.film)
                return self.leave_out(example.place, f"no file in {self.folder.folder}", names if isinstance(names, str) else names[0])
            paths.append(path)
        if not example.answers and example.suffix is None:
            return self.leave_out(example.place, "it has no answer, as in a test set")
        for text in self.suffixes(example):
            fault = text_fault(example.prefix) or text_fault(text) or (None if example.prefix.strip() else "its question is blank")
            fault = fault or (None if text.strip() or example.silent else "its answer is blank")
            if fault:
                return self.leave_out(example.place, fault)
        self.notes.update(example.notes)
        self.write(example, paths)

    def suffixes(self, example):
        if self.options.draws and len(example.answers) > 1:
            source, drawn = random.Random(f"{self.options.seed} {example.id}"), []
            while len(drawn) < self.options.draws:  # without repetition as long as there are others
                drawn += source.sample(example.answers, len(example.answers))
            return drawn[:self.options.draws]
        suffix = example.suffix if example.suffix is not None else Counter(example.answers).most_common(1)[0][0]
        return [suffix] * (self.options.draws or 1)

    def write(self, example, paths):
        place = {"video": paths[0]} if example.film else {"image": paths[0]} if len(paths) == 1 else {"images": paths}
        answers = {"answers": example.answers} if example.several else {"answer": example.answers[0]} if example.answers else {}
        for number, suffix in enumerate(self.suffixes(example), 1):
            name = f"{example.id}#{number}" if self.options.draws else example.id
            line = {"id": name, **place, "prefix": example.prefix, "suffix": suffix, **answers, **example.fields}
            self.stream.write(json_line(line))
            self.written += 1

    def told(self):
        """What became of all entries, as lines."""
        lines = [f"{self.options.out}: {self.written} lines"]
        for reason, count in self.left_out.items():
            lines.append(f"  {count} left out, {reason} (first: {self.first[reason]})")
        lines += [f"  {count} {note}" for note, count in self.notes.items()]
        return lines


def arguments(description, films, extra):
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--annotations", metavar="FILE", type=Path, required=True, help="the official annotation file; a folder where it is one")
    parser.add_argument("--videos" if films else "--images", metavar="DIR", type=Path, required=True, dest="folder",
                        help="the folder of films" if films else "the folder of pictures")
    parser.add_argument("--out", metavar="FILE", type=Path, required=True, help="where the lines go; paths in it are relative to it")
    parser.add_argument("--limit", metavar="N", type=int, default=0, help="stop after N examples")
    parser.add_argument("--draws", metavar="N", type=int, default=0,
                        help="for training: each example N times, its suffix drawn among its answers (default: once, the most frequent)")
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="of the draws")
    extra(parser)
    options = parser.parse_args()
    if options.limit < 0 or options.draws < 0:
        parser.error("--limit and --draws are not below 0")
    for path in vars(options).values():
        if isinstance(path, Path) and path is not options.out and os.path.realpath(path) == os.path.realpath(options.out):
            parser.error(f"--out {options.out} is one of the files that are read; name another")
    return options


def convert(options, examples):
    if not options.out.parent.is_dir():
        raise DataError(f"{options.out.parent}: is no folder; make it first")
    folder = PictureFolder(options.folder, options.out)
    part = options.out.with_name(options.out.name + ".part")
    try:
        with open(part, "w", encoding="utf-8", newline="\n") as stream:
            lines = Lines(options, folder, stream)
            for example in examples(options):
                lines.add(example)
                if options.limit and lines.written >= options.limit * (options.draws or 1):
                    break
        if not lines.written:
            remedy = f"name the folder that has the {'films' if lines.films else 'pictures'}" if lines.missing else \
                "give a file that has answers" if lines.left_out else "it holds none: is it the file that --help describes?"
            raise DataError("\n".join([f"{options.annotations}: no example is left; {remedy}", *lines.told()[1:]]))
        os.replace(part, options.out)
    finally:
        part.unlink(missing_ok=True)
    tell("\n".join(lines.told()))


def run(description, examples, films=False, extra=lambda parser: None):
    """A script's whole work: `examples(options)` yields Example and LeftOut. Ends with 0 done, 1 failed, 2 bad input."""
    options = arguments(description, films, extra)
    try:
        convert(options, examples)
    except DataError as error:
        sys.exit(complain(error, 2))
    except (OSError, MemoryError) as error:
        sys.exit(complain(f"{options.out}: {error or 'out of memory'}", 1))
    except KeyboardInterrupt:
        sys.exit(130)


def complain(what, code):
    tell(f"error: {what}")
    return code


def tell(lines):
    """To a person: without what a terminal would obey, and of a line that goes on for long its two ends."""
    for line in lines.split("\n"):
        plain = "".join(mark if mark.isprintable() else "?" for mark in line)
        print(plain if len(plain) <= 700 else f"{plain[:350]}…{plain[-300:]}", file=sys.stderr)
