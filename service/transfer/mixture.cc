#include "service/transfer/mixture.h"

#include <algorithm>

#include "service/settings/settings.h"
#include "service/settings/settings_reader.h"

namespace palisade {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPlaceholder = "{}";
constexpr double kMostWeight = 1e9, kLeastWeight = 1e-9;
constexpr std::size_t kMostParts = 1000;

MixturePart read_part(const YamlNode& node, const fs::path& folder, std::vector<Problem>& problems) {
  MixturePart part;
  SettingsReader reader(node, "a part of a mixture", problems);
  const auto read_path = [&](const char* key, fs::path& into) {
    std::string text;
    if (reader.read(key, text) && !text.empty()) into = folder / text;
  };
  read_path("data", part.data);
  read_path("evaluation", part.evaluation);
  reader.read("name", part.name);
  if (part.data.empty()) reader.problem("data", "data: name the part's JSONL file of examples");
  if (part.name.empty()) part.name = part.data.stem().string();
  reader.read("weight", part.weight, 0, kMostWeight);
  if (part.weight < kLeastWeight)
    reader.problem("weight", "weight is 0, so that no example would be drawn; leave the part out");
  reader.read("prefix", part.prefix);
  const std::size_t first = part.prefix.find(kPlaceholder);
  if (first != std::string::npos && part.prefix.find(kPlaceholder, first + 1) != std::string::npos)
    reader.problem("prefix", "prefix has {} more than once; a line has one prefix");
  reader.finish();
  return part;
}

void read_parts(const YamlNode& root, const fs::path& folder, std::vector<MixturePart>& parts,
                std::vector<Problem>& problems) {
  SettingsReader reader(root, "a mixture", problems);
  const std::vector<YamlNode>* const list = reader.list("parts");
  for (const YamlNode& node : list == nullptr ? std::vector<YamlNode>() : *list) {
    MixturePart part = read_part(node, folder, problems);
    if (std::ranges::find(parts, part.name, &MixturePart::name) != parts.end())
      problems.push_back({node.place, "two parts are called '" + part.name + "'; give this one a name"});
    parts.push_back(std::move(part));
  }
  if (parts.empty()) reader.problem("parts", "parts: list at least one {data: FILE, weight: NUMBER}");
  if (parts.size() > kMostParts) reader.problem("parts", "parts has more than 1000; put some into one file");
  reader.finish();
}

}  // namespace

std::vector<MixturePart> read_mixture(std::string_view text, const fs::path& file) {
  std::vector<MixturePart> parts;
  std::vector<Problem> problems;
  const YamlNode root = read_yaml(text, problems);
  if (problems.empty()) read_parts(root, file.parent_path(), parts, problems);
  if (!problems.empty()) throw SettingsError(problem_lines(std::move(problems), file.string()));
  return parts;
}

bool asks_for_prefix(std::string_view form) {
  return form.find(kPlaceholder) != std::string_view::npos;
}

std::string formed_prefix(std::string_view form, std::string_view prefix) {
  std::string formed(form);
  const std::size_t at = formed.find(kPlaceholder);
  if (at != std::string::npos) formed.replace(at, kPlaceholder.size(), prefix);
  return formed;
}

}  // namespace palisade
