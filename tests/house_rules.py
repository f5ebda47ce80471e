#!/usr/bin/env python3
"""The house rules that a machine can check: who may include whom, each third-party library behind its own door,
file length; document_rules.py has those of words. Prints every breach as FILE:LINE and ends with 1 if there is any."""
import re
import subprocess
import sys
from pathlib import Path

import document_rules

ROOT = Path(__file__).resolve().parent.parent

# DESIGN.md, "Folders and who may include whom": every folder with sources has a row, and may include itself, base/ and what
# its row names; examples and tests anything.
MAY_INCLUDE = {
    "base": "",
    "frames": "",
    "ingest/source": "frames",
    "ingest/pictures": "frames ingest/source",
    "ingest/rtsp": "ingest/source",
    "ingest/http": "ingest/source ingest/pictures",
    "ingest/ffmpeg": "frames ingest/source ingest/rtsp ingest/http",
    "ingest/gstreamer": "frames ingest/source ingest/rtsp ingest/ffmpeg",
    "ingest": "frames ingest/source ingest/pictures ingest/http ingest/ffmpeg ingest/gstreamer",
    "model": "",
    "model/tensor": "model",
    "model/text": "model",
    "model/config": "frames model model/tensor model/text",
    "model/kernels": "model model/tensor",
    "model/weights": "frames model model/tensor model/config model/kernels",
    "model/join": "model model/tensor model/text model/config model/weights",
    "model/matmul": "model model/tensor model/kernels model/weights",
    "model/adapters": "frames model model/tensor model/config model/kernels model/weights model/matmul",
    "model/siglip": "frames model model/tensor model/text model/config model/kernels model/weights model/matmul model/adapters",
    "model/gemma": "model model/tensor model/config model/kernels model/weights model/matmul model/adapters",
    "model/paligemma": "frames model model/tensor model/text model/config model/kernels model/weights model/matmul model/adapters "
                       "model/siglip model/gemma",
    "model/decoding": "model model/text model/kernels model/paligemma",
    "model/masks": "frames model",
    "model/train": "model model/tensor model/text model/config model/kernels model/weights model/matmul model/adapters model/siglip "
                   "model/gemma",
    "tasks/events": "frames model/masks model/paligemma model/decoding",
    "tasks/filters": "",
    "tasks/certainty": "tasks/events",
    "tasks/rules": "tasks/events tasks/filters",
    "tasks/metrics": "frames model/masks",
    "tasks": "frames model/masks model/decoding tasks/events",
    "service/terminal": "",
    "service/endpoints": "",
    "service/settings": "frames ingest/source ingest/rtsp model/config model/weights model/matmul tasks/events tasks/filters tasks/rules tasks service/endpoints",
    "service/events": "frames tasks/events tasks/filters tasks/rules",
    "service/zeromq": "tasks/events service/endpoints service/events",
    "service/journal": "frames ingest/pictures tasks/events service/events",
    "service/engine": "frames model model/config model/weights model/matmul model/paligemma model/decoding tasks/events tasks/certainty service/settings service/events",
    "service/streams": "frames ingest ingest/pictures model/masks model/paligemma tasks/events tasks/certainty tasks service/settings service/engine service/events",
    "service/asking": "frames ingest ingest/source ingest/pictures model/masks tasks/events tasks service/engine service/events",
    "service/http": "frames ingest/source ingest/pictures model/masks model/paligemma model/decoding tasks tasks/events tasks/filters tasks/certainty service/endpoints "
                    "service/engine service/events service/journal service/asking",
    "service/remote": "service/terminal service/settings service/http",
    "service/transfer": "frames ingest ingest/source ingest/pictures model model/text model/config model/weights model/decoding model/train "
                        "tasks tasks/filters tasks/metrics service/terminal service/settings service/journal",
    "service/bench": "frames model/tensor model/config model/kernels model/matmul model/paligemma service/terminal service/settings "
                     "service/engine service/streams",
    "service/evaluation": "frames ingest ingest/source ingest/pictures model/weights model/masks model/paligemma tasks tasks/events tasks/certainty tasks/metrics "
                          "service/terminal service/settings service/journal service/engine service/http service/transfer",
    "service/verify": "frames ingest/pictures model model/tensor model/text model/config model/kernels model/weights model/matmul "
                      "model/siglip model/masks model/paligemma model/decoding model/train tasks",
    "service": "frames ingest ingest/source ingest/pictures model/masks tasks/filters tasks/rules service/settings service/events service/zeromq service/journal service/engine service/streams service/http service/bench",  # wires all of it
    "service/commands": "frames ingest ingest/source ingest/pictures model model/config model/weights model/join model/adapters model/siglip model/masks model/paligemma "
                        "model/decoding tasks tasks/events tasks/certainty tasks/rules tasks/metrics service service/terminal service/endpoints service/settings service/events "
                        "service/zeromq service/journal service/engine service/asking service/http service/remote service/transfer service/bench service/evaluation service/verify",
}

