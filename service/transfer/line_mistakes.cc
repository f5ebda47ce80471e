#include "service/transfer/line_mistakes.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/utf8.h"

namespace palisade {
namespace {

constexpr std::string_view kWhite = " \t\r\n";
constexpr auto kNowhere = std::string_view::npos;

// Kinds of files by their first bytes.
constexpr std::pair<std::string_view, std::string_view> kBeginnings[] = {
    {"\x1f\x8b", "is compressed (gzip): unpack it with gunzip"},
    {"\x28\xb5\x2f\xfd", "is compressed (Zstandard): unpack it with unzstd"},
    {"\xfd"
     "7zXZ",
     "is compressed (xz): unpack it with unxz"},
    {"BZh", "is compressed (bzip2): unpack it with bunzip2"},
    {"PK\x03\x04", "is a ZIP archive or a spreadsheet: unpack it, or export JSON lines"},
    {"PAR1", "is a Parquet file: export it as JSON lines"},
    {"ARROW1", "is an Arrow file: export it as JSON lines"},
    {"SQLite format 3", "is a database: export its rows as JSON lines"},
    {"version https://git-lfs", "is a Git LFS pointer and not the file itself: fetch it with git lfs pull"},
    {"\x89PNG", "is a picture: name the file of examples"},
    {"\xff\xd8\xff", "is a picture: name the file of examples"},
    {"%PDF", "is a PDF: name the file of examples"},
    {"<", "is XML or a web page: name the file of examples"},
};

std::string_view without_mark(std::string_view text) {
  return text.starts_with("\xef\xbb\xbf") ? text.substr(3) : text;
}

std::string_view without_space(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kWhite);
  return first == kNowhere ? std::string_view()
                           : text.substr(first, text.find_last_not_of(kWhite) - first + 1);
}

std::string wide_text(std::string_view start) {
  constexpr std::string_view kLittle32("\xff\xfe\0\0", 4), kBig32("\0\0\xfe\xff", 4);
  const auto is = [](const char* encoding) { return "is " + std::string(encoding) + ": save it as UTF-8"; };
  if (start.starts_with(kLittle32) || start.starts_with(kBig32)) return is("UTF-32");
  if (start.starts_with("\xff\xfe")) return is("UTF-16 (little endian)");
  if (start.starts_with("\xfe\xff")) return is("UTF-16 (big endian)");
  if (start.find('\0') == kNowhere) return {};
  std::array<std::size_t, 4> zeros{};  // zero bytes by position modulo 4, which tells UTF-16 and UTF-32
  const std::string_view some = start.substr(0, start.size() / 4 * 4);
  for (std::size_t i = 0; i < some.size(); ++i) zeros[i % 4] += some[i] == '\0';
  const std::size_t most = some.size() / 4;
  const auto full = [&](std::size_t place) { return most > 0 && zeros[place] * 10 >= most * 8; };
  const auto few = [&](std::size_t place) { return zeros[place] * 10 <= most * 2; };
  if ((full(0) && full(1) && few(3)) || (full(2) && full(3) && few(0))) return is("UTF-32");
  if (full(1) && full(3) && few(0)) return is("UTF-16 (little endian)");
  if (full(0) && full(2) && few(1)) return is("UTF-16 (big endian)");
  return "holds zero bytes, so it is no text: name the file of examples";
}

// The parts of a line outside quoted text.
struct Outline {
  std::string outside;  // without what is quoted
  int depth = 0;        // brackets left open
  bool in_quotes = false;
};

Outline outline_of(std::string_view line) {
  Outline outline;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (outline.in_quotes) {
      if (c == '\\') ++i;
      outline.in_quotes = c != '"';
      continue;
    }
    outline.in_quotes = c == '"';
    outline.depth += (c == '{' || c == '[') - (c == '}' || c == ']');
    if (c != ' ' && c != '\t' && c != '\r') outline.outside += c;
  }
  return outline;
}

bool holds(std::string_view text, std::initializer_list<std::string_view> parts) {
  return std::ranges::any_of(parts, [&](std::string_view part) { return text.find(part) != kNowhere; });
}

constexpr char kOneLine[] = "write each example on one line (jq -c . FILE does so)";

}  // namespace

std::string file_mistake(std::string_view start) {
  if (start.empty()) return "is empty: give at least one example";
  for (const auto& [beginning, mistake] : kBeginnings) {
    if (without_mark(start).starts_with(beginning)) return std::string(mistake);
  }
  if (std::string wide = wide_text(start); !wide.empty()) return wide;
  const std::string_view text = without_space(without_mark(start));
  if (text.starts_with('['))
    return "is one JSON array: write each of its examples on a line of its own (jq -c '.[]' FILE does so)";
  if (text.find('\n') == kNowhere && text.find('\r') != kNowhere && text.starts_with('{'))
    return "ends its lines with a carriage return alone: save it with line feeds";
  const std::string_view first = text.substr(0, text.find_first_of("\r\n"));
  if (first.empty() || first.starts_with('{') || first.find('{') != kNowhere) return {};
  const char* const table = first.find('\t') != kNowhere  ? "tabs (TSV)"
                            : first.find(',') != kNowhere ? "commas (CSV)"
                            : first.find(';') != kNowhere ? "semicolons (CSV)"
                                                          : nullptr;
  if (table)
    return "is a table with " + std::string(table) + ": write each row as a JSON object on a line of its own";
  return {};
}

std::string line_mistake(std::string_view line, bool last) {
  if (!valid_utf8(line)) return "is not UTF-8: save the file as UTF-8";
  const std::string_view text = without_space(line);
  const Outline outline = outline_of(text);
  if (text.starts_with("{'") || holds(outline.outside, {"{'", ":'", ",'"}))
    return "has single quotes, as Python prints: JSON has double ones (json.dumps writes them)";
  if (holds(text, {"\xe2\x80\x9c", "\xe2\x80\x9d"}) &&
      holds(outline.outside, {"\xe2\x80\x9c", "\xe2\x80\x9d"}))
    return "has typographic quotes: JSON has plain ones (\")";
  if (outline.depth == 0 && outline.outside.ends_with(","))
    return "has a comma after the object, as in an array: leave it out";
  if (holds(outline.outside, {",}", ",]"})) return "has a comma before a closing bracket: leave it out";
  if (holds(outline.outside, {"}{"}) || holds(outline.outside, {"},{"}))
    return "holds more than one object: write each on a line of its own";
  if (holds(outline.outside, {":True", ":False", ":None", ":NaN"}))
    return "has Python's True, False, None or NaN: JSON writes true, false and null";
  if (holds(outline.outside, {"//", "/*", "#"})) return "holds a comment, which JSON has not: leave it out";
  const bool open = outline.depth > 0 || outline.in_quotes;
  if (open && last) return "is cut off before its end: was the file written whole?";
  if (open) return "does not end on its line, as in pretty-printed JSON: " + std::string(kOneLine);
  if (!text.starts_with('{')) return "is no JSON object ({...}): " + std::string(kOneLine);
  return {};
}

}  // namespace palisade
