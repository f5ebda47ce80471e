#include "service/transfer/transfer_lines.h"

#include "base/format.h"
#include "service/settings/settings.h"
#include "service/settings/settings_reader.h"
#include "service/transfer/line_mistakes.h"
#include "service/transfer/mixture.h"
#include "tasks/prompt.h"

namespace palisade {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxLineBytes = 1u << 20;
constexpr std::size_t kJudgedStart = 4096;
constexpr std::size_t kMaxKept = 100;

// ", did you mean ..." for a key that may stand for the missing one.
std::string meant(const Json& json, const std::string& key) {
  std::vector<std::string> others;
  for (const auto& [other, value] : json.items()) others.push_back(other);
  const std::string near = nearest(key, others);
  return near.empty() ? "" : "; is it \"" + near + "\"?";
}

std::string text_at(const Json& json, const char* key, const std::string& place) {
  const auto found = json.find(key);
  if (found == json.end()) throw Error(place + ": \"" + key + "\" is missing" + meant(json, key));
  if (!found->is_string())
    throw Error(place + ": \"" + key + "\" is " + found->type_name() + ", not text: put it in quotes");
  return found->get<std::string>();
}

fs::path existing(const Json& name, const TransferLine& line, bool missing_allowed) {
  const std::string text = name.is_string() ? name.get<std::string>() : "";
  if (text.empty() || text.find('\0') != std::string::npos)
    throw Error(line.place() + ": a picture's name is no text");
  const fs::path path = line.file.parent_path() / text;
  if (missing_allowed) return path;
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (fs::is_regular_file(status)) return path;
  const std::string why = fs::is_directory(status)         ? "is a folder; name a file in it"
                          : fs::exists(status)             ? "is no file"
                          : text.find("://") < text.size() ? "is an address; download it and name the file"
                          : status.type() == fs::file_type::not_found
                              ? "no such file"
                              : "cannot be reached: " + error.message();
  throw Error(line.place() + ": " + path.string() + ": " + why);
}

void read_pictures(const Json& json, TransferLine& line, bool missing_allowed) {
  const auto given = [&](const char* key) { return json.contains(key) && !json.at(key).is_null(); };
  if (int(given("image")) + int(given("images")) + int(given("video")) != 1)
    throw Error(line.place() + ": needs one of \"image\", \"images\" and \"video\"");
  if (given("video")) {
    line.video = existing(json.at("video"), line, missing_allowed);
  } else if (given("image")) {
    line.pictures.push_back(existing(json.at("image"), line, missing_allowed));
  } else {
    const Json& images = json.at("images");
    if (!images.is_array() || images.empty())
      throw Error(line.place() + ": \"images\" is no list of file names");
    for (const Json& name : images) line.pictures.push_back(existing(name, line, missing_allowed));
  }
}

std::string checked(const std::string& key, PlainText text, const TransferLine& line) {
  if (!text.fault.empty()) throw Error(line.place() + ": the " + key + " " + text.fault);
  return std::move(text.text);
}

// By the form of the line's part, if it has one.
std::string prompt_by_form(const Json& json, std::string_view form, const std::string& place) {
  if (!form.empty() && !asks_for_prefix(form)) return std::string(form);
  const std::string prefix = text_at(json, "prefix", place);
  return form.empty() ? prefix : formed_prefix(form, prefix);
}

bool is_categories_alone(const Json& json) {
  if (!json.contains("categories") || json.contains("id")) return false;
  return !json.contains("image") && !json.contains("images") && !json.contains("video");
}

// False where the line holds no example.
bool parse(TransferLine& line, bool last, const LineReading& reading) {
  Json json;
  try {
    json = parse_json(line.text, line.place());
  } catch (const Error&) {
    const std::string mistake = line_mistake(line.text, last);
    if (!mistake.empty()) throw Error(line.place() + ": " + mistake);
    throw;
  }
  if (!json.is_object()) throw Error(line.place() + ": is no JSON object ({...})");
  if (reading.categories && is_categories_alone(json)) {
    reading.categories(json);
    return false;
  }
  if (reading.suffix == SuffixRule::kNeeded || json.contains("suffix"))
    line.suffix = checked("suffix", plain_text(text_at(json, "suffix", line.place())), line);
  read_pictures(json, line, reading.missing_allowed);
  line.prefix = checked("prefix", whole_prompt(prompt_by_form(json, reading.form, line.place())), line);
  return true;
}

// The file, where it may be one of JSON lines.
const fs::path& checked_file(const fs::path& file) {
  InputFile whole(file);
  std::string start(kJudgedStart, '\0');
  start.resize(whole.read(start));
  const std::string mistake = file_mistake(start);
  if (!mistake.empty()) throw SettingsError({file.string() + ":1: " + mistake});
  return file;
}

bool next_line(LineReader& reader, std::string& text, LineProblems& problems) {
  try {
    return reader.next(text);
  } catch (const LineTooLong& problem) {
    problems.add(reader.number() + 1, problem.what());
    return false;
  }
}

bool goes_on(const std::string& text) {
  const std::string mistake = line_mistake(text, false);
  return mistake.starts_with("does not end on its line");
}

}  // namespace

void LineProblems::add(int line, std::string problem) {
  ++count_;
  if (kept_.size() < kMaxKept) kept_.try_emplace(line, std::move(problem));
}

TransferLineReader::TransferLineReader(fs::path file, LineProblems& problems, LineReading reading)
    : file_(std::move(file)),
      problems_(problems),
      reading_(std::move(reading)),
      reader_(checked_file(file_), kMaxLineBytes) {}

bool TransferLineReader::next(TransferLine& line) {
  std::string text;
  while (next_line(reader_, text, problems_)) {
    if (reader_.number() == 1 && text.starts_with("\xef\xbb\xbf")) text.erase(0, 3);
    const std::size_t first = text.find_first_not_of(" \t\r");
    if (first == std::string::npos) continue;
    // Skips the rest of an object that is spread over several lines.
    if (went_on_ && text[first] != '{') return false;
    went_on_ = false;
    line = {.file = file_, .number = reader_.number(), .text = text};
    try {
      if (parse(line, reader_.ended_open(), reading_)) return true;
    } catch (const Error& problem) {
      problems_.add(reader_.number(), problem.what());
      went_on_ = goes_on(text);
    }
  }
  return false;
}

std::vector<TransferLine> read_transfer_lines(const fs::path& file, LineProblems& problems,
                                              const LineReading& how) {
  TransferLineReader reader(file, problems, how);
  std::vector<TransferLine> lines;
  for (TransferLine line; reader.next(line);) lines.push_back(std::move(line));
  if (problems.empty() && lines.empty()) problems.add(0, file.string() + ": holds no example");
  return lines;
}

void require_none(const LineProblems& problems) {
  std::vector<std::string> told;
  for (const auto& [line, problem] : problems.kept()) told.push_back(problem);
  if (problems.size() > told.size())
    told.push_back(format("and {} more problems", problems.size() - told.size()));
  if (!told.empty()) throw SettingsError(told);
}

}  // namespace palisade
