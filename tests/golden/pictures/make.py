#!/usr/bin/env python3
"""Makes the pictures of this folder and, as NAME.ppm, what Pillow's exif_transpose and convert("RGB") give for each. Made with Pillow 11.3."""
import io
import pathlib

import numpy as np
from PIL import Image, ImageOps

HERE = pathlib.Path(__file__).parent
W, H = 37, 29

y, x = np.mgrid[0:H, 0:W]
rng = np.random.default_rng(7)
photo = np.stack([x * 6 % 256, y * 8 % 256, (x * y) % 256], -1) * 3 // 4 + rng.integers(0, 60, (H, W, 3))
photo = np.clip(photo, 0, 255).astype(np.uint8)
rgb = Image.fromarray(photo)
alpha = Image.fromarray(((x + y) * 4 % 256).astype(np.uint8))
rgba = rgb.copy()
rgba.putalpha(alpha)
grey = rgb.convert("L")


def jpeg(name, image, **options):
    image.save(HERE / f"{name}.jpg", **options)


jpeg("rgb_420", rgb, quality=85)
jpeg("rgb_422", rgb, quality=85, subsampling="4:2:2")
jpeg("rgb_444", rgb, quality=85, subsampling="4:4:4")
jpeg("progressive", rgb, quality=75, progressive=True)
jpeg("grey", grey, quality=85)
jpeg("cmyk", rgb.convert("CMYK"), quality=85)
exif = Image.Exif()
exif[0x0112] = 6
jpeg("exif_rotated", rgb, quality=85, exif=exif)
jpeg("stored_rgb", rgb, quality=85, keep_rgb=True)
jpeg("one_pixel", rgb.crop((0, 0, 1, 1)), quality=85)

rgb.save(HERE / "rgb.png")
rgba.save(HERE / "rgba.png")
grey.save(HERE / "grey.png")
Image.merge("LA", (grey, alpha)).save(HERE / "grey_alpha.png")
palette = rgb.quantize(13)
palette.save(HERE / "palette.png")
palette.save(HERE / "palette_transparent.png", transparency=bytes(range(0, 130, 10)))
rgb.quantize(4).save(HERE / "palette_2bit.png", bits=2)
rgb.convert("1").save(HERE / "one_bit.png")
grey.save(HERE / "grey_key.png", transparency=100)
rgb.save(HERE / "rgb_key.png", transparency=tuple(int(v) for v in photo[3, 3]))
rgb.save(HERE / "gamma_profile.png", icc_profile=b"\0" * 128)
Image.fromarray(photo[:1, :1]).save(HERE / "one_pixel.png")

rgb.save(HERE / "lossy.webp", quality=80)
rgb.save(HERE / "lossless.webp", lossless=True)
rgba.save(HERE / "alpha.webp", quality=80, exact=True)
rgba.save(HERE / "alpha_lossless.webp", lossless=True, exact=True)
rgb.save(HERE / "animated.webp", save_all=True, append_images=[rgb.transpose(Image.FLIP_LEFT_RIGHT)], duration=100)


def png_by_hand(name, width, height, depth, color, rows, interlaced=False, extra=b""):
    """What Pillow cannot write: 16 bits of colour, low grey depths, Adam7."""
    import struct
    import zlib

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, int(interlaced))
    (HERE / f"{name}.png").write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra +
                                       chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


wide = photo.astype(np.uint16) * 257 ^ 0x55
png_by_hand("rgb_16", W, H, 16, 2, b"".join(b"\0" + wide[i].astype(">u2").tobytes() for i in range(H)))
wide_alpha = np.concatenate([wide, np.asarray(alpha, np.uint16)[..., None] * 257], -1)
png_by_hand("rgba_16", W, H, 16, 6, b"".join(b"\0" + wide_alpha[i].astype(">u2").tobytes() for i in range(H)))
nibbles = (np.asarray(grey) >> 4)
nibbles = np.concatenate([nibbles, np.zeros((H, 1), np.uint8)], 1)
png_by_hand("grey_4bit", W, H, 4, 0, b"".join(b"\0" + (r[0::2] << 4 | r[1::2]).tobytes() for r in nibbles))
passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
adam7 = b"".join(b"\0" + r.tobytes() for x0, y0, dx, dy in passes for r in photo[y0::dy, x0::dx] if r.size)
png_by_hand("interlaced", W, H, 8, 2, adam7, interlaced=True)
grey_wide = np.asarray(grey, np.uint16) * 257 ^ 0x55
# Pillow saturates 16-bit grey instead of scaling it, which leaves nothing to see: not a model, so no .ppm by Pillow.
png_by_hand("grey_16", W, H, 16, 0, b"".join(b"\0" + r.astype(">u2").tobytes() for r in grey_wide))

for path in sorted(HERE.iterdir()):
    if path.suffix not in (".jpg", ".png", ".webp") or path.stem == "animated":
        continue
    image = Image.open(path)
    pixels = Image.fromarray((grey_wide >> 8).astype(np.uint8)) if path.stem == "grey_16" else image
    data = io.BytesIO()
    ImageOps.exif_transpose(pixels).convert("RGB").save(data, "PPM")
    (HERE / f"{path.name}.ppm").write_bytes(data.getvalue())
    print(path.name, image.mode, image.size)
