#include "ingest/source/refused_file.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>
#include <string_view>
#include <utility>
#include <vector>

#include "ingest/source/refused_format.h"

namespace palisade {
namespace {

constexpr std::size_t kStart = 1024;
constexpr const char* kMakePicture = "make it a JPEG, PNG or WebP";

struct FileSignature {
  std::size_t offset;
  std::string_view bytes;
  const char* what;
};

// Formats that occur in files only, not in answers of servers.
constexpr std::array kKnownPictures = {
    FileSignature{0, "FUJIFILMCCD-RAW", "a camera's raw picture"},
    FileSignature{0, std::string_view("IIU\0", 4), "a camera's raw picture"},
    FileSignature{0, "IIRO", "a camera's raw picture"},
    FileSignature{0, "IIRS", "a camera's raw picture"},
    FileSignature{0, "FOVb", "a camera's raw picture"},
    FileSignature{0, "II+\0", "a TIFF picture"},
    FileSignature{0, std::string_view("MM\0+", 4), "a TIFF picture"},
    FileSignature{4, "ftypheim", "a HEIC picture"},
    FileSignature{4, "ftypheis", "a HEIC picture"},
    FileSignature{4, "ftyphevm", "a HEIC picture sequence"},
    FileSignature{4, "ftyphevs", "a HEIC picture sequence"},
    FileSignature{4, "ftypjxl ", "a JPEG XL picture"},
    FileSignature{0, std::string_view("\0\0\1\0\1\0", 6), "an icon"},
    FileSignature{0, "\x76\x2f\x31\x01", "an OpenEXR picture"},
    FileSignature{0, "#?RADIANCE", "an HDR picture"},
    FileSignature{0, "DDS ", "a texture (DDS)"},
    FileSignature{0, "%PDF-", "a PDF document"},
    FileSignature{0, "%!PS", "a PostScript document"},
    FileSignature{128, "DICM", "a medical picture (DICOM)"},
    FileSignature{0, "SIMPLE  =", "an astronomical picture (FITS)"},
    FileSignature{0, "\x89HDF\r\n\x1a\n", "a table of numbers (HDF5)"},
    FileSignature{0, "\x93NUMPY", "a table of numbers (NumPy)"},
};

constexpr std::array kKnownFilms = {
    FileSignature{4, "ftyp", "a film (MP4 or QuickTime)"},
    FileSignature{4, "moov", "a film (QuickTime)"},
    FileSignature{4, "mdat", "a film (QuickTime)"},
    FileSignature{0, "\x1a\x45\xdf\xa3", "a film (Matroska or WebM)"},
    FileSignature{8, "AVI ", "a film (AVI)"},
    FileSignature{0, "FLV\1", "a film (FLV)"},
    FileSignature{0, "OggS", "a film or sound (Ogg)"},
    FileSignature{0, std::string_view("\0\0\1\xba", 4), "a film (MPEG)"},
};

const char* found_in(std::span<const FileSignature> table, std::string_view start) {
  for (const FileSignature& known : table) {
    if (start.size() >= known.offset && start.substr(known.offset).starts_with(known.bytes))
      return known.what;
  }
  return nullptr;
}

bool is_anymap(std::string_view start) {
  return start.size() > 2 && start[0] == 'P' && start[1] >= '1' && start[1] <= '7' &&
         std::isspace(static_cast<unsigned char>(start[2])) != 0;
}

// Text formats, for which the advice differs between a file and a camera's answer.
std::optional<std::string> refused_text_file(std::string_view start) {
  std::string lower;
  for (const char c : start) lower += char(std::tolower(static_cast<unsigned char>(c)));
  if (lower.find("<html") != lower.npos || lower.find("<!doctype html") != lower.npos)
    return "a web page, perhaps one that a server gave instead of the file: load it again";
  const std::string_view text =
      std::string_view(lower).substr(std::min(lower.find_first_not_of(" \t\r\n\xef\xbb\xbf"), lower.size()));
  const bool playlist = text.starts_with("#extm3u") || text.starts_with("[playlist]") ||
                        text.starts_with("ffconcat") || lower.find("<mpd") != lower.npos ||
                        lower.find("<smil") != lower.npos;
  if (playlist) return "a playlist, which only names films: give one of those";
  if (lower.find("<svg") != lower.npos) return std::string("an SVG drawing: ") + kMakePicture;
  return std::nullopt;
}

bool is_text_file(std::string_view start) {
  return std::ranges::all_of(start, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 || c == '\n' || c == '\r' || c == '\t' || c == '\f';
  });
}

std::string_view characters_of(std::span<const std::byte> start) {
  return {reinterpret_cast<const char*>(start.data()), std::min(start.size(), kStart)};
}

}  // namespace

std::optional<std::string> refused_file(std::span<const std::byte> bytes) {
  const std::string_view start = characters_of(bytes);
  if (start.empty()) return "an empty file: copy or load it again";
  if (start.size() >= 64 && std::ranges::all_of(start, [](char c) { return c == '\0'; }))
    return "a file of nothing but zeros, which a copy that broke off leaves: copy or load it again";
  if (const char* const what = found_in(kKnownPictures, start))
    return std::string(what) + ": " + kMakePicture;
  if (start.starts_with("GIF8")) return std::string("a GIF: ") + kMakePicture + ", or an MP4 where it moves";
  if (is_anymap(start)) return std::string("a PNM picture: ") + kMakePicture;
  if (start.starts_with("version https://git-lfs"))
    return "a Git LFS pointer and not the file itself: fetch that with \"git lfs pull\"";
  if (is_text_file(start)) {
    if (auto text = refused_text_file(start)) return text;
    return "a text, and neither picture nor film";
  }
  return refused_format(bytes.first(start.size()));
}

std::optional<std::string> refused_file(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return std::nullopt;
  std::ifstream file(path, std::ios::binary);
  std::vector<char> start(kStart);
  file.read(start.data(), std::streamsize(start.size()));
  if (!file && !file.eof()) return std::nullopt;
  return refused_file(std::as_bytes(std::span(start)).first(std::size_t(file.gcount())));
}

std::optional<std::string> refused_picture(std::span<const std::byte> bytes) {
  if (auto refused = refused_file(bytes)) return refused;
  const std::string_view start = characters_of(bytes);
  const bool stream = start.size() > 188 && start[0] == 'G' && start[188] == 'G';
  const char* const film = stream ? "a film (MPEG-TS)" : found_in(kKnownFilms, start);
  if (film == nullptr) return std::nullopt;
  return std::string(film) + ": give it as the one video, or one of its pictures as JPEG, PNG or WebP";
}

}  // namespace palisade
