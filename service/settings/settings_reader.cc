#include "service/settings/settings_reader.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <numeric>

#include "base/duration.h"
#include "base/format.h"
#include "base/joined.h"
#include "base/log.h"

namespace palisade {
namespace {

// Number of one-letter changes from one word to the other.
std::size_t edit_distance(std::string_view from, std::string_view to) {
  std::vector<std::size_t> row(to.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= from.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= to.size(); ++j) {
      const std::size_t replaced = diagonal + (from[i - 1] == to[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row.back();
}

// A value in quotes, shortened for a message.
std::string in_quotes(std::string_view text) {
  // Redacted before it is shortened: in half a URL the end of a password cannot be found.
  const std::string shown = redacted(text);
  return "'" + shown.substr(0, 40) + (shown.size() > 40 ? "...'" : "'");
}

}  // namespace

std::string nearest(std::string_view word, const std::vector<std::string>& known) {
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(2, word.size() / 3) + 1;
  if (word.size() > 64) return best;
  for (const std::string& candidate : known) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < best_distance && distance < candidate.size()) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

SettingsReader::SettingsReader(const YamlNode& node, std::string what, std::vector<Problem>& problems)
    : node_(node), what_(std::move(what)), problems_(problems) {
  if (node.kind == YamlNode::Kind::kMap) return;
  problems_.push_back(
      {node.place, what_ + " is a map of keys and values, not " + std::string(name_of(node.kind))});
}

const YamlNode::Entry* SettingsReader::entry(std::string_view key) const {
  const auto found = std::ranges::find(node_.entries, key, &YamlNode::Entry::key);
  return found == node_.entries.end() ? nullptr : &*found;
}

const YamlNode* SettingsReader::find(std::string_view key) {
  known_.emplace_back(key);
  const YamlNode::Entry* const found = entry(key);
  return found ? &found->value : nullptr;
}

bool SettingsReader::has(std::string_view key) const {
  return entry(key) != nullptr;
}

void SettingsReader::problem(std::string_view key, std::string text) {
  const YamlNode::Entry* const found = entry(key);
  problems_.push_back({found ? found->value.place : node_.place, std::move(text)});
}

const YamlNode* SettingsReader::scalar(std::string_view key, std::string_view expected) {
  const YamlNode* const value = find(key);
  if (value == nullptr) return nullptr;
  if (value->kind == YamlNode::Kind::kScalar) return value;
  problem(key,
          std::string(key) + " is " + std::string(expected) + ", not " + std::string(name_of(value->kind)));
  return nullptr;
}

bool SettingsReader::read(std::string_view key, std::string& into) {
  const YamlNode* const value = scalar(key, "text");
  if (value == nullptr) return false;
  into = value->text;
  return true;
}

bool SettingsReader::read(std::string_view key, bool& into) {
  const YamlNode* const value = scalar(key, "true or false");
  if (value == nullptr) return false;
  if (value->quoted || (value->text != "true" && value->text != "false")) {
    problem(key, std::string(key) + " is true or false, without quotes, not " + in_quotes(value->text));
    return false;
  }
  into = value->text == "true";
  return true;
}

bool SettingsReader::read(std::string_view key, int& into, int least, int most) {
  const std::string expected = format("a whole number from {} to {}", least, most);
  const YamlNode* const value = scalar(key, expected);
  if (value == nullptr) return false;
  const std::string& text = value->text;
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  // 010 is refused, because some YAML readers take it for eight.
  const bool padded = text.size() > 1 && text.front() == '0';
  if (value->quoted || padded || error != std::errc() || end != text.data() + text.size() || number < least ||
      number > most) {
    problem(key, std::string(key) + " is " + expected + ", not " + in_quotes(text));
    return false;
  }
  into = number;
  return true;
}

bool SettingsReader::read(std::string_view key, double& into, double least, double most) {
  const auto shown = [](double number) {
    std::array<char, 32> text{};
    return std::string(text.data(), std::to_chars(text.data(), text.data() + text.size(), number).ptr);
  };
  const std::string expected = "a number from " + shown(least) + " to " + shown(most);
  const YamlNode* const value = scalar(key, expected);
  if (value == nullptr) return false;
  double number = 0;
  const char* const last = value->text.data() + value->text.size();
  const auto [end, error] = std::from_chars(value->text.data(), last, number);
  if (value->quoted || error != std::errc() || end != last || !(number >= least && number <= most)) {
    problem(key, std::string(key) + " is " + expected + ", not " + in_quotes(value->text));
    return false;
  }
  into = number;
  return true;
}

bool SettingsReader::read(std::string_view key, std::chrono::milliseconds& into,
                          std::chrono::milliseconds least) {
  const YamlNode* const value = scalar(key, "a duration such as 500ms, 4s or 2m");
  if (value == nullptr) return false;
  const auto duration = duration_of(value->text);
  if (!duration) {
    problem(key, std::string(key) + " is a duration such as 500ms, 4s or 2m, at most 24h, not " +
                     in_quotes(value->text));
    return false;
  }
  if (*duration < least) {
    problem(key,
            std::string(key) + " is at least " + duration_text(least) + ", not " + in_quotes(value->text));
    return false;
  }
  into = *duration;
  return true;
}

std::optional<double> share_of(const YamlNode& node) {
  double number = -1;
  const char* const end = node.text.data() + node.text.size();
  const auto [read_to, error] = std::from_chars(node.text.data(), end, number, std::chars_format::fixed);
  const bool good = node.kind == YamlNode::Kind::kScalar && !node.quoted && error == std::errc() &&
                    read_to == end && number >= 0 && number <= 1;
  return good ? std::optional(number) : std::nullopt;
}

bool SettingsReader::read_share(std::string_view key, double& into) {
  const std::string expected = "a number from 0 to 1";
  const YamlNode* const value = scalar(key, expected);
  if (value == nullptr) return false;
  const auto number = share_of(*value);
  if (!number) {
    problem(key, std::string(key) + " is " + expected + ", not " + in_quotes(value->text));
    return false;
  }
  into = *number;
  return true;
}

std::vector<const YamlNode*> SettingsReader::texts(std::string_view key) {
  std::vector<const YamlNode*> texts;
  const std::vector<YamlNode>* const items = list(key);
  if (items == nullptr) return texts;
  for (const YamlNode& item : *items) {
    if (item.kind == YamlNode::Kind::kScalar) {
      texts.push_back(&item);
    } else {
      problem_at(item, format("{} lists text, not {}", key, name_of(item.kind)));
    }
  }
  return texts;
}

std::vector<std::string> SettingsReader::names(std::string_view key,
                                               const std::vector<std::string_view>& known) {
  std::vector<std::string> names;
  for (const YamlNode* const item : texts(key)) {
    if (std::ranges::find(known, item->text) != known.end()) {
      names.push_back(item->text);
    } else {
      problem_at(*item, format("{} are of {}, not '{}'", key, joined(known, ", "), item->text));
    }
  }
  return names;
}

const std::vector<YamlNode>* SettingsReader::list(std::string_view key) {
  const YamlNode* const value = find(key);
  if (value == nullptr) return nullptr;
  if (value->kind == YamlNode::Kind::kList) return &value->items;
  problem(key, std::string(key) + " is a list (lines that begin with '-'), not " +
                   std::string(name_of(value->kind)));
  return nullptr;
}

void SettingsReader::finish() {
  for (const YamlNode::Entry& entry : node_.entries) {
    if (std::ranges::find(known_, entry.key) != known_.end()) continue;
    const std::string near = nearest(entry.key, known_);
    problems_.push_back(
        {entry.place, "unknown key " + in_quotes(entry.key) + " in " + what_ + "; " +
                          (near.empty() ? "known are " + joined(known_) : "did you mean " + near + "?")});
  }
}

}  // namespace palisade
