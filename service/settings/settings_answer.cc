#include "service/settings/settings_answer.h"

#include "base/format.h"

namespace palisade {
namespace {

// "type: yes_no", "type: count:12", "type: choice:red,blue", "type: {choice: [red, blue]}".
AnswerType type_in(SettingsReader& reader, const YamlNode& node, std::vector<Problem>& problems) {
  AnswerType type;
  if (node.kind == YamlNode::Kind::kMap) {
    SettingsReader inner(node, "type", problems);
    type.kind = AnswerType::Kind::kChoice;
    const std::vector<YamlNode>* const choices = inner.list("choice");
    if (choices == nullptr) inner.problem("choice", "type as a map is {choice: [red, blue]}");
    for (const YamlNode& choice : choices ? *choices : std::vector<YamlNode>()) {
      if (choice.kind != YamlNode::Kind::kScalar) inner.problem_at(choice, "a choice is a text");
      type.choices.push_back(choice.text);
    }
    inner.finish();
    if (choices == nullptr) return {};
  } else if (const auto known = answer_type_of(node.text); known && node.kind == YamlNode::Kind::kScalar) {
    type = *known;
  } else {
    reader.problem("type", format("type is {}, not '{}'", kAnswerTypes, node.text));
    return {};
  }
  if (const auto fault = fault_of(type)) reader.problem("type", *fault);
  return type;
}

void read_type(SettingsReader& reader, TaskSettings& settings, std::vector<Problem>& problems) {
  const YamlNode* const node = reader.find("type");
  if (node == nullptr) return;
  if (settings.task->text_key != "question")
    return reader.problem("type",
                          format("type is of a question, which a {} is not; remove it", settings.task->name));
  settings.answer_type = type_in(reader, *node, problems);
}

// How long an answer may be, and how its boxes are read.
void read_reading(SettingsReader& reader, TaskSettings& settings) {
  int longest = settings.task->max_new_tokens;
  if (reader.read("max_new_tokens", longest, 1, 512)) settings.max_new_tokens = longest;
  int last = kLastLocation;
  if (reader.read("locations", last, 1, 1 << 20) && last != kLastLocation && last != kLastLocation + 1) {
    reader.problem("locations", "locations is 1023, or 1024 for a model trained to divide by that");
    last = kLastLocation;
  }
  settings.locations.last = last;
  reader.read("spread", settings.location_spread);
  if (wording_fault(*settings.task, settings.wording)) return;
  const std::string prompt = settings.task->prompt(settings.wording);
  const bool has_boxes = task_of_prompt(prompt) == "detect" || task_of_prompt(prompt) == "segment";
  for (const char* const key : {"locations", "spread"}) {
    if (reader.has(key) && !has_boxes)
      reader.problem(key, format("{} is of boxes, which only detect and segment have; remove it", key));
  }
}

}  // namespace

void read_answer(SettingsReader& reader, TaskSettings& settings, std::vector<Problem>& problems) {
  read_type(reader, settings, problems);
  read_reading(reader, settings);
}

}  // namespace palisade
