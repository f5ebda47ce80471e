"""Rules of words that a machine can check: limits of documents, files and faults that comments and documents name, and no branch
on the text of a message, and texts put together with format(). house_rules.py calls them."""
import re

MAX_DOCUMENT_LINES = {"DESIGN.md": 150, "README.md": 120}
MAX_SENTENCE_WORDS = 35
FAULTS = "tests/fault/README.md"
# Documents that describe data of others, or that a program writes.
FOREIGN = re.compile(r"tests/golden/|tests/fuzz/corpus/")
SOURCES = re.compile(r".*\.(cc|h|py|sh|cmake|yaml)|run|.*CMakeLists\.txt|\.ci/run")
# Files of other projects, which comments may cite as their source.
CITED = re.compile(r"(big_vision|tensorflow|openssl|trainers)/.*|modeling_\w+\.py|generation/utils\.py|models/(vit|ppp/gemma)\.py|"
                   r"(utils|tokenization_siglip)\.py|normalizer\.(h|cc)|darts\.h|foreach_target\.h")
# What commands write, and what stands for any name.
MADE_UP = re.compile(r"report\.md|\.\w+|.*\b(NAME|FOLDER|snake_case)\b.*|.*FOLDER/NAME_test\.cc")
# A message is for people. A library's message may be read where the library gives no code: these files do.
MESSAGE_TEXT = re.compile(
    r"what\(\)\s*\)*\s*(\.\s*(find|starts_with|ends_with|contains|compare)\b|[!=]=)|strstr\([^;]*what\(\)|"
    r"\b(message|reason|error|error_text)_?(\(\))?\s*(\.\s*(starts_with|ends_with|contains|compare)\(|[!=]=\s*\")|"
    r"\b(message|reason|error)_?(\(\))?\.find\([^;]*npos")
READS_LIBRARY_MESSAGES = re.compile(r"ingest/gstreamer/gst_pipeline\.cc|ingest/http/http_faults\.cc|ingest/ffmpeg/ffmpeg_rtsp\.cc")

NUMBER_IN_CHAIN = re.compile(r"\+ ?std::to_string\(|\bto_string\((?:[^()]|\([^()]*\))*\) ?\+ ?[\"(]")


def comments_of(name, text):
    """(line number, words) of every comment; in a document, of all but code blocks."""
    mark = r"//(.*)" if name.endswith((".cc", ".h")) else r"#(.*)"
    inside = False
    for number, line in enumerate(text.splitlines(), 1):
        if name.endswith(".md"):
            if line.lstrip().startswith("```"):
                inside = not inside
            elif not inside:
                yield number, line
        elif found := re.search(mark, line):
            yield number, found[1]


def sentences_of(text):
    """(line number, sentence) of a document: paragraphs, entries of lists and cells of tables each by themselves."""
    paragraph, start, inside = [], 0, False
    for number, line in enumerate([*text.splitlines(), ""], 1):
        if line.lstrip().startswith("```"):
            inside = not inside
            line = ""
        elif inside:
            continue
        new = not line.strip() or re.match(r"\s*([-*>#|]|\d+\.)\s?", line)
        if new and paragraph:
            whole = re.sub(r"`[^`]*`", "code", " ".join(paragraph))
            for piece in re.split(r"(?<=[.!?:])\s+", whole):
                yield start, piece
            paragraph = []
        if line.startswith("|"):
            for cell in line.strip("|").split("|"):
                for piece in re.split(r"(?<=[.!?;])\s+", re.sub(r"`[^`]*`", "code", cell)):
                    yield number, piece
        elif line.strip():
            start = start if paragraph else number
            paragraph.append(re.sub(r"^\s*([-*>#]+|\d+\.)\s", "", line))


def document_breaches(name, text):
    limit = MAX_DOCUMENT_LINES.get(name)
    lines = len(text.splitlines())
    if limit and lines > limit:
        yield f"{name}: {lines} lines; at most {limit}"
    for number, sentence in sentences_of(text):
        words = len([word for word in sentence.split() if re.search(r"\w", word)])
        if words > MAX_SENTENCE_WORDS:
            yield f"{name}:{number}: a sentence of {words} words; at most {MAX_SENTENCE_WORDS}: {sentence[:50]}"