# A third-party header and the only files that may include it.
DOORS = [
    (r"libav\w+/|libsw\w+/", r"ingest/ffmpeg/\w+\.(cc|h)"),
    (r"gst/|glib", r"ingest/gstreamer/\w+\.(cc|h)"),
    (r"jpeglib\.h|jerror\.h", r"ingest/pictures/picture_jpeg\.cc"),
    (r"png\.h", r"ingest/pictures/picture_png\.cc"),
    (r"zlib\.h", r"ingest/pictures/png_text\.cc|model/masks/npz\.cc|service/http/api_ui\.cc"),
    (r"webp/", r"ingest/pictures/picture_webp\.cc|service/journal/frame_codec\.cc"),
    (r"turbojpeg\.h", r"service/journal/frame_codec\.cc"),
    (r"seccomp", r"ingest/confinement\.cc"),
    (r"curl/", r"ingest/http/http_(address|transfer|faults)\.cc|service/remote/service_api\.cc"),
    (r"oneapi/|dnnl|omp\.h", r"model/matmul/(matmul\.cc|bare_matmul\.cc|onednn(_matmul)?\.(h|cc))|model/tensor/parallel\.cc"),
    (r"sentencepiece", r"model/text/tokenizer\.cc"),
    (r"xxhash", r"model/weights/checksum\.cc"),
    (r"hwy/", r"model/kernels/[\w-]+\.(cc|h)|model/train/kernels\.cc"),
    (r"re2/", r"tasks/filters/text_patterns\.cc|model/adapters/module_pattern\.cc|tasks/metrics/ptb_rules\.cc"),
    (r"nlohmann/", r"base/json\.h"),
    (r"SQLiteCpp/|sqlite3", r"service/journal/database\.(h|cc)"),
    (r"yaml-cpp/", r"service/settings/settings_tree\.(cc|h)"),
    (r"zmq", r"service/zeromq/(guarded_socket|publisher|control|replay|keys|peer_guard)\.cc|service/commands/watch\.cc"),
    (r"boost/", r"service/zeromq/peer_guard\.cc|service/terminal/interrupt\.cc|service/http/(server\.cc|(http_wire|http_connection|tls)\.(h|cc))"),
    (r"sodium", r"service/http/(access|base64)\.cc|service/transfer/contact_page\.cc"),
    (r"prometheus/", r"service/http/metrics\.cc"),
    (r"CLI/", r"service/(commands|remote)/\w+\.cc"),
    (r"spdlog/", r"base/log\.cc"),
    (r"fmt/", r"base/format\.h"),
    (r"openssl", r"base/sha256\.cc|service/http/tls\.cc"),
    (r"date/", r"base/time_zone\.cc"),
    (r"Eigen/|unsupported/", r"base/eigen\.h"),
]
# Who may know number formats: matmul, what holds weights, and whoever hands the choice on from a setting.
PRECISION = (r"model/(matmul|siglip)/\w+\.(cc|h)|model/paligemma/(paligemma|adapter|weight_source)\.(cc|h)|model/gemma/language_model\.(cc|h)|"
             r"service/settings/settings\.(cc|h)|service/engine/engine_model\.(cc|h)|service/commands/\w+\.(cc|h)|"
             r"service/verify/(tolerance|model_cases|adapter_cases|verify)\.(cc|h)|tests/.*")
# Who may know ModelError: models, and those that make one.
MODEL_ERROR = r"model/.*|service/engine/engine_model\.cc|service/commands/similar\.cc|examples/demo_model/train\.cc|tests/.*"
TOP_FOLDERS = {folder.split("/")[0] for folder in MAY_INCLUDE}
MAX_LINES = 400
MAX_SOURCES = 40  # of a folder of the program; tests are filed by what they test
# What is compiled once for every instruction set guards itself as Highway's own such headers do.
INL_GUARD = re.compile(r"#if defined\((\w+_INL_H_)\) == defined\(HWY_TARGET_TOGGLE\)\n#ifdef \1\n#undef \1\n#else\n#define \1\n#endif\n")


def tracked(*patterns):
    listing = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", *patterns], cwd=ROOT,
                             capture_output=True, text=True, check=True).stdout.split()
    return [name for name in listing if (ROOT / name).exists()]


def folder_of(path):
    return path.rpartition("/")[0]


def of_program(name):
    return name.split("/")[0] in TOP_FOLDERS


