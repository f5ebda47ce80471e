"""A mask as the sixteen codes that PaliGemma learns: the encoder in vae-oid.npz (big_vision/pp/proj/paligemma/segmentation.py), about a
second an object without any library."""
import array
import ast
import math
import struct
import sys
import zipfile
from operator import mul

from converter import DataError

SIDE = 64
CODES = 128
STRIDED, BLOCKS = (0, 2, 4, 6), (8, 9)


def array_of(file, name, data):
    """An array of a .npz file: its shape and numbers."""
    try:
        if data[:6] != b"\x93NUMPY":
            raise ValueError("is no array")
        size, start = (struct.unpack("<H", data[8:10])[0], 10) if data[6] == 1 else (struct.unpack("<I", data[8:12])[0], 12)
        head = ast.literal_eval(data[start:start + size].decode("latin1").strip())
        shape = tuple(int(side) for side in head["shape"])
        if head["descr"] != "<f4" or head["fortran_order"] or math.prod(shape) * 4 != len(data) - start - size:
            raise ValueError("is not of numbers of 32 bits, row by row")
        numbers = array.array("f", data[start + size:])
    except (ValueError, KeyError, TypeError, IndexError, SyntaxError, struct.error, RecursionError, MemoryError) as error:
        raise DataError(f"{file}: {name}: {error}; download vae-oid.npz again") from error
    if sys.byteorder == "big":
        numbers.byteswap()
    return shape, numbers.tolist()


class MaskEncoder:
    """Of vae-oid.npz. Raises DataError naming file and array."""

    def __init__(self, file):
        self.file = file
        try:
            with zipfile.ZipFile(file) as archive:
                wanted = [name for name in archive.namelist() if name.startswith(("encoder.", "_vq_vae.")) and archive.getinfo(name).file_size < 1 << 28]
                self.arrays = {name.removesuffix(".npy"): array_of(file, name, archive.read(name)) for name in wanted}
        except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
            raise DataError(f"{file}: {getattr(error, 'strerror', None) or error}; give vae-oid.npz of PaliGemma's checkpoints") from error
        self.layers = {name: self.layer(f"encoder.{name}") for name in
                       [*map(str, STRIDED), *(f"{block}.net.{part}" for block in BLOCKS for part in (0, 2, 4)), "10"]}
        shape, numbers = self.shaped("_vq_vae._embedding", 2)
        if shape != (CODES, len(self.layers["10"][1])):
            raise DataError(f"{file}: _vq_vae._embedding has the shape {shape}; download vae-oid.npz again")
        self.codes = [numbers[row * shape[1]:(row + 1) * shape[1]] for row in range(CODES)]
        self.norms = [sum(map(mul, code, code)) for code in self.codes]

    def shaped(self, name, sides):
        if name not in self.arrays or len(self.arrays[name][0]) != sides:
            raise DataError(f"{self.file}: has no array {name} of {sides} sides; give vae-oid.npz of PaliGemma's checkpoints")
        return self.arrays[name]

    def layer(self, name):
        """A convolution as its kernel's side, its biases and, for each output, weights in the order row, column, channel."""
        (outputs, inputs, side, other), numbers = self.shaped(f"{name}.weight", 4)
        (biases,), bias = self.shaped(f"{name}.bias", 1)
        if biases != outputs or side != other:
            raise DataError(f"{self.file}: {name} has weights and biases that do not fit; download vae-oid.npz again")
        points, step = side * side, inputs * side * side
        rows = [[numbers[output * step + channel * points + point] for point in range(points) for channel in range(inputs)]
                for output in range(outputs)]
        return side, bias, rows

    def convolve(self, picture, name, stride=1, positive=False):
        """`picture`: rows of pixels, each a list of channels; padded as TensorFlow's SAME."""
        side, bias, rows = self.layers[name]
        if len(picture[0][0]) * side * side != len(rows[0]):
            raise DataError(f"{self.file}: encoder.{name} has {len(rows[0])} weights an output; download vae-oid.npz again")
        before = (side - stride) // 2
        empty = [0.0] * len(picture[0][0])
        wide = [[empty] * before + row + [empty] * (side - stride - before) for row in picture]
        blank = [[empty] * len(wide[0])]
        wide = blank * before + wide + blank * (side - stride - before)
        known, out = {}, []  # most of a mask is alike
        for y in range(0, len(wide) - side + 1, stride):
            line = []
            for x in range(0, len(wide[0]) - side + 1, stride):
                patch = tuple(value for row in wide[y:y + side] for pixel in row[x:x + side] for value in pixel)
                if patch not in known:
                    values = [sum(map(mul, patch, weights)) + add for weights, add in zip(rows, bias)]
                    known[patch] = [max(value, 0.0) for value in values] if positive else values
                line.append(known[patch])
            out.append(line)
        return out

    def encode(self, mask):
        """Sixteen codes of 64 x 64 shares of 0 to 1, rows from the top."""
        picture = [[[2.0 * (share - 0.5)] for share in row] for row in mask]
        for name in STRIDED:
            picture = self.convolve(picture, str(name), stride=2, positive=True)
        for block in BLOCKS:
            inner = self.convolve(picture, f"{block}.net.0", positive=True)
            inner = self.convolve(self.convolve(inner, f"{block}.net.2", positive=True), f"{block}.net.4")
            picture = [[[a + b for a, b in zip(*pair)] for pair in zip(*rows)] for rows in zip(inner, picture)]
        return [self.nearest(pixel) for row in self.convolve(picture, "10") for pixel in row]

    def nearest(self, pixel):
        distances = [norm - 2.0 * sum(map(mul, pixel, code)) for norm, code in zip(self.norms, self.codes)]
        return distances.index(min(distances))


def weights_of(size):
    """For each of 64 outputs where its inputs begin and their shares: bilinear, antialiased (tf.image.resize)."""
    scale = size / SIDE
    reach, found = max(scale, 1.0), []
    for output in range(SIDE):
        centre = (output + 0.5) * scale
        first, last = max(math.floor(centre - reach), 0), min(math.ceil(centre + reach), size)
        weights = [max(1.0 - abs(place + 0.5 - centre) / reach, 0.0) for place in range(first, last)]
        total = sum(weights)
        found.append((first, [weight / total for weight in weights]))
    return found


def box_of_mask(mask, height, top, left, bottom, right):
    """The part of a mask inside a box, as 64 x 64 shares."""
    down, across, known, columns = weights_of(bottom - top), weights_of(right - left), {}, []
    for x in range(left, right):
        column = bytes(mask[x * height + top:x * height + bottom])
        if column not in known:
            known[column] = [sum(map(mul, weights, column[first:])) for first, weights in down]
        columns.append(known[column])
    rows = [list(row) for row in zip(*columns)]
    return [[sum(map(mul, weights, row[first:])) for first, weights in across] for row in rows]
