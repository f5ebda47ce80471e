#!/usr/bin/env python3
"""What cmake/hardening.cmake asks for stands in the built program: hardened.py PROGRAM. Prints what is missing and
ends with 1 if anything is."""
import platform
import re
import subprocess
import sys


def readelf(*arguments):
    return subprocess.run(["readelf", "--wide", *arguments], capture_output=True, text=True, check=True).stdout


def missing(program):
    header, segments = readelf("--file-header", program), readelf("--segments", program)
    dynamic, symbols = readelf("--dynamic", program), readelf("--dyn-syms", program)
    stack = re.search(r"GNU_STACK.*", segments)
    checks = [
        ("a position independent program", re.search(r"Type:\s+DYN", header)),
        ("relocations that are read-only once made (relro)", "GNU_RELRO" in segments),
        ("all symbols bound at the start (now)", re.search(r"BIND_NOW|FLAGS_1.*NOW", dynamic)),
        ("a stack that is no code", stack and "RWE" not in stack[0]),
        ("stack protector", "__stack_chk_fail" in symbols),
        ("FORTIFY_SOURCE", re.search(r"__\w+_chk\b", symbols)),
        ("the standard library's assertions", "__glibcxx_assert_fail" in symbols),
    ]
    if platform.machine() == "x86_64":
        code = subprocess.run(["objdump", "-d", "--disassemble=main", program], capture_output=True, text=True, check=True)
        checks.append(("jumps that land only where they may (cf-protection)", "endbr64" in code.stdout))
    return [name for name, holds in checks if not holds]


def main():
    lost = missing(sys.argv[1])
    print("\n".join(f"{sys.argv[1]}: missing: {name}" for name in lost) if lost else "hardened")
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
