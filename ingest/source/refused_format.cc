#include "ingest/source/refused_format.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>

namespace palisade {
namespace {

constexpr const char* kPictures = "make it a JPEG, PNG or WebP";
constexpr const char* kFilms = "make it an MP4, MKV, WebM, AVI, MPEG-TS or FLV";
constexpr const char* kStreams = "give the address of one of the streams that it names";

struct Signature {
  std::size_t offset;
  std::string_view bytes;
  const char* what;
  const char* remedy;
};

constexpr std::array kSignatures = {
    Signature{0, "GIF87a", "a GIF picture", kPictures},
    Signature{0, "GIF89a", "a GIF picture", kPictures},
    Signature{0, std::string_view("II*\0", 4), "a TIFF or camera raw picture", kPictures},
    Signature{0, std::string_view("MM\0*", 4), "a TIFF or camera raw picture", kPictures},
    Signature{4, "ftypheic", "a HEIC picture", kPictures},
    Signature{4, "ftypheix", "a HEIC picture", kPictures},
    Signature{4, "ftyphevc", "a HEIC picture sequence", kPictures},
    Signature{4, "ftypmif1", "a HEIC or AVIF picture", kPictures},
    Signature{4, "ftypmsf1", "a HEIC or AVIF picture sequence", kPictures},
    Signature{4, "ftypavif", "an AVIF picture", kPictures},
    Signature{4, "ftypavis", "an AVIF picture sequence", kPictures},
    Signature{4, "ftypcrx ", "a camera raw picture", kPictures},
    Signature{4, "jP  \r\n\x87\n", "a JPEG 2000 picture", kPictures},
    Signature{0, "\xff\x4f\xff\x51", "a JPEG 2000 picture", kPictures},
    Signature{4, "JXL \r\n\x87\n", "a JPEG XL picture", kPictures},
    Signature{0, "\xff\x0a", "a JPEG XL picture", kPictures},
    Signature{0, "8BPS", "a Photoshop picture", kPictures},
    Signature{0, "qoif", "a QOI picture", kPictures},
    Signature{0, "%PDF-", "a PDF document", kPictures},
    Signature{0, "\x30\x26\xb2\x75\x8e\x66\xcf\x11", "a WMV or ASF film", kFilms},
    Signature{0, ".RMF", "a RealMedia film", kFilms},
    Signature{0, "FWS", "a Flash program", kFilms},
    Signature{0, "CWS", "a Flash program", kFilms},
    Signature{8, "WAVEfmt ", "sound without pictures (WAV)", kFilms},
    Signature{0, "ID3", "sound without pictures (MP3)", kFilms},
    Signature{0, "fLaC", "sound without pictures (FLAC)", kFilms},
    Signature{0, "PK\3\4", "a ZIP archive", "unpack it"},
    Signature{0, "\x1f\x8b", "compressed by gzip", "unpack it"},
    Signature{0, "BZh", "compressed by bzip2", "unpack it"},
    Signature{0,
              "\xfd"
              "7zXZ",
              "compressed by xz", "unpack it"},
    Signature{0, "\x28\xb5\x2f\xfd", "compressed by zstd", "unpack it"},
    Signature{0, "7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it"},
    Signature{0, "Rar!", "a RAR archive", "unpack it"},
    Signature{0, "version https://git-lfs", "a Git LFS pointer, not the file itself", "run git lfs pull"},
};

struct TextSign {
  std::string_view words;  // lower case, within the first bytes
  bool first;              // only white space may come before it
  const char* what;
  const char* remedy;
};

constexpr std::array kTextSigns = {
    TextSign{"#extm3u", true, "a playlist (HLS or M3U)", kStreams},
    TextSign{"[playlist]", true, "a playlist (PLS)", kStreams},
    TextSign{"[reference]", true, "a playlist (ASF)", kStreams},
    TextSign{"ffconcat", true, "a playlist (FFmpeg's concat)", kStreams},
    TextSign{"<asx", true, "a playlist (ASX)", kStreams},
    TextSign{"<smil", false, "a playlist (SMIL)", kStreams},
    TextSign{"<mpd", false, "a DASH manifest", kStreams},
    TextSign{"<smoothstreamingmedia", false, "a Smooth Streaming manifest", kStreams},
    TextSign{"<playlist", false, "a playlist (XSPF)", kStreams},
    TextSign{"<!doctype html", false, "a web page, perhaps one to log in",
             "give the address of the stream itself"},
    TextSign{"<html", false, "a web page, perhaps one to log in", "give the address of the stream itself"},
    TextSign{"<svg", false, "an SVG drawing", kPictures},
    TextSign{"<?xml", true, "an XML text", "give the address of the stream itself"},
    TextSign{"{", true, "a JSON text", "give the address of the stream itself"},
};

bool is_text(std::string_view start) {
  return !start.empty() && std::ranges::all_of(start, [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 || c == '\n' || c == '\r' || c == '\t' || c == '\f';
  });
}

std::string as_told(const char* what, const char* remedy) {
  return std::string(what) + ": " + remedy;
}

std::optional<std::string> refused_text(std::string_view start) {
  if (start.starts_with("\xef\xbb\xbf")) start.remove_prefix(3);
  std::string lower;
  for (const char c : start) lower += char(std::tolower(static_cast<unsigned char>(c)));
  const std::size_t begin = std::min(lower.find_first_not_of(" \t\r\n"), lower.size());
  const std::string_view text = std::string_view(lower).substr(begin);
  for (const TextSign& sign : kTextSigns) {
    const std::size_t at = text.find(sign.words);
    if (at == 0 || (!sign.first && at != std::string_view::npos)) return as_told(sign.what, sign.remedy);
  }
  if (text.starts_with("v=0") && text.find("\nm=") != std::string_view::npos) {
    return as_told("a session description (SDP)", "give the rtsp:// address that it describes");
  }
  // A web camera's multipart stream begins with text too.
  if (text.starts_with("--")) return std::nullopt;
  return as_told("a text", "give the address of the stream itself");
}

// BMP: "BM", the file's size, four zero bytes, the offset of the pixels, and the size of the next header.
bool is_bmp(std::string_view start) {
  if (start.size() < 18 || !start.starts_with("BM") || start.substr(6, 4) != std::string_view("\0\0\0\0", 4))
    return false;
  constexpr std::array kHeaders = {'\x0c', '\x28', '\x34', '\x38', '\x6c', '\x7c'};
  return std::ranges::find(kHeaders, start[14]) != kHeaders.end() &&
         start.substr(15, 3) == std::string_view("\0\0\0", 3);
}

}  // namespace

std::optional<std::string> refused_format(std::span<const std::byte> bytes) {
  const std::string_view start(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  for (const Signature& signature : kSignatures) {
    if (start.size() < signature.offset || !start.substr(signature.offset).starts_with(signature.bytes))
      continue;
    return as_told(signature.what, signature.remedy);
  }
  if (is_bmp(start)) return as_told("a BMP picture", kPictures);
  return is_text(start) ? refused_text(start) : std::nullopt;
}

}  // namespace palisade
