#!/usr/bin/env python3
"""Makes the small binary beginnings of tests/fuzz/corpus: safetensors files, packed weights, tokenizers cut short.
make_corpus.py REPOSITORY"""
import io
import json
import math
import struct
import sys
import zipfile
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


def cut_tokenizer_json(file):
    """The same of a tokenizer.json: its first tokens, and the merges that stay among them."""
    whole = json.loads(file.read_text())
    model = whole["model"]
    model["vocab"] = {token: number for token, number in model["vocab"].items() if number < MOST_PIECES}
    pairs = [(merge, merge.split(" ") if isinstance(merge, str) else merge) for merge in model["merges"]]
    model["merges"] = [merge for merge, parts in pairs if {*parts, "".join(parts)} <= set(model["vocab"])]
    whole["added_tokens"] = [token for token in whole["added_tokens"] if token["id"] < MOST_PIECES]
    return json.dumps(whole).encode()


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


def encrypted_peer():
    """A subscriber's side of CURVE: HELLO, INITIATE, and a message that only libzmq can open."""
    def command(name, size):
        body = bytes([len(name)]) + name + bytes(size)
        return (b"\x04" + bytes([len(body)]) if len(body) < 256 else b"\x06" + struct.pack(">Q", len(body))) + body
    message = b"\x07MESSAGE" + bytes(8 + 16 + 1 + 6)
    return (b"\x10\xff" + bytes(8) + b"\x7f\x03\x01CURVE" + bytes(15 + 32) + command(b"HELLO", 194) + command(b"INITIATE", 260) +
            b"\0" + bytes([len(message)]) + message)


def peer(kind, *frames):
    body = b"\x05READY\x0bSocket-Type" + struct.pack(">I", len(kind)) + kind
    greeting = b"\xff" + bytes(8) + b"\x7f\x03\x01NULL" + bytes(16 + 32)
    return b"\x10" + greeting + bytes([4, len(body)]) + body + b"".join(frames)


def feed_messages():
    """What a camera's process and its service send each other (ingest/feed_wire.h), by the name of each beginning."""
    def text(value):
        return struct.pack("<I", len(value)) + value

    def message(kind, values=b""):
        return struct.pack("<IB", len(values) + 1, kind) + values

    head = struct.pack("<qii?", 1, 4, 4, False)
    stamp = struct.pack("<Qqqi?q???", 3, 40_000_000, 10**15, 0, True, 5, True, False, False)
    frame = struct.pack("<Q", 1) + stamp + struct.pack("<iid", 640, 360, 0.5)
    clip = message(5, struct.pack("<I??", 0, True, True) + struct.pack("<?QI", False, 2, 2) + frame + frame)
    forget = message(4, struct.pack("<IQ", 1, 1))
    report = message(6, text(b"a") + struct.pack("<i", 1) + text("gone \u2013 back".encode()) +
                     struct.pack("<qiqii", 10**15, 1, 500, 640, 360))
    source = b"".join(map(text, (b"rtsp://camera/1", b"u", b"p"))) + struct.pack("<iiiqqq?i", 0, 0, 0, 1, 1, 1, False, 0)
    source += struct.pack("<I", 1) + text(b"other:80") + text(b"") + struct.pack("<?qi", True, 1000, 1 << 20)
    polygons = struct.pack("<II6d", 1, 3, 0, 0, 1, 0, 0, 1)
    options = struct.pack("<I", 2) + text(b"a") + source + struct.pack("<Iiqqii", 1, 2, 500, 250, 0, 1)
    options += struct.pack("<ii", 4, 0) + polygons + struct.pack("<?", True) + polygons
    options += struct.pack("<qqqq??", 1, 2, 3, 4, True, False)
    return {"clip": message(2, head + text(bytes(48))) + clip + forget, "shared": message(3, head) + clip + report,
            "told": message(8, text(b"seccomp")) + message(9, struct.pack("<Q", 7)) + report + message(10),
            "options": message(0, options) + message(1)}


def calibrations():
    """Of the small model of fuzz_model.cc: every product, and one alone."""
    vision, text = "vision_tower.vision_model.encoder.layers.0.", "language_model.model.layers.0."
    attention = ["self_attn.q_proj.weight", "self_attn.k_proj.weight", "self_attn.v_proj.weight"]
    sites = {"+".join(vision + name for name in attention): 8, vision + "self_attn.out_proj.weight": 8,
             vision + "mlp.fc1.weight": 8, "+".join(text + name for name in attention): 8,
             text + "self_attn.o_proj.weight": 4, text + "mlp.gate_proj.weight+" + text + "mlp.up_proj.weight": 8,
             text + "mlp.down_proj.weight": 16}
    for name, chosen in (("all", sites), ("one", {vision + "mlp.fc1.weight": 8})):
        smoothing = {site: [1.0] * size for site, size in chosen.items()}
        yield name, json.dumps({"format": 1, "weights": "f", "smoothing": smoothing}).encode()


