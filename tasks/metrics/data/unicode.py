#!/usr/bin/env python3
"""Writes unicode.txt: what Python 3.11 (Unicode 14.0) says of characters. `python3.11 unicode.py > unicode.txt`"""
import sys
import unicodedata

CHARACTERS = [chr(value) for value in range(sys.maxunicode + 1) if not 0xD800 <= value < 0xE000]


def ranges(name, holds):
    start = previous = None
    for character in filter(holds, CHARACTERS):
        value = ord(character)
        if start is not None and value != previous + 1:
            print(f"{name} {start:x} {previous:x}")
            start = None
        start = value if start is None else start
        previous = value
    print(f"{name} {start:x} {previous:x}")


def ends_sigma(before):
    return (before + "\u03a3").lower().endswith("\u03c2")


def lower_cases():
    """Runs of characters one or two apart whose lower case is as far away from each."""
    single = [(ord(c), ord(c.lower()) - ord(c)) for c in CHARACTERS if len(c.lower()) == 1 and c.lower() != c]
    while single:
        first, distance = single[0]
        step = 1
        if len(single) > 1 and single[1] == (first + 2, distance):
            step = 2
        run = 1
        while run < len(single) and single[run] == (first + run * step, distance):
            run += 1
        print(f"lower {first:x} {single[run - 1][0]:x} {step} {distance}")
        single = single[run:]
    for character in CHARACTERS:
        if len(character.lower()) > 1:
            print(f"lowers {ord(character):x} " + " ".join(f"{ord(c):x}" for c in character.lower()))


print(f"# Characters as Python {sys.version.split()[0]} has them: Unicode {unicodedata.unidata_version},")
print("# https://www.unicode.org/Public/14.0.0/ucd/UnicodeData.txt and DerivedCoreProperties.txt. Made by unicode.py.")
print("# digit: decimal digits in tens from 0; space: str.isspace(); word: \\w of re; lower FIRST LAST STEP DISTANCE and")
print("# lowers: str.lower(); cased, ignored: where a capital sigma ends a word. Numbers are hexadecimal but the last two.")
ranges("digit", lambda c: c.isdecimal())
ranges("space", str.isspace)
ranges("word", lambda c: c.isalnum() or c == "_")
ranges("cased", ends_sigma)
ranges("ignored", lambda c: ends_sigma("A" + c) and not ends_sigma(c))
lower_cases()
