#include "service/http/answer_schema.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/format.h"
#include "tasks/prompt.h"

namespace palisade {
namespace {

using Kind = SchemaField::Kind;

constexpr int kMaxObjects = 4, kMaxReferences = 8;
constexpr const char* kLanguage = "en";

// Rules about a value that a constrained choice or a short answer cannot keep to.
constexpr const char* kNotForced[] = {"minLength", "maxLength",   "pattern",    "format",
                                      "minItems",  "uniqueItems", "multipleOf", "contentEncoding"};
// What would take a model that writes JSON.
constexpr const char* kCannot[] = {"not",         "if",       "oneOf",      "patternProperties",
                                   "prefixItems", "contains", "$dynamicRef"};

// "shortSummary" and "short_summary" become "short summary".
std::string words_of(const std::string& name) {
  std::string words;
  for (const char c : name) {
    const bool is_upper = c >= 'A' && c <= 'Z';
    if (is_upper && !words.empty() && words.back() != ' ') words += ' ';
    words += c == '_' || c == '-' ? ' ' : is_upper ? char(c - 'A' + 'a') : c;
  }
  return words;
}

class SchemaReader {
 public:
  SchemaReader(const Json& root, AnswerSchema& answer) : root_(root), answer_(answer) {}

  void read_object(const Json& written, const std::vector<std::string>& path) {
    const Json& schema = resolved(written, path);
    if (path.size() >= kMaxObjects) refuse(path, format("objects are at most {} deep", kMaxObjects));
    const Json properties = schema.value("properties", Json());
    if (!properties.is_object() || properties.empty())
      refuse(path, "an object needs properties, each of them a field");
    for (const auto& [name, property] : properties.items()) {
      std::vector<std::string> inner = path;
      inner.push_back(name);
      read_field(property, inner);
    }
  }

 private:
  [[noreturn]] static void refuse(const std::vector<std::string>& path, const std::string& why) {
    const std::string name = SchemaField{.path = path, .values = {}}.name();
    throw UsageError(
        format("response_format: {}{}", name.empty() ? "" : format("field '{}': ", name.substr(0, 64)), why));
  }

  // Follows references into the schema itself.
  const Json& resolved(const Json& written, const std::vector<std::string>& path) const {
    const Json* schema = &written;
    for (int followed = 0;; ++followed) {
      if (!schema->is_object()) refuse(path, "a schema is an object");
      if (schema->contains("allOf") && (*schema)["allOf"].is_array() && (*schema)["allOf"].size() == 1) {
        schema = &(*schema)["allOf"][0];
      } else if (schema->contains("$ref")) {
        schema = &referred((*schema)["$ref"], path);
      } else {
        return *schema;
      }
      if (followed == kMaxReferences) refuse(path, "too many references follow each other");
    }
  }

  const Json& referred(const Json& reference, const std::vector<std::string>& path) const {
    if (!reference.is_string() || !reference.get_ref<const std::string&>().starts_with("#/"))
      refuse(path, "a $ref is of the schema itself: #/$defs/NAME");
    try {
      return root_.at(Json::json_pointer(reference.get_ref<const std::string&>().substr(1)));
    } catch (const Json::exception&) {
      refuse(path, "its $ref leads nowhere");
    }
  }

  void read_field(const Json& written, const std::vector<std::string>& path) {
    const Json& schema = resolved(written, path);
    for (const char* const keyword : kCannot) {
      if (schema.contains(keyword)) refuse(path, format("{} cannot be filled", keyword));
    }
    if (schema.contains("allOf")) refuse(path, "allOf of more than one cannot be filled");
    SchemaField field{.path = path, .values = {}};
    if (is_nullable(schema, path)) {
      field.values = {nullptr};
      return add(std::move(field));
    }
    const std::string type = type_of(schema, path);
    if (schema.contains("const")) {
      field.values = {schema["const"]};
    } else if (schema.contains("enum")) {
      read_enum(schema["enum"], field);
    } else if (type == "object") {
      return read_object(schema, path);
    } else if (type == "boolean") {
      field.kind = Kind::kChoice;
      field.type.kind = AnswerType::Kind::kYesNo;
      field.values = {true, false};
    } else if (type == "integer") {
      read_range(schema, field);
    } else if (type == "number") {
      read_number(schema, field);
    } else if (type == "string") {
      field.kind = Kind::kText;
    } else if (type == "array") {
      read_texts(schema, field);
    } else {
      refuse(path, format("a value of type '{}' cannot be filled", type.substr(0, 32)));
    }
    tell_ignored(schema, field);
    if (field.kind == Kind::kChoice || field.kind == Kind::kText)
      read_question(written.contains("description") ? written : schema, field);
    if (field.kind == Kind::kChoice) {
      if (const auto fault = fault_of(field.type)) refuse(path, *fault);
    }
    add(std::move(field));
  }

  // Whether null will do, which is what it gets then.
  static bool is_nullable(const Json& schema, const std::vector<std::string>& path) {
    const auto is_null = [](const Json& one) { return one == "null"; };
    if (schema.value("nullable", Json()) == true) return true;
    const Json type = schema.value("type", Json());
    if (is_null(type) || (type.is_array() && std::ranges::any_of(type, is_null))) return true;
    if (!schema.contains("anyOf")) return false;
    const Json& variants = schema["anyOf"];
    if (variants.is_array() && std::ranges::any_of(variants, [&](const Json& one) {
          return one.is_object() && is_null(one.value("type", Json()));
        }))
      return true;
    refuse(path, "anyOf cannot be filled unless one of them is null");
  }