def npz(arrays, way):
    """Arrays of 32-bit floats by name and shape, as numpy.savez writes them."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", way) as archive:
        for name, shape in arrays.items():
            header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".encode()
            header += b" " * (-(len(header) + 11) % 64) + b"\n"
            values = b"".join(struct.pack("<f", i % 7 - 3) for i in range(math.prod(shape)))
            archive.writestr(zipfile.ZipInfo(name + ".npy"), b"\x93NUMPY\1\0" + struct.pack("<H", len(header)) + header + values,
                             compress_type=way)
    return out.getvalue()


def mask_decoder():
    """The smallest that there is: one channel everywhere."""
    convolutions = {"0": 1, "2.net.0": 3, "2.net.2": 3, "2.net.4": 1, "3.net.0": 3, "3.net.2": 3, "3.net.4": 1,
                    "4": 4, "6": 4, "8": 4, "10": 4, "12": 1}
    arrays = {"_vq_vae._embedding": (128, 1)}
    for name, kernel in convolutions.items():
        arrays |= {f"decoder.{name}.weight": (1, 1, kernel, kernel), f"decoder.{name}.bias": (1,)}
    return arrays


def adapters():
    """Of the same model: an adapter_config.json, a zero, and an adapter_model.safetensors."""
    layer, prefix = "base_model.model.model.language_model.layers.0.", "base_model.model.model."
    tower = prefix + "vision_tower.encoder.layers.0."

    def low_rank(module, outputs, inputs, rank):
        return {module + ".lora_A.weight": ("F32", [rank, inputs], bytes(4 * rank * inputs)),
                module + ".lora_B.weight": ("BF16", [outputs, rank], bytes(2 * outputs * rank))}

    plain = {"peft_type": "LORA", "r": 2, "lora_alpha": 4.0}
    yield "plain", plain, low_rank(layer + "self_attn.q_proj", 8, 8, 2)
    yield ("patterns", {**plain, "use_rslora": True, "rank_pattern": {"layers.0.*down_proj": 1}, "alpha_pattern": {r".*\.fc1": 3},
                        "target_modules": r".*(down_proj|fc1)"},
           {**low_rank(layer + "mlp.down_proj", 8, 16, 1), **low_rank(tower + "mlp.fc1", 16, 8, 2)})
    yield ("saved", {**plain, "bias": "lora_only", "lora_bias": True, "modules_to_save": ["multi_modal_projector"],
                     "target_modules": ["out_proj"]},
           {**low_rank(tower + "self_attn.out_proj", 8, 8, 2),
            tower + "self_attn.out_proj.lora_B.bias": ("F16", [8], bytes(16)),
            tower + "self_attn.out_proj.base_layer.bias": ("F32", [8], bytes(32)),
            prefix + "multi_modal_projector.linear.weight": ("F32", [8, 8], bytes(256)),
            prefix + "multi_modal_projector.linear.bias": ("F32", [8], bytes(32))})
    yield "dora", {**plain, "use_dora": True}, low_rank(layer + "self_attn.k_proj", 4, 8, 2)


for name, config, tensors in adapters():
    write("adapter", name, json.dumps(config).encode() + b"\0" + safetensors(tensors))
for name, data in calibrations():
    write("calibration", name, data)
for name, data in feed_messages().items():
    write("feed_wire", name, data)
write("peers", "subscriber", peer(b"SUB", b"\0\x06\x01topic", b"\x04\x0f\x09SUBSCRIBEtopic", b"\x04\x09\x04PING\0\x0axy"))
write("peers", "asker", peer(b"REQ", b"\x01\0", b"\x02" + struct.pack(">Q", 12) + b'{"do": "ask"}'[:12]))
write("peers", "encrypted", encrypted_peer())
write("safetensors", "three", safetensors({"a": ("F32", [2, 2], bytes(16)), "b": ("BF16", [3], bytes(6)),
                                           "c": ("I64", [], bytes(8))}, {"format": "pt"}))
write("npz", "stored", npz({"a": (2, 3), "b": ()}, zipfile.ZIP_STORED))
write("npz", "decoder", npz(mask_decoder(), zipfile.ZIP_DEFLATED))
write("safetensors", "none", safetensors({}))
write("safetensors", "half", safetensors({"x.weight": ("F16", [1, 4], b"\0\x3c\0\xfc\0\x7e\1\0")}))
write("packed_cache", "one", safetensors({"a": ("U8", [16], bytes(range(16)))},
                                         {"origin": "palisade packed weights 3; o", "a": "0123456789abcdef"}))
write("sentencepiece", "gemma", cut_tokenizer(ROOT / "configs/models/demo/tokenizer.model"))
write("tokenizer_json", "gemma", cut_tokenizer_json(ROOT / "configs/models/demo/tokenizer.json"))
write("sentencepiece", "siglip", cut_tokenizer(ROOT / "tests/golden/reference/models/siglip-tiny/spiece.model"))
