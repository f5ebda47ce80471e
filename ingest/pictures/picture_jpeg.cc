#include <csetjmp>
#include <cstdio>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include <jpeglib.h>

#include <jerror.h>

#include "ingest/pictures/picture_formats.h"

namespace palisade {
namespace {

// A small progressive file may ask for thousands of passes over all pixels; encoders write about ten.
constexpr int kMaxScans = 64;

// libjpeg reports errors by a callback that must not return. It jumps back to decode() over frames of libjpeg
// alone; everything that owns memory lives in this struct.
struct JpegReader {
  jpeg_decompress_struct jpeg{};
  jpeg_error_mgr errors{};
  jpeg_progress_mgr progress{};
  std::jmp_buf jump{};
  char message[JMSG_LENGTH_MAX] = {};
  std::vector<std::uint8_t> rgb;
  std::vector<std::uint8_t> row;

  JpegReader();
  ~JpegReader() { jpeg_destroy_decompress(&jpeg); }
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;
};

JpegReader& reader_of(j_common_ptr jpeg) {
  return *static_cast<JpegReader*>(jpeg->client_data);
}

[[noreturn]] void fail(JpegReader& reader, const char* message) {
  std::snprintf(reader.message, sizeof reader.message, "%s", message);
  std::longjmp(reader.jump, 1);
}

void on_error(j_common_ptr jpeg) {
  JpegReader& reader = reader_of(jpeg);
  jpeg->err->format_message(jpeg, reader.message);
  std::longjmp(reader.jump, 1);
}

// libjpeg fills the missing part of a truncated file with grey, which is an error here. Other warnings are
// ignored, as in Pillow.
void on_message(j_common_ptr jpeg, int level) {
  if (level < 0 && jpeg->err->msg_code == JWRN_JPEG_EOF) fail(reader_of(jpeg), "the file is truncated");
}

void on_progress(j_common_ptr jpeg) {
  const int scan = reinterpret_cast<j_decompress_ptr>(jpeg)->input_scan_number;
  if (scan > kMaxScans) fail(reader_of(jpeg), "the file has too many scans");
}

JpegReader::JpegReader() {
  jpeg.err = jpeg_std_error(&errors);
  errors.error_exit = on_error;
  errors.emit_message = on_message;
  progress.progress_monitor = on_progress;
}

// CMYK is inverted, as Adobe stores it and Pillow reads it.
void rgb_from_cmyk(const std::uint8_t* cmyk, std::uint8_t* rgb, int width) {
  for (int x = 0; x < width; ++x, cmyk += 4, rgb += 3) {
    const int light = cmyk[3];
    for (int i = 0; i < 3; ++i) {
      const int product = (255 - cmyk[i]) * light + 128;
      rgb[i] = std::uint8_t(light - (((product >> 8) + product) >> 8));
    }
  }
}

void read_rows(JpegReader& reader) {
  jpeg_decompress_struct& jpeg = reader.jpeg;
  const bool cmyk = jpeg.jpeg_color_space == JCS_CMYK || jpeg.jpeg_color_space == JCS_YCCK;
  jpeg.out_color_space = cmyk ? JCS_CMYK : JCS_RGB;
  jpeg_start_decompress(&jpeg);
  const std::size_t stride = std::size_t(jpeg.output_width) * 3;
  reader.rgb.resize(stride * jpeg.output_height);
  if (cmyk) reader.row.resize(std::size_t(jpeg.output_width) * 4);
  while (jpeg.output_scanline < jpeg.output_height) {
    std::uint8_t* const out = reader.rgb.data() + stride * jpeg.output_scanline;
    JSAMPROW row = cmyk ? reader.row.data() : out;
    if (jpeg_read_scanlines(&jpeg, &row, 1) != 1) fail(reader, "the file is truncated");
    if (cmyk) rgb_from_cmyk(row, out, int(jpeg.output_width));
  }
}

// False where libjpeg failed; the reader's message says why.
bool read_header(JpegReader& reader, Bytes file) {
  if (setjmp(reader.jump) != 0) return false;
  jpeg_create_decompress(&reader.jpeg);
  reader.jpeg.client_data = &reader;
  reader.jpeg.progress = &reader.progress;
  jpeg_mem_src(&reader.jpeg, reinterpret_cast<const unsigned char*>(file.data()), file.size());
  jpeg_read_header(&reader.jpeg, TRUE);
  return true;
}

bool read_pixels(JpegReader& reader) {
  if (setjmp(reader.jump) != 0) return false;
  read_rows(reader);
  return true;
}

}  // namespace

bool is_jpeg(Bytes start) {
  return start.size() >= 3 && std::memcmp(start.data(), "\xff\xd8\xff", 3) == 0;
}

Image decode_jpeg(Bytes file, const PictureLimits& limits) {
  JpegReader reader;
  if (!read_header(reader, file)) throw PictureError(std::string("unreadable JPEG: ") + reader.message);
  check_picture_size(reader.jpeg.image_width, reader.jpeg.image_height, limits);
  if (!read_pixels(reader)) throw PictureError(std::string("unreadable JPEG: ") + reader.message);
  return Image(int(reader.jpeg.output_width), int(reader.jpeg.output_height), std::move(reader.rgb));
}

}  // namespace palisade
