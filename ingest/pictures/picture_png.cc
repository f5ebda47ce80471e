#include <png.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "base/partial_file.h"
#include "ingest/pictures/picture_formats.h"

namespace palisade {
namespace {

// As for JPEG, libpng jumps out of its own frames, so everything that owns memory lives here.
struct PngReader {
  png_structp png = nullptr;
  png_infop info = nullptr;
  Bytes rest;
  char message[160] = {};
  std::vector<std::uint8_t> rgb;
  std::vector<png_bytep> rows;

  PngReader() = default;
  ~PngReader() { png_destroy_read_struct(&png, &info, nullptr); }
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;
};

void on_error(png_structp png, png_const_charp message) {
  auto& reader = *static_cast<PngReader*>(png_get_error_ptr(png));
  std::snprintf(reader.message, sizeof reader.message, "%s", message);
  png_longjmp(png, 1);
}

void on_warning(png_structp, png_const_charp) {}

void on_read(png_structp png, png_bytep out, std::size_t size) {
  auto& reader = *static_cast<PngReader*>(png_get_io_ptr(png));
  if (size > reader.rest.size()) png_error(png, "the file is truncated");
  std::memcpy(out, reader.rest.data(), size);
  reader.rest = reader.rest.subspan(size);
}

// Chunks without influence on pixels are not read: a few bytes of them may expand to megabytes.
constexpr char kIgnored[] = "iCCP\0zTXt\0iTXt\0tEXt\0eXIf";
constexpr png_alloc_size_t kMaxChunk = 8u << 20;

bool read_header(PngReader& reader, const PictureLimits& limits) {
  if (setjmp(png_jmpbuf(reader.png)) != 0) return false;
  png_set_read_fn(reader.png, &reader, on_read);
  png_set_user_limits(reader.png, png_uint_32(limits.max_side), png_uint_32(limits.max_side));
  png_set_chunk_malloc_max(reader.png, kMaxChunk);
  png_set_chunk_cache_max(reader.png, 64);
  png_set_keep_unknown_chunks(reader.png, PNG_HANDLE_CHUNK_NEVER, reinterpret_cast<png_const_bytep>(kIgnored),
                              5);
  png_read_info(reader.png, reader.info);
  return true;
}

// Converts everything to 8-bit RGB. Gamma and profiles are ignored and transparency is dropped, as in Pillow.
void set_transformations(PngReader& reader) {
  const png_byte color = png_get_color_type(reader.png, reader.info);
  if (png_get_bit_depth(reader.png, reader.info) == 16) png_set_strip_16(reader.png);
  if (color == PNG_COLOR_TYPE_PALETTE) png_set_palette_to_rgb(reader.png);
  if (color == PNG_COLOR_TYPE_GRAY && png_get_bit_depth(reader.png, reader.info) < 8) {
    png_set_expand_gray_1_2_4_to_8(reader.png);
  }
  if ((color & PNG_COLOR_MASK_COLOR) == 0) png_set_gray_to_rgb(reader.png);
  // A palette with tRNS expands to RGBA.
  png_set_strip_alpha(reader.png);
  png_set_interlace_handling(reader.png);
  png_read_update_info(reader.png, reader.info);
}

bool read_pixels(PngReader& reader) {
  if (setjmp(png_jmpbuf(reader.png)) != 0) return false;
  set_transformations(reader);
  const std::size_t stride = png_get_rowbytes(reader.png, reader.info);
  const std::size_t height = png_get_image_height(reader.png, reader.info);
  if (stride != std::size_t(png_get_image_width(reader.png, reader.info)) * 3) {
    png_error(reader.png, "its pixels do not come out as RGB");
  }
  reader.rgb.resize(stride * height);
  reader.rows.resize(height);
  for (std::size_t y = 0; y < height; ++y) reader.rows[y] = reader.rgb.data() + y * stride;
  png_read_image(reader.png, reader.rows.data());
  return true;
}

[[noreturn]] void give_up(const PngReader& reader) {
  throw PictureError(std::string("unreadable PNG: ") + reader.message);
}

}  // namespace

bool is_png(Bytes start) {
  return start.size() >= 8 && std::memcmp(start.data(), "\x89PNG\r\n\x1a\n", 8) == 0;
}

Image decode_png(Bytes file, const PictureLimits& limits) {
  if (file.size() >= 24) {
    // libpng can limit sides alone, and its message does not help.
    const auto side = [&](std::size_t at) {
      std::uint32_t value = 0;
      for (std::size_t i = at; i < at + 4; ++i) value = value << 8 | std::uint32_t(file[i]);
      return value;
    };
    check_picture_size(side(16), side(20), limits);
  }
  PngReader reader;
  reader.rest = file;
  reader.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &reader, on_error, on_warning);
  if (reader.png != nullptr) reader.info = png_create_info_struct(reader.png);
  if (reader.info == nullptr) throw PictureError("libpng cannot start: out of memory");
  if (!read_header(reader, limits)) give_up(reader);
  const int width = int(png_get_image_width(reader.png, reader.info));
  const int height = int(png_get_image_height(reader.png, reader.info));
  check_picture_size(std::uint64_t(width), std::uint64_t(height), limits);
  if (!read_pixels(reader)) give_up(reader);
  return Image(width, height, std::move(reader.rgb));
}

std::vector<std::byte> encode_png(const Image& image) {
  png_image header{};
  header.version = PNG_IMAGE_VERSION;
  header.width = png_uint_32(image.width());
  header.height = png_uint_32(image.height());
  header.format = PNG_FORMAT_RGB;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(header);
  std::vector<std::byte> file(size);
  if (!png_image_write_to_memory(&header, file.data(), &size, 0, image.bytes().data(), 0, nullptr))
    throw PictureError(std::string("a PNG cannot be made: ") + header.message);
  file.resize(size);
  return file;
}

void write_png(const std::filesystem::path& path, const Image& image) {
  png_image header{};
  header.version = PNG_IMAGE_VERSION;
  header.width = png_uint_32(image.width());
  header.height = png_uint_32(image.height());
  header.format = PNG_FORMAT_RGB;
  PartialFile file;
  const auto fail = [&](const std::string& why) {
    file.discard();
    throw PictureError(path.string() + ": cannot be written: " + why);
  };
  if (file.open(path) < 0)
    fail(errno == ELOOP ? "it is a symbolic link, which is not followed" : std::strerror(errno));
  std::FILE* const stream = ::fdopen(::dup(file.descriptor), "wb");
  if (stream == nullptr) fail(std::strerror(errno));
  const bool encoded = png_image_write_to_stdio(&header, stream, 0, image.bytes().data(), 0, nullptr) != 0;
  const bool flushed = std::fclose(stream) == 0;
  if (!encoded) fail(header.message);
  if (!flushed || !file.commit()) fail(std::strerror(errno));
}

}  // namespace palisade
