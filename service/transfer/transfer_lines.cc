#include "service/transfer/transfer_lines.h"

#include <fstream>

#include "model/json.h"
#include "service/settings.h"
#include "tasks/prompt.h"

namespace palisade {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostLineBytes = 1u << 20;

std::string text_at(const Json& json, const char* key, const std::string& place) {
  const auto found = json.find(key);
  if (found == json.end() || !found->is_string())
    throw ModelError(place + ": \"" + key + "\" is missing or no text");
  return found->get<std::string>();
}

fs::path existing(const Json& name, const TransferLine& line) {
  if (!name.is_string() || name.get<std::string>().empty())
    throw ModelError(line.place() + ": a picture's name is no text");
  fs::path path = line.file.parent_path() / name.get<std::string>();
  std::error_code error;
  if (!fs::is_regular_file(path, error))
    throw ModelError(line.place() + ": " + path.string() + ": no such file");
  return path;
}

void read_pictures(const Json& json, TransferLine& line) {
  const auto given = [&](const char* key) { return json.contains(key) && !json.at(key).is_null(); };
  if (int(given("image")) + int(given("images")) + int(given("video")) != 1)
    throw ModelError(line.place() + ": needs one of \"image\", \"images\" and \"video\"");
  if (given("video")) {
    line.video = existing(json.at("video"), line);
  } else if (given("image")) {
    line.pictures.push_back(existing(json.at("image"), line));
  } else {
    const Json& images = json.at("images");
    if (!images.is_array() || images.empty())
      throw ModelError(line.place() + ": \"images\" is no list of file names");
    for (const Json& name : images) line.pictures.push_back(existing(name, line));
  }
}

std::string checked(const std::string& key, PlainText text, const TransferLine& line) {
  if (!text.fault.empty()) throw ModelError(line.place() + ": the " + key + " " + text.fault);
  return std::move(text.text);
}

void parse(TransferLine& line) {
  if (line.text.size() > kMostLineBytes) throw ModelError(line.place() + ": longer than 1 MiB");
  const Json json = parse_json(line.text, line.place());
  if (!json.is_object()) throw ModelError(line.place() + ": no JSON object");
  line.suffix = checked("suffix", plain_text(text_at(json, "suffix", line.place())), line);
  read_pictures(json, line);
  line.prefix = checked("prefix", whole_prompt(text_at(json, "prefix", line.place())), line);
}

}  // namespace

std::vector<TransferLine> read_transfer_lines(const fs::path& file, LineProblems& problems) {
  std::ifstream stream(file, std::ios::binary);
  std::error_code error;
  if (!stream || fs::is_directory(file, error)) throw SettingsError({file.string() + ": cannot be opened"});
  std::vector<TransferLine> lines;
  std::string text;
  int number = 0;
  while (problems.size() < kMostLineProblems && std::getline(stream, text)) {
    ++number;
    if (text.find_first_not_of(" \t\r") == std::string::npos) continue;
    TransferLine line{.file = file, .number = number, .text = std::move(text)};
    try {
      parse(line);
      lines.push_back(std::move(line));
    } catch (const ModelError& problem) {
      problems[number] = problem.what();
    }
  }
  if (problems.empty() && lines.empty()) problems[0] = file.string() + ": holds no example";
  return lines;
}

void require_none(const LineProblems& problems) {
  std::vector<std::string> told;
  for (const auto& [line, problem] : problems) told.push_back(problem);
  if (told.size() >= kMostLineProblems) told.push_back("and perhaps more; reading ended here");
  if (!told.empty()) throw SettingsError(told);
}

}  // namespace palisade
