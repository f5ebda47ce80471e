#!/usr/bin/env python3
"""Makes the small binary beginnings of tests/fuzz/corpus: safetensors files, packed weights, tokenizers cut short.
make_corpus.py REPOSITORY"""
import json
import struct
import sys
from pathlib import Path

ROOT = Path(sys.argv[1])
CORPUS = ROOT / "tests/fuzz/corpus"
MOST_PIECES = 300


def varint(bytes_, at):
    value = shift = 0
    while True:
        byte = bytes_[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def cut_tokenizer(file):
    """The first pieces of a SentencePiece model, and all that it says beside its pieces."""
    data, at, pieces, out = file.read_bytes(), 0, 0, b""
    while at < len(data):
        begin = at
        key, at = varint(data, at)
        length, at = varint(data, at)  # every field of the outermost message has a length
        at += length
        pieces += key >> 3 == 1
        if key >> 3 != 1 or pieces <= MOST_PIECES:
            out += data[begin:at]
    return out


def safetensors(tensors, metadata=None):
    header, body = {}, b""
    if metadata:
        header["__metadata__"] = metadata
    for name, (kind, shape, data) in tensors.items():
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": [len(body), len(body) + len(data)]}
        body += data
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


def write(target, name, data):
    (CORPUS / target).mkdir(parents=True, exist_ok=True)
    (CORPUS / target / name).write_bytes(data)


write("safetensors", "three", safetensors({"a": ("F32", [2, 2], bytes(16)), "b": ("BF16", [3], bytes(6)),
                                           "c": ("I64", [], bytes(8))}, {"format": "pt"}))
write("safetensors", "none", safetensors({}))
write("safetensors", "half", safetensors({"x.weight": ("F16", [1, 4], b"\0\x3c\0\xfc\0\x7e\1\0")}))
write("packed_cache", "one", safetensors({"a": ("U8", [16], bytes(range(16)))},
                                         {"origin": "palisade packed weights 3; o", "a": "0123456789abcdef"}))
write("sentencepiece", "gemma", cut_tokenizer(ROOT / "configs/models/demo/tokenizer.model"))
write("sentencepiece", "siglip", cut_tokenizer(ROOT / "tests/golden/reference/models/siglip-tiny/spiece.model"))