def table_breaches(names):
    """Every folder with sources has one row, here and in DESIGN.md; a row names earlier ones alone, so that no two folders
    need each other."""
    folders = {folder_of(name) for name in names if of_program(name)}
    for folder in sorted(folders ^ set(MAY_INCLUDE)):
        yield f"{folder}/: " + ("has no row in MAY_INCLUDE" if folder in folders else "a row of MAY_INCLUDE, and no folder with sources")
    earlier = set()
    for folder, row in MAY_INCLUDE.items():
        for used in row.split():
            if used not in earlier:
                yield f"{folder}/: its row names {used}/, which has no row before it"
        earlier.add(folder)
    rows = re.findall(r"^\| `([\w/]+)/` \|", (ROOT / "DESIGN.md").read_text(encoding="utf-8"), re.MULTILINE)
    if [row for row in rows if row in MAY_INCLUDE] != list(MAY_INCLUDE):
        yield "DESIGN.md: the table of folders has not the rows of MAY_INCLUDE in their order"
    for folder in sorted(folders):
        sources = sum(folder_of(name) == folder and name.endswith(".cc") for name in names)
        if sources > MAX_SOURCES:
            yield f"{folder}/: {sources} sources; at most {MAX_SOURCES} a folder"


def header_breaches(name, text):
    if name.endswith("-inl.h"):
        if not INL_GUARD.search(text):
            yield f"{name}:1: compiled for every instruction set: it starts with Highway's guard"
    elif name.endswith(".h") and not text.startswith("#pragma once\n"):
        yield f"{name}:1: a header starts with #pragma once"


def types_of(text):
    """The types that a file gives the whole program: those of no unnamed namespace and no other type."""
    text = re.sub(r"^namespace \{$.*?^\}  // namespace$", "", text, flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"^(?:template <[^\n]*>\n)?(?:struct|enum class|class|enum) (\w+)(?= [:{]| final)[^;\n]*\{", text, re.MULTILINE)


def twin_breaches(names):
    """No type's name stands twice in the program: the linker would take the functions of one for the other's."""
    owners = {}
    for name in names:
        for type_name in types_of((ROOT / name).read_text(encoding="utf-8")) if of_program(name) else ():
            if owners.setdefault(type_name, name) != name:
                yield f"{name}: {type_name} is a type of {owners[type_name]} as well"


def include_breaches(name, number, line):
    if not of_program(name):
        return
    folder = folder_of(name)
    quoted = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
    if quoted:
        target = folder_of(quoted[1])
        if not of_program(target):
            yield f'{name}:{number}: "{quoted[1]}": includes start at the root'
        elif target not in {folder, "base", *MAY_INCLUDE.get(folder, "").split()}:
            yield f"{name}:{number}: {folder}/ may not include {target}/"
    if quoted and re.fullmatch(r"(base|model/tensor)/eigen\.h", quoted[1]) and name.endswith(".h") and not name.endswith("/eigen.h"):
        yield f"{name}:{number}: {quoted[1]} is for .cc files: it takes long to compile"
    angled = re.match(r"\s*#\s*include\s+[<\"]([^>\"]+)[>\"]", line)
    if angled:
        for header, door in DOORS:
            if re.match(header, angled[1]) and not re.fullmatch(door, name):
                yield f"{name}:{number}: <{angled[1]}> belongs behind {door}"


def main():
    names = tracked("*.cc", "*.h")
    breaches = [*table_breaches(names), *twin_breaches(names)]
    breaches.extend(document_rules.breaches(ROOT, tracked("*"), of_program))
    for name in tracked("*.inc", "*.inl", "*.ipp", "*.tcc", "*.c", "*.cpp", "*.cxx", "*.hh", "*.hpp", "*.hxx"):
        breaches.append(f"{name}: C++ stands in .cc and .h alone, where every tool looks")
    for name in names:
        text = (ROOT / name).read_text(encoding="utf-8")
        lines = text.splitlines()
        breaches.extend(header_breaches(name, text))
        if len(lines) > MAX_LINES:
            breaches.append(f"{name}: {len(lines)} lines; at most {MAX_LINES} (one idea a file)")
        for number, line in enumerate(lines, 1):
            breaches.extend(include_breaches(name, number, line))
            if re.search(r"\bPrecision(Choice)?\b", line) and not re.fullmatch(PRECISION, name):
                breaches.append(f"{name}:{number}: Precision is known to {PRECISION} alone")
            if "ModelError" in line and not re.fullmatch(MODEL_ERROR, name):
                breaches.append(f"{name}:{number}: ModelError is of models; all else is an Error")
            words = re.sub(r'"(\\.|[^"\\])*"', '""', line)  # what others call their things is no name of ours
            if re.search(r"\b\w+(Manager|Helper|Utils)\b|(?<![.>:])\bget_[a-z]", words) and of_program(name):
                breaches.append(f"{name}:{number}: a name this project does not use (Manager, Helper, Utils, get_)")
    print("\n".join(breaches) if breaches else f"house rules hold in {len(names)} files")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
