#!/usr/bin/env python3
"""The house rules that a machine can check: who may include whom, each third-party library behind its own door,
file length. Prints every breach as FILE:LINE and ends with 1 if there is any."""
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# DESIGN.md, "Folders and who may include whom". A folder may include itself; examples and tests anything.
MAY_INCLUDE = {
    "base": set(),
    "frames": {"base"},
    "ingest": {"frames", "base"},
    "model": {"frames", "base"},
    "model/train": {"model", "frames", "base"},
    "tasks": {"model", "frames", "base"},
    "service": {"tasks", "model/train", "model", "ingest", "frames", "base"},
}

# A third-party header and the only files that may include it.
DOORS = [
    (r"libav\w+/|libsw\w+/", r"ingest/ffmpeg_\w+\.(cc|h)"),
    (r"gst/|glib", r"ingest/gst_\w+\.(cc|h)"),
    (r"jpeglib\.h|jerror\.h", r"ingest/picture_jpeg\.cc"),
    (r"png\.h", r"ingest/picture_png\.cc"),
    (r"zlib\.h", r"ingest/png_text\.cc"),
    (r"webp/", r"ingest/picture_webp\.cc"),
    (r"curl/", r"ingest/http_(address|transfer|faults)\.cc"),
    (r"oneapi/|dnnl|omp\.h", r"model/(matmul\.cc|bare_product\.cc|parallel\.cc|onednn(_product)?\.(h|cc))"),
    (r"sentencepiece", r"model/tokenizer\.cc"),
    (r"xxhash", r"model/checksum\.cc"),
    (r"hwy/", r"model/(kernels|row_formats|integer_tiles|attention_tiles|logit_scan|train/kernels)\.cc"),
    (r"re2/", r"tasks/text_patterns\.cc"),
    (r"nlohmann/", r"base/json\.h"),
    (r"yaml-cpp/", r"service/settings_tree\.(cc|h)"),
    (r"zmq", r"service/(publisher|control|peer_guard|commands/watch)\.cc"),
    (r"boost/", r"service/peer_guard\.cc"),
    (r"CLI/", r"service/command_line\.cc|service/commands/\w+\.cc"),
    (r"spdlog/", r"base/log\.cc"),
    (r"openssl", r"base/sha256\.cc"),
]
# Who may know number formats: products, what holds weights, and whoever hands the choice on from a setting.
PRECISION = (r"model/(precision|bare_product|matmul|onednn|linear|embedding_table|paligemma|siglip|image_encoder|text_encoder|pooling_head|"
             r"encoder_layers|language_model)\.(cc|h)|service/(settings|engine_model)\.(cc|h)|service/commands/\w+\.(cc|h)|"
             r"service/verify/(tolerance|model_cases|verify)\.(cc|h)|tests/.*")
FOLDERS = tuple(MAY_INCLUDE)
MAX_LINES = 400


def tracked_sources():
    listing = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "*.cc", "*.h"], cwd=ROOT,
                             capture_output=True, text=True, check=True).stdout.split()
    return [name for name in listing if (ROOT / name).exists()]


def folder_of(path):
    """The longest folder of the table that the path lies in, else its first one."""
    inside = [folder for folder in FOLDERS if path.startswith(folder + "/")]
    return max(inside, key=len, default=path.split("/")[0])


def include_breaches(name, number, line):
    folder = folder_of(name)
    quoted = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
    if quoted and folder in FOLDERS:
        target = folder_of(quoted[1])
        if target in FOLDERS and target != folder and target not in MAY_INCLUDE[folder]:
            yield f"{name}:{number}: {folder}/ may not include {target}/"
        if target not in FOLDERS:
            yield f'{name}:{number}: "{quoted[1]}": includes start at the root'
    angled = re.match(r"\s*#\s*include\s+[<\"]([^>\"]+)[>\"]", line)
    if angled and folder in FOLDERS:
        for header, door in DOORS:
            if re.match(header, angled[1]) and not re.fullmatch(door, name):
                yield f"{name}:{number}: <{angled[1]}> belongs behind {door}"


def main():
    breaches = []
    names = tracked_sources()
    for name in names:
        lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
        if len(lines) > MAX_LINES:
            breaches.append(f"{name}: {len(lines)} lines; at most {MAX_LINES} (one idea a file)")
        if name.endswith(".h") and (not lines or lines[0] != "#pragma once"):
            breaches.append(f"{name}:1: a header starts with #pragma once")
        for number, line in enumerate(lines, 1):
            breaches.extend(include_breaches(name, number, line))
            if re.search(r"\bPrecision(Choice)?\b", line) and not re.fullmatch(PRECISION, name):
                breaches.append(f"{name}:{number}: Precision is known to {PRECISION} alone")
            if re.search(r"\b\w+(Manager|Helper|Utils)\b|(?<![.>:])\bget_[a-z]", line) and name.split("/")[0] in FOLDERS:
                breaches.append(f"{name}:{number}: a name this project does not use (Manager, Helper, Utils, get_)")
    print("\n".join(breaches) if breaches else f"house rules hold in {len(names)} files")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
