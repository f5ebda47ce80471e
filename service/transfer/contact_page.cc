// The contact sheet of examples: one page of HTML with small pictures in it.
#include <sodium.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/format.h"
#include "base/random.h"
#include "base/whole_file.h"
#include "frames/resize.h"
#include "ingest/open_source.h"
#include "ingest/pictures/picture.h"
#include "ingest/source/source.h"
#include "service/journal/frame_codec.h"
#include "service/transfer/data_report.h"

namespace palisade {
namespace {

namespace fs = std::filesystem;

constexpr int kLongSide = 240;  // pixels
constexpr std::size_t kMostThumbnails = 4;
constexpr char kPageStart[] =
    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Examples</title>\n"
    "<style>\nbody { font: 14px sans-serif; margin: 16px; background: #fff; color: #222; }\n"
    "main { display: grid; grid-template-columns: repeat(auto-fill, minmax(260px, 1fr)); gap: 12px; }\n"
    "figure { margin: 0; padding: 8px; border: 1px solid #ccc; overflow-wrap: anywhere; }\n"
    "figcaption span { color: #666; font-size: 12px; }\nb { white-space: pre-wrap; }\n"
    "img { max-width: 100%; }\n</style></head><body>\n";

std::string escaped_html(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '&') {
      escaped += "&amp;";
    } else if (c == '<') {
      escaped += "&lt;";
    } else if (c == '>') {
      escaped += "&gt;";
    } else if (c == '"') {
      escaped += "&quot;";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

Image thumbnail_of(const Image& image) {
  const double scale = std::min(1.0, double(kLongSide) / std::max(image.width(), image.height()));
  const auto scaled = [&](int length) { return std::max(1, int(std::lround(scale * length))); };
  return scale < 1 ? resize(image, scaled(image.width()), scaled(image.height()), ResizePreset::kHfBilinear)
                   : image;
}

Image shown_picture(const fs::path& file, bool film) {
  if (!film) return read_picture(file);
  const auto frame = open_source({.url = file.string()}, {})->next([](const FrameStamp&) { return true; });
  if (!frame) throw Error(file.string() + ": holds no frame");
  return frame->image;
}

std::string picture_html(const fs::path& file, bool film) {
  try {
    const std::string jpeg = encode_frame(thumbnail_of(shown_picture(file, film)), FrameStorage::kJpeg).bytes;
    std::string text(sodium_base64_encoded_len(jpeg.size(), sodium_base64_VARIANT_ORIGINAL), '\0');
    sodium_bin2base64(text.data(), text.size(), reinterpret_cast<const unsigned char*>(jpeg.data()),
                      jpeg.size(), sodium_base64_VARIANT_ORIGINAL);
    text.pop_back();  // its terminating zero
    return "<img alt=\"" + escaped_html(file.filename().string()) + "\" src=\"data:image/jpeg;base64," +
           text + "\">\n";
  } catch (const std::exception& error) {
    return "<p>" + escaped_html(error.what()) + "</p>\n";
  }
}

std::string example_html(const TransferLine& line) {
  std::string html = "<figure>\n";
  const bool film = !line.video.empty();
  for (std::size_t i = 0; !film && i < std::min(kMostThumbnails, line.pictures.size()); ++i)
    html += picture_html(line.pictures[i], false);
  if (film) html += picture_html(line.video, true);
  if (line.pictures.size() > kMostThumbnails)
    html += format("<p>and {} more pictures</p>\n", line.pictures.size() - kMostThumbnails);
  return html + "<figcaption>" + escaped_html(line.prefix) + "<br><b>" + escaped_html(line.suffix) +
         "</b><br><span>" + escaped_html(line.place()) + "</span></figcaption>\n</figure>\n";
}

// Places of the lines that are shown, in the order of the file.
std::vector<std::size_t> drawn_lines(std::size_t lines, std::size_t count, std::uint64_t seed) {
  std::vector<std::size_t> order(lines);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [&](std::size_t line) { return split_mix(split_mix(seed) ^ line); });
  order.resize(std::min(count, lines));
  std::ranges::sort(order);
  return order;
}

}  // namespace

void write_contact_sheet(const fs::path& page, const CheckedData& data, std::size_t count,
                         std::uint64_t seed) {
  const std::vector<std::size_t> drawn = drawn_lines(data.lines.size(), count, seed);
  std::string html = kPageStart + format("<h1>{} of {} examples of ", drawn.size(), data.lines.size()) +
                     escaped_html(data.file.string()) + "</h1>\n<main>\n";
  for (const std::size_t line : drawn) html += example_html(data.lines[line]);
  write_whole_file(page, html + "</main>\n</body></html>\n");
}

}  // namespace palisade