  static std::string type_of(const Json& schema, const std::vector<std::string>& path) {
    const Json type = schema.value("type", Json());
    if (type.is_string()) return type.get<std::string>();
    if (type.is_array() && type.size() == 1 && type[0].is_string()) return type[0].get<std::string>();
    if (type.is_null() && schema.contains("properties")) return "object";
    if (type.is_null() && (schema.contains("enum") || schema.contains("const"))) return "";
    refuse(path, "a field needs one type");
  }

  static void read_enum(const Json& values, SchemaField& field) {
    if (!values.is_array() || values.empty()) refuse(field.path, "enum is a list of values");
    if (std::ranges::any_of(values, [](const Json& one) { return one.is_structured(); }))
      refuse(field.path, "enum is a list of texts and numbers");
    if (std::ranges::find(values, Json()) != values.end()) {
      field.values = {nullptr};
      return;
    }
    field.values.assign(values.begin(), values.end());
    if (values.size() == 1) return;
    field.kind = Kind::kChoice;
    field.type.kind = AnswerType::Kind::kChoice;
    for (const Json& value : values)
      field.type.choices.push_back(value.is_string() ? value.get<std::string>() : value.dump());
  }

  static std::optional<double> bound(const Json& schema, const char* key, const char* exclusive, int inward) {
    if (schema.contains(key) && schema[key].is_number()) return schema[key].get<double>();
    if (schema.contains(exclusive) && schema[exclusive].is_number())
      return schema[exclusive].get<double>() + inward;
    return std::nullopt;
  }

  static void read_range(const Json& schema, SchemaField& field) {
    const auto least = bound(schema, "minimum", "exclusiveMinimum", 1);
    const auto most = bound(schema, "maximum", "exclusiveMaximum", -1);
    if (!least || !most || !(*least <= *most) || *most - *least > AnswerType::kMostCount ||
        std::abs(*least) > 1e9)
      refuse(field.path,
             format("a whole number needs minimum and maximum, at most {} apart", AnswerType::kMostCount));
    const auto first = std::int64_t(std::ceil(*least)), last = std::int64_t(std::floor(*most));
    if (first > last) refuse(field.path, "no whole number lies between minimum and maximum");
    for (std::int64_t value = first; value <= last; ++value) field.values.emplace_back(value);
    if (first == last) return;
    field.kind = Kind::kChoice;
    if (first == 0) {
      field.type = {.kind = AnswerType::Kind::kCount, .most = int(last), .choices = {}};
      return;
    }
    field.type.kind = AnswerType::Kind::kChoice;
    for (const Json& value : field.values) field.type.choices.push_back(value.dump());
  }

  static void read_number(const Json& schema, SchemaField& field) {
    if (schema.value("minimum", Json()) != 0 || schema.value("maximum", Json()) != 1)
      refuse(field.path,
             "a number is how sure the answer is, from minimum 0 to maximum 1; others cannot be filled");
    field.kind = Kind::kCertainty;
  }

  void read_texts(const Json& schema, SchemaField& field) const {
    const Json items = schema.value("items", Json::object());
    const Json& item = resolved(items, field.path);
    if (item.value("type", Json("string")) != "string" || item.contains("enum"))
      refuse(field.path, "a list is of texts, one of each picture");
    field.kind = Kind::kTexts;
    field.prompt = format("caption {}", kLanguage);
    const Json most = schema.value("maxItems", Json());
    field.most = most.is_number_unsigned() ? std::min(most.get<std::size_t>(), AnswerSchema::kMaxPictures)
                                           : AnswerSchema::kMaxPictures;
    tell_ignored(item, field);
  }

  void tell_ignored(const Json& schema, const SchemaField& field) const {
    for (const char* const keyword : kNotForced) {
      if (!schema.contains(keyword)) continue;
      const std::string ignored = format("response_format.{}.{}", field.name(), keyword);
      if (std::ranges::find(answer_.ignored, ignored) == answer_.ignored.end())
        answer_.ignored.push_back(ignored);
    }
  }

  static void read_question(const Json& schema, SchemaField& field) {
    const Json description = schema.value("description", Json());
    const std::string words = description.is_string() && !description.get_ref<const std::string&>().empty()
                                  ? description.get<std::string>()
                                  : words_of(field.path.back());
    const PlainText prompt = prompt_of_words(words, kLanguage);
    if (!prompt.fault.empty()) refuse(field.path, format("its description {}", prompt.fault));
    field.prompt = prompt.text;
  }

  void add(SchemaField field) {
    if (answer_.fields.size() == AnswerSchema::kMaxFields)
      throw UsageError(format("response_format: at most {} fields are filled", AnswerSchema::kMaxFields));
    answer_.fields.push_back(std::move(field));
  }

  const Json& root_;
  AnswerSchema& answer_;
};

}  // namespace

std::string SchemaField::name() const {
  std::string name;
  for (const std::string& part : path) name += (name.empty() ? "" : ".") + part;
  return name;
}

AnswerSchema answer_schema_of(const Json& response_format) {
  const Json named = response_format.value("json_schema", Json());
  const Json schema = named.is_object() ? named.value("schema", Json()) : Json();
  if (!schema.is_object())
    throw UsageError(R"(response_format: json_schema is {"name": ..., "schema": {...}})");
  AnswerSchema answer;
  try {
    SchemaReader(schema, answer).read_object(schema, {});
  } catch (const Json::exception& error) {
    throw UsageError(format("response_format: not a JSON schema: {}", error.what()));
  }
  return answer;
}

}  // namespace palisade
