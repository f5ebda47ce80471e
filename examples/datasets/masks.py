"""Masks as COCO has them: polygons and run lengths to one byte a pixel, and back. A mask is its pixels column by column
(pycocotools, maskApi.c)."""
import math

MAX_PIXELS = 1 << 27
SCALE = 5  # boundaries are walked in fifths of a pixel


def boundary(points):
    """The polygon's edge as whole points in fifths of a pixel."""
    scaled = [(int(SCALE * x + 0.5), int(SCALE * y + 0.5)) for x, y in points]
    walked = []
    for (x_from, y_from), (x_to, y_to) in zip(scaled, scaled[1:] + scaled[:1]):
        wide, high = abs(x_to - x_from), abs(y_to - y_from)
        flat = wide >= high
        flip = x_from > x_to if flat else y_from > y_to
        if flip:
            x_from, y_from, x_to, y_to = x_to, y_to, x_from, y_from
        length = wide if flat else high
        slope = ((y_to - y_from) if flat else (x_to - x_from)) / length if length else 0.0
        steps = range(length, -1, -1) if flip else range(length + 1)
        walked += [(x_from + t, int(y_from + slope * t + 0.5)) if flat else (int(x_from + slope * t + 0.5), y_from + t) for t in steps]
    return walked


def runs_of_polygon(points, height, width):
    """Lengths of runs, zeros first."""
    walked, ends = boundary(points), []
    for (x_before, y_before), (x, y) in zip(walked, walked[1:]):
        if x == x_before:
            continue
        column = ((x if x < x_before else x - 1) + 0.5) / SCALE - 0.5
        if column != math.floor(column) or not 0 <= column <= width - 1:
            continue
        row = math.ceil(min(max((min(y, y_before) + 0.5) / SCALE - 0.5, 0), height))
        ends.append(int(column) * height + row)
    ends = sorted(ends) + [height * width]
    lengths = [end - start for start, end in zip([0] + ends, ends)]
    runs, at = lengths[:1], 1
    while at < len(lengths):
        if lengths[at] > 0:
            runs.append(lengths[at])
        elif at + 1 < len(lengths):
            at += 1
            runs[-1] += lengths[at]
        at += 1
    return runs


def paint(mask, runs):
    at, value = 0, 0
    for run in runs:
        if value:
            mask[at:at + run] = b"\1" * run
        at, value = at + run, 1 - value


def runs_of_counts(counts):
    """COCO's compressed run lengths. Raises ValueError."""
    runs, at = [], 0
    while at < len(counts):
        value, shift, more = 0, 0, True
        while more:
            code = ord(counts[at]) - 48
            if not 0 <= code < 64 or shift > 60:
                raise ValueError("is no run-length code")
            value |= (code & 31) << shift
            more, at, shift = bool(code & 32), at + 1, shift + 5
            if more and at == len(counts):
                raise ValueError("is cut off")
        if code & 16:
            value -= 1 << shift
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
        if runs[-1] < 0:
            raise ValueError("has a run below 0")
    return runs


def counts_of(mask):
    """Of a mask, COCO's compressed run lengths."""
    runs, at, value = [], 0, 0
    while at < len(mask):
        end = mask.find(1 - value, at)
        end = len(mask) if end < 0 else end
        runs.append(end - at)
        at, value = end, 1 - value
    text = []
    for number, run in enumerate(runs):
        rest, more = run - (runs[number - 2] if number > 2 else 0), True
        while more:
            code, rest = rest & 31, rest >> 5
            more = rest != (-1 if code & 16 else 0)
            text.append(chr((code | 32 if more else code) + 48))
    return "".join(text)


def mask_of(entry, height, width):
    """Of an annotation's "segmentation": polygons, or an object of run lengths."""
    if not 0 < height * width <= MAX_PIXELS or height < 0:
        entry.fail(f"belongs to a picture of {width} x {height} pixels; correct the image's entry")
    mask = bytearray(height * width)
    if isinstance(entry.value, list):
        for polygon in entry.each():
            numbers = [number.as_number() for number in polygon.each()]
            if len(numbers) < 6 or len(numbers) % 2 or max(map(abs, numbers)) > 1e6:
                polygon.fail("is no polygon of three points or more; correct the entry")
            paint(mask, runs_of_polygon(list(zip(numbers[::2], numbers[1::2])), height, width))
        return mask
    if [side.as_whole() for side in entry.entries("size")] != [height, width]:
        entry.at("size").fail(f"is not that of its picture, {height} x {width}; correct the entry")
    counts = entry.at("counts")
    try:
        runs = [run.as_whole() for run in counts.each()] if isinstance(counts.value, list) else runs_of_counts(counts.as_text())
    except (ValueError, IndexError) as error:
        counts.fail(f"{error}; correct the entry")
    if any(run < 0 for run in runs) or sum(runs) != len(mask):
        counts.fail("does not fill the picture; correct the entry")
    paint(mask, runs)
    return mask
