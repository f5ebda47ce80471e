#include "service/journal/frame_codec.h"

#include <turbojpeg.h>
#include <webp/encode.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

#include "base/error.h"
#include "base/format.h"
#include "ingest/pictures/picture.h"

namespace palisade {
namespace {

constexpr int kJpegQuality = 90;
constexpr int kWebpEffort = 1;  // of 0 to 9: 11 ms and 75 KB for a frame of 224 pixels

std::vector<std::uint8_t> rounded(std::span<const float> samples) {
  std::vector<std::uint8_t> bytes(samples.size());
  std::ranges::transform(samples, bytes.begin(), [](float sample) {
    return std::uint8_t(std::lround(std::clamp(sample, 0.0F, 255.0F)));
  });
  return bytes;
}

std::string jpeg_of(std::span<const std::uint8_t> rgb, int width, int height) {
  const std::unique_ptr<void, int (*)(tjhandle)> compressor(tjInitCompress(), tjDestroy);
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  const bool done =
      compressor && tjCompress2(compressor.get(), rgb.data(), width, 0, height, TJPF_RGB, &bytes, &size,
                                TJSAMP_420, kJpegQuality, TJFLAG_ACCURATEDCT) == 0;
  std::string jpeg = done ? std::string(reinterpret_cast<const char*>(bytes), size) : std::string();
  tjFree(bytes);
  if (!done)
    throw Error(std::string("a frame cannot be encoded as JPEG: ") + tjGetErrorStr2(compressor.get()));
  return jpeg;
}

std::string webp_of(std::span<const std::uint8_t> rgb, int width, int height) {
  WebPConfig config;
  WebPPicture picture;
  if (!WebPConfigInit(&config) || !WebPConfigLosslessPreset(&config, kWebpEffort) ||
      !WebPPictureInit(&picture))
    throw Error("a frame cannot be encoded: libwebp is of another version");
  WebPMemoryWriter writer;
  WebPMemoryWriterInit(&writer);
  picture.use_argb = 1;
  picture.width = width;
  picture.height = height;
  picture.writer = WebPMemoryWrite;
  picture.custom_ptr = &writer;
  const bool done =
      WebPPictureImportRGB(&picture, rgb.data(), width * 3) != 0 && WebPEncode(&config, &picture) != 0;
  std::string webp =
      done ? std::string(reinterpret_cast<const char*>(writer.mem), writer.size) : std::string();
  const int fault = picture.error_code;
  WebPPictureFree(&picture);
  WebPMemoryWriterClear(&writer);
  if (!done) throw Error(format("a frame cannot be encoded as WebP: error {}", int(fault)));
  return webp;
}

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

}  // namespace

EncodedFrame encode_frame(const Image& image, FrameStorage how) {
  EncodedFrame frame{.width = image.width(), .height = image.height()};
  if (how == FrameStorage::kExact && image.is_float()) {
    const auto bytes = image.bytes();
    frame.format = "f32";
    frame.bytes.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return frame;
  }
  const std::vector<std::uint8_t> whole_numbers = rounded(image.f32());
  const auto rgb = image.is_float() ? std::span<const std::uint8_t>(whole_numbers) : image.u8();
  frame.format = how == FrameStorage::kExact ? "webp" : "jpeg";
  frame.bytes = how == FrameStorage::kExact ? webp_of(rgb, frame.width, frame.height)
                                            : jpeg_of(rgb, frame.width, frame.height);
  return frame;
}

Image decode_frame(const EncodedFrame& frame) {
  if (frame.format != "f32") {
    Image image = decode_picture(bytes_of(frame.bytes));
    if (image.width() != frame.width || image.height() != frame.height)
      throw Error("a stored frame has another size than it should");
    return image;
  }
  if (frame.width <= 0 || frame.height <= 0 ||
      frame.bytes.size() != std::size_t(frame.width) * std::size_t(frame.height) * 3 * sizeof(float))
    throw Error("a stored frame has another size than it should");
  std::vector<float> samples(frame.bytes.size() / sizeof(float));
  std::memcpy(samples.data(), frame.bytes.data(), frame.bytes.size());
  return {frame.width, frame.height, std::move(samples)};
}

PictureFile picture_file(const EncodedFrame& frame) {
  if (frame.format == "jpeg") return {"jpg", frame.bytes};
  if (frame.format == "webp") return {"webp", frame.bytes};
  const Image image = decode_frame(frame);
  const auto png = encode_png(Image(image.width(), image.height(), rounded(image.f32())));
  return {"png", std::string(reinterpret_cast<const char*>(png.data()), png.size())};
}

}  // namespace palisade
