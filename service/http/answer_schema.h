#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "tasks/answer_type.h"

namespace palisade {

// A field of an answer in the form of a JSON schema, and how PaliGemma is asked it.
struct SchemaField {
  enum class Kind {
    kChoice,     // one of `values`: enums, true and false, small ranges
    kText,       // any text
    kTexts,      // a text of each picture
    kCertainty,  // 0 to 1: how sure the other fields are
    kConstant    // the only one of `values`, which is not asked
  };

  std::vector<std::string> path;  // names, from the whole answer: {"car", "colour"}
  Kind kind = Kind::kConstant;
  std::string prompt;        // whole; empty where nothing is asked
  AnswerType type = {};      // of a choice
  std::vector<Json> values;  // what each text of a choice stands for, in the type's order
  std::size_t most = 0;      // texts

  std::string name() const;  // "car.colour"
};

// The fields of an answer. PaliGemma writes no JSON: each field is a question of its own.
struct AnswerSchema {
  static constexpr std::size_t kMaxFields = 8, kMaxPictures = 4;

  std::vector<SchemaField> fields;   // 1 to kMaxFields
  std::vector<std::string> ignored;  // rules that are not kept to: "response_format.title.maxLength"
};

// Reads the `response_format` of a chat: {"type": "json_schema", "json_schema": {"schema": {...}}}. Throws
// UsageError for a schema that cannot be filled: it says which field, and why.
AnswerSchema answer_schema_of(const Json& response_format);

}  // namespace palisade