def named_files(name, line):
    """What a comment or a line of a document names as a file of this repository."""
    if name.endswith(".md"):
        pieces = re.findall(r"`([^`\s]+)`", line) + re.findall(r"\]\(([^)#\s]+)\)", line)
    else:
        pieces = [piece.rstrip(".,:;") for piece in re.split(r"[\s()\"'`<>;,]+", line)]
    for piece in pieces:
        if re.fullmatch(r"[\w./-]+", piece) and not piece.startswith(("/", "http", "build/", "./run")):
            yield piece


def file_breaches(name, text, tree):
    folder = name.rpartition("/")[0]
    for number, line in comments_of(name, text):
        for piece in named_files(name, line):
            path = piece.rstrip("/")
            source = re.search(r"\.(cc|h|py|sh|cmake|md)$", path)
            rooted = path.split("/")[0] in tree.tops and "/" in path
            if not (source or rooted) or CITED.fullmatch(path) or MADE_UP.fullmatch(path) or tree.has(path, folder):
                continue
            if "/" not in path and not source:
                continue
            yield f"{name}:{number}: {piece} is no file of this repository"


class Tree:
    """The tracked files, by path, by folder and by name."""

    def __init__(self, names):
        self.paths = set(names)
        self.folders = {name[:at] for name in names for at in range(len(name)) if name[at] == "/"}
        self.stems = {re.sub(r"\.\w+$", "", name) for name in names}
        self.tops = {name.split("/")[0] for name in names if "/" in name}
        self.bases = {name.rpartition("/")[2] for name in names}

    def has(self, path, folder):
        """From the root, from the folder of who names it, or of any folder where the name stands alone."""
        known = self.paths | self.folders | self.stems
        steps = f"{folder}/{path}".split("/")
        plain = []
        for step in steps:
            plain = plain[:-1] if step == ".." else [*plain, step] if step not in ("", ".") else plain
        if path in known or "/".join(plain) in known:
            return True
        return path in self.bases if "/" not in path else any(one.endswith("/" + path) for one in self.paths)


def fault_breaches(name, text, known):
    for number, line in enumerate(text.splitlines(), 1):
        numbers = re.findall(r"\bR-(\d\d)\b", line)
        for function in re.findall(r"def test_((?:r\d\d_)+)", line):
            numbers += re.findall(r"r(\d\d)", function)
        for fault in numbers:
            if fault not in known:
                yield f"{name}:{number}: R-{fault} has no row in {FAULTS}"


def message_breaches(name, text):
    if READS_LIBRARY_MESSAGES.fullmatch(name):
        return
    for number, line in enumerate(text.splitlines(), 1):
        if MESSAGE_TEXT.search(line):
            yield f"{name}:{number}: a branch on a message's text; give the error a field that says it"


def text_breaches(name, text):
    for number, line in enumerate(text.splitlines(), 1):
        if NUMBER_IN_CHAIN.search(line):
            yield f"{name}:{number}: a number in a chain of +; format() of base/format.h is for that"


def breaches(root, names, program):
    """`names`: all tracked files; `program`: whether a file is of the program."""
    tree = Tree(names)
    known = set(re.findall(r"^\| R-(\d\d) \|", (root / FAULTS).read_text(encoding="utf-8"), re.MULTILINE))
    for name in names:
        document = name.endswith(".md")
        if FOREIGN.match(name) or not (document or SOURCES.fullmatch(name)):
            continue
        text = (root / name).read_text(encoding="utf-8")
        yield from file_breaches(name, text, tree)
        yield from fault_breaches(name, text, known)
        if document:
            yield from document_breaches(name, text)
        if name.endswith((".cc", ".h")) and program(name):
            yield from message_breaches(name, text)
            yield from text_breaches(name, text)
