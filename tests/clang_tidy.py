#!/usr/bin/env python3
"""Runs clang-tidy with .clang-tidy over the sources of a build folder's compile_commands.json, as many at once as there are
cores. A source is left out if neither it, nor a header of this repository that it includes, nor .clang-tidy has changed since it
passed. Ends with 1 if there is a finding.

    clang_tidy.py BUILD_FOLDER [SOURCE or FOLDER]..."""
import concurrent.futures
import hashlib
import json
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOL = "clang-tidy-16"
# The database is GCC's. clang 16 with OpenMP refuses lambdas that capture structured bindings, which it takes without.
EXTRA = ["--extra-arg=-Wno-unknown-warning-option", "--extra-arg=-Wno-unknown-pragmas", "--extra-arg=-fno-openmp"]


@cache
def texts_of(name):
    """What decides the findings in a file: its text and that of every header of this repository that it includes."""
    texts, waiting = {}, [name]
    while waiting:
        name = waiting.pop()
        path = ROOT / name
        if name in texts or not path.is_file():
            continue
        texts[name] = path.read_bytes()
        waiting += re.findall(r'^\s*#\s*include\s+"([^"]+)"', texts[name].decode(), re.MULTILINE)
    return [texts[name] for name in sorted(texts)]


def key_of(name, command):
    parts = [TOOL.encode(), (ROOT / ".clang-tidy").read_bytes(), Path(__file__).read_bytes(), command.encode(), *texts_of(name)]
    return hashlib.sha256(b"\0".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


def check(build, name):
    done = subprocess.run([TOOL, "--quiet", "-p", str(build), *EXTRA, str(ROOT / name)], cwd=ROOT, capture_output=True, text=True)
    return done.returncode == 0, done.stdout + ("" if done.returncode == 0 else done.stderr)


def main():
    build = Path(sys.argv[1]).resolve()
    wanted = [str(Path(one).resolve().relative_to(ROOT)) for one in sys.argv[2:]] or [""]
    entries = {}
    for entry in json.loads((build / "compile_commands.json").read_text(encoding="utf-8")):
        path = (Path(entry["directory"]) / entry["file"]).resolve()
        if path.is_relative_to(ROOT) and not path.is_relative_to(build):
            entries[str(path.relative_to(ROOT))] = entry["command"]
    passed = build / "tidy"
    passed.mkdir(exist_ok=True)
    stamps = {name: passed / key_of(name, command) for name, command in sorted(entries.items())
              if any(one in ("", ".", name) or name.startswith(one + "/") for one in wanted)}
    waiting = [name for name, stamp in stamps.items() if not stamp.exists()]
    print(f"clang-tidy: {len(waiting)} of {len(stamps)} sources to check", flush=True)
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for name, (good, text) in zip(waiting, pool.map(lambda name: check(build, name), waiting)):
            if good:
                stamps[name].touch()
            else:
                failed += 1
                print(text, end="", flush=True)
    if failed:
        print(f"clang-tidy: findings in {failed} sources")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
