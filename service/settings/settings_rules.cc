#include "service/settings/settings_rules.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <set>

#include "base/format.h"
#include "base/time_zone.h"
#include "service/settings/settings_reader.h"
#include "tasks/rules/rule.h"

namespace palisade {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kMaxRules = 32, kMaxConditions = 8, kMaxWords = 64, kMaxQuietHours = 16;
constexpr int kMaxLast = 100;
constexpr std::array<std::string_view, 7> kDays{"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
// Keys of a condition, which a rule with one alone may have itself.
constexpr std::array<std::string_view, 9> kConditionKeys{"stream", "task",  "answer", "sees", "says",
                                                         "absent", "above", "below",  "of"};

// "2 of 3"; nothing where the text is anything else.
std::optional<std::pair<int, int>> counts_of(std::string_view text) {
  constexpr std::string_view kOf = " of ";
  const std::size_t of = text.find(kOf);
  if (of == std::string_view::npos) return std::nullopt;
  const auto number = [](std::string_view digits) -> std::optional<int> {
    int value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
    return value;
  };
  const auto enough = number(text.substr(0, of)), last = number(text.substr(of + kOf.size()));
  if (!enough || !last || *enough < 1 || *last < *enough || *last > kMaxLast) return std::nullopt;
  return std::pair(*enough, *last);
}

// Minutes of "22:30".
std::optional<int> minute_of(std::string_view text) {
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  if (text.size() != 5 || text[2] != ':' || !digit(text[0]) || !digit(text[1]) || !digit(text[3]) ||
      !digit(text[4]))
    return std::nullopt;
  const int hour = 10 * (text[0] - '0') + text[1] - '0', minute = 10 * (text[3] - '0') + text[4] - '0';
  if (hour > 23 || minute > 59) return std::nullopt;
  return 60 * hour + minute;
}

// Reads the rules of a configuration whose streams are known.
class RuleReader {
 public:
  RuleReader(const Settings& settings, std::vector<Problem>& problems)
      : settings_(settings), problems_(problems) {}

  RuleSettings rule(const YamlNode& node, const std::string& stream);

 private:
  void read_condition(SettingsReader& reader, RuleCondition& condition);
  void check_task(SettingsReader& reader, const RuleCondition& condition);
  std::vector<RuleCondition> conditions(SettingsReader& reader, const std::string& stream, bool& any);
  QuietHours quiet_hours(const YamlNode& node);
  void read_days(SettingsReader& reader, QuietHours& hours);
  std::optional<ReAsk> re_ask(SettingsReader& reader, const std::string& stream);
  void read_words(SettingsReader& reader, RuleSettings& rule);

  const Settings& settings_;
  std::vector<Problem>& problems_;
};

void RuleReader::check_task(SettingsReader& reader, const RuleCondition& condition) {
  const auto stream = std::ranges::find(settings_.streams, condition.stream, &StreamSettings::name);
  if (stream == settings_.streams.end()) {
    reader.problem("stream", format("there is no stream '{}' in this configuration", condition.stream));
    return;
  }
  if (std::ranges::find(stream->tasks, condition.task, &TaskSettings::name) != stream->tasks.end()) return;
  std::vector<std::string> known;
  for (const TaskSettings& task : stream->tasks) known.push_back(task.name);
  const std::string meant = nearest(condition.task, known);
  reader.problem("task", format("stream '{}' has no task '{}'{}", condition.stream, condition.task,
                                meant.empty() ? "" : format("; did you mean '{}'?", meant)));
}

void RuleReader::read_condition(SettingsReader& reader, RuleCondition& condition) {
  reader.read("stream", condition.stream);
  if (!reader.read("task", condition.task) && !reader.has("task"))
    reader.problem("task", "which task's answers? add 'task:' with its name on the stream");
  reader.read("answer", condition.answer);
  reader.read("sees", condition.sees);
  if (const std::vector<YamlNode>* const words = reader.list("says")) {
    for (const YamlNode& word : *words) condition.says.push_back(word.text);
    if (words->empty() || words->size() > kMaxWords ||
        std::ranges::any_of(condition.says, [](const std::string& word) { return word.empty(); }))
      reader.problem("says", format("says is a list of 1 to {} words or phrases", kMaxWords));
  }
  if (reader.has("answer") + reader.has("sees") + reader.has("says") > 1)
    reader.problem("says", "answer, sees and says; give one of them");
  reader.read("absent", condition.absent);
  reader.read_share("above", condition.above);
  condition.below = std::min(condition.below, condition.above);
  reader.read_share("below", condition.below);
  if (condition.below > condition.above)
    reader.problem("below", format("below is at most above, which is {}", condition.above));
  std::string of;
  if (reader.read("of", of)) {
    if (const auto counts = counts_of(of)) {
      std::tie(condition.enough, condition.last) = *counts;
    } else {
      reader.problem("of", format("of is such as '2 of 3', of at most {} answers, not '{}'", kMaxLast, of));
    }
  }
  if (!condition.task.empty()) check_task(reader, condition);
}

std::vector<RuleCondition> RuleReader::conditions(SettingsReader& reader, const std::string& stream,
                                                  bool& any) {
  std::vector<RuleCondition> all;
  any = reader.has("any");
  const std::string list = any ? "any" : "when";
  if (any && reader.has("when"))
    reader.problem(
        "any",
        "when is of conditions that must all hold, any of those of which one is enough; give one of both");
  const std::vector<YamlNode>* const items = reader.list(list);
  if (items == nullptr) {
    if (any) return {RuleCondition{.stream = stream}};
    read_condition(reader, all.emplace_back(RuleCondition{.stream = stream}));
    return all;
  }
  for (const std::string_view key : kConditionKeys) {
    if (reader.has(key)) reader.problem(key, format("{} belongs into the conditions of '{}'", key, list));
  }
  if (items->empty() || items->size() > kMaxConditions)
    reader.problem(list, format("{} is a list of 1 to {} conditions", list, kMaxConditions));
  for (const YamlNode& item : *items) {
    SettingsReader inner(item, "a condition", problems_);
    read_condition(inner, all.emplace_back(RuleCondition{.stream = stream}));
    inner.finish();
  }
  return all;
}

void RuleReader::read_days(SettingsReader& reader, QuietHours& hours) {
  const std::vector<YamlNode>* const days = reader.list("days");
  if (days == nullptr) return;
  hours.days.fill(false);
  for (const YamlNode& day : *days) {
    const auto found = std::ranges::find(kDays, day.text);
    if (found == kDays.end()) {
      reader.problem_at(day, format("a day is sun, mon, tue, wed, thu, fri or sat, not '{}'", day.text));
    } else {
      hours.days[std::size_t(found - kDays.begin())] = true;
    }
  }
}

QuietHours RuleReader::quiet_hours(const YamlNode& node) {
  SettingsReader reader(node, "quiet hours", problems_);
  QuietHours hours;
  for (const auto& [key, minute] :
       {std::pair("from", &hours.from_minute), std::pair("to", &hours.to_minute)}) {
    std::string text;
    if (!reader.read(key, text) && !reader.has(key))
      reader.problem(key, format("quiet hours without '{}'", key));
    if (const auto read = minute_of(text)) {
      *minute = *read;
    } else if (!text.empty()) {
      reader.problem(key, format("{} is a time of day such as '22:30', in quotes", key));
    }
  }
  if (reader.read("zone", hours.zone) && !is_time_zone(hours.zone))
    reader.problem("zone", format("there is no time zone '{}'; names are such as Europe/Berlin", hours.zone));
  read_days(reader, hours);
  reader.finish();
  return hours;
}

std::optional<ReAsk> RuleReader::re_ask(SettingsReader& reader, const std::string& stream) {
  const YamlNode* const node = reader.find("re_ask");
  if (node == nullptr) return std::nullopt;
  SettingsReader inner(*node, "re_ask", problems_);
  ReAsk asked{.condition = {.stream = stream}};
  read_condition(inner, asked.condition);
  inner.read("within", asked.within, milliseconds(100));
  inner.read("wait", asked.waits);
  inner.finish();
  return asked;
}

void RuleReader::read_words(SettingsReader& reader, RuleSettings& rule) {
  if (reader.read("severity", rule.severity) && rule.severity != "info" && rule.severity != "warning" &&
      rule.severity != "critical")
    reader.problem("severity", format("severity is info, warning or critical, not '{}'", rule.severity));
  rule.text = "{rule} on {stream}: {text}";
  reader.read("text", rule.text);
  if (!alert_text(rule.text, rule, "", "", 0, WallTime()))
    reader.problem("text",
                   "text may hold {stream}, {rule}, {task}, {text}, {p} and {time}, and no other braces");
}

RuleSettings RuleReader::rule(const YamlNode& node, const std::string& stream) {
  SettingsReader reader(node, "a rule", problems_);
  RuleSettings rule{.stream = stream};
  if (!reader.read("name", rule.name) && !reader.has("name")) {
    reader.problem("name", "a rule without name; it ends the topic of its alerts");
  } else if (!is_name(rule.name)) {
    reader.problem("name", format("a rule's name is 1 to 64 of a-z, 0-9, _ and -, not '{}'", rule.name));
  }
  rule.when = conditions(reader, stream, rule.any);
  reader.read("hold", rule.hold, milliseconds(0));
  reader.read("fresh", rule.fresh, milliseconds(100));
  reader.read("cooldown", rule.cooldown, milliseconds(0));
  reader.read("update_every", rule.update_every, milliseconds(100));
  if (const std::vector<YamlNode>* const quiet = reader.list("quiet")) {
    for (const YamlNode& item : *quiet) rule.quiet.push_back(quiet_hours(item));
    if (quiet->size() > kMaxQuietHours)
      reader.problem("quiet", format("quiet is a list of at most {}", kMaxQuietHours));
  }
  rule.re_ask = re_ask(reader, stream);
  read_words(reader, rule);
  reader.finish();
  return rule;
}

void keep_exact(Settings& settings, const RuleCondition& condition) {
  if (!settings.journal.on || settings.journal.frames == FrameStorage::kOff) return;
  for (StreamSettings& stream : settings.streams) {
    for (TaskSettings& task : stream.tasks) {
      if (stream.name == condition.stream && task.name == condition.task && !task.keep_frames)
        task.keep_frames = FrameStorage::kExact;
    }
  }
}

}  // namespace

void read_rules(const std::vector<YamlNode>& nodes, Settings& settings, std::vector<Problem>& problems) {
  RuleReader rules(settings, problems);
  for (std::size_t i = 0; i < nodes.size() && i < settings.streams.size(); ++i) {
    const auto entry = std::ranges::find(nodes[i].entries, "rules", &YamlNode::Entry::key);
    if (entry == nodes[i].entries.end()) continue;
    if (entry->value.kind != YamlNode::Kind::kList || entry->value.items.empty() ||
        entry->value.items.size() > kMaxRules) {
      problems.push_back({entry->value.place, format("rules is a list of 1 to {}", kMaxRules)});
      continue;
    }
    std::set<std::string> names;
    for (const YamlNode& item : entry->value.items) {
      RuleSettings rule = rules.rule(item, settings.streams[i].name);
      if (!rule.name.empty() && !names.insert(rule.name).second)
        problems.push_back({item.place, format("a second rule '{}' on this stream", rule.name)});
      settings.rules.push_back(std::move(rule));
    }
  }
  for (const RuleSettings& rule : settings.rules) {
    for (const RuleCondition& condition : rule.when) keep_exact(settings, condition);
    if (rule.re_ask) keep_exact(settings, rule.re_ask->condition);
  }
}

}  // namespace palisade
