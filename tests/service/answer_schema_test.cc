#include "service/http/answer_schema.h"

#include <doctest/doctest.h>

#include "base/error.h"

using namespace palisade;
using Kind = SchemaField::Kind;

namespace {

AnswerSchema read(const std::string& schema) {
  return answer_schema_of(
      {{"type", "json_schema"}, {"json_schema", {{"name", "x"}, {"schema", Json::parse(schema)}}}});
}

AnswerSchema read_field(const std::string& field) {
  return read(R"({"type":"object","properties":{"f":)" + field + "}}");
}

SchemaField field_of(const std::string& schema) {
  const AnswerSchema read = read_field(schema);
  REQUIRE(read.fields.size() == 1);
  return read.fields.front();
}

std::string refusal_of(const std::string& schema) {
  try {
    read(schema);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "taken";
}

}  // namespace

TEST_CASE("each kind of field becomes a question that PaliGemma can be asked") {
  const SchemaField text = field_of(R"({"type":"string","description":"what is it?"})");
  CHECK(text.kind == Kind::kText);
  CHECK(text.prompt == "answer en what is it?");
  CHECK(field_of(R"({"type":"string","description":"caption de"})").prompt == "caption de");
  CHECK(field_of(R"({"type":"string"})").prompt == "answer en f");

  const SchemaField flag = field_of(R"({"type":"boolean"})");
  CHECK(flag.kind == Kind::kChoice);
  CHECK(flag.type.kind == AnswerType::Kind::kYesNo);
  CHECK(flag.values == std::vector<Json>{true, false});

  const SchemaField colour = field_of(R"({"type":"string","enum":["red","blue"]})");
  CHECK(colour.type.choices == std::vector<std::string>{"red", "blue"});
  const SchemaField numbers = field_of(R"({"enum":[10,20.5]})");
  CHECK(numbers.type.choices == std::vector<std::string>{"10", "20.5"});
  CHECK(numbers.values == std::vector<Json>{10, 20.5});

  const SchemaField count = field_of(R"({"type":"integer","minimum":0,"maximum":2})");
  CHECK(count.type.kind == AnswerType::Kind::kCount);
  CHECK(count.type.most == 2);
  CHECK(count.values == std::vector<Json>{0, 1, 2});
  const SchemaField range = field_of(R"({"type":"integer","exclusiveMinimum":-2,"maximum":1})");
  CHECK(range.type.choices == std::vector<std::string>{"-1", "0", "1"});

  CHECK(field_of(R"({"type":"number","minimum":0,"maximum":1.0})").kind == Kind::kCertainty);
  const SchemaField list = field_of(R"({"type":"array","items":{"type":"string"},"maxItems":2})");
  CHECK(list.kind == Kind::kTexts);
  CHECK(list.most == 2);
  CHECK(field_of(R"({"type":"array","items":{"type":"string"},"maxItems":100})").most == 4);
}

TEST_CASE("what needs no question is not asked: constants, single values, and null where null will do") {
  for (const auto& [schema, value] :
       std::vector<std::pair<std::string, Json>>{{R"({"const":"v1"})", "v1"},
                                                 {R"({"enum":["only"]})", "only"},
                                                 {R"({"type":"integer","minimum":3,"maximum":3})", 3},
                                                 {R"({"type":["string","null"]})", nullptr},
                                                 {R"({"anyOf":[{"type":"array"},{"type":"null"}]})", nullptr},
                                                 {R"({"type":"string","nullable":true})", nullptr},
                                                 {R"({"enum":["a",null]})", nullptr}}) {
    CAPTURE(schema);
    const SchemaField field = field_of(schema);
    CHECK(field.kind == Kind::kConstant);
    CHECK(field.values == std::vector<Json>{value});
    CHECK(field.prompt.empty());
  }
}

TEST_CASE("objects inside and references of the schema itself are followed") {
  const AnswerSchema schema = read(R"({
    "$defs": {"Colour": {"enum": ["red", "blue"]}, "Car": {"type": "object", "properties":
      {"colour": {"$ref": "#/$defs/Colour", "description": "what colour is the car?"}}}},
    "type": "object", "properties": {"car": {"allOf": [{"$ref": "#/$defs/Car"}]}, "isParked": {"type": "boolean"}}})");
  REQUIRE(schema.fields.size() == 2);
  CHECK(schema.fields[0].name() == "car.colour");
  CHECK(schema.fields[0].prompt == "answer en what colour is the car?");
  CHECK(schema.fields[1].prompt == "answer en is parked");
}

TEST_CASE("rules that a short answer cannot keep to are named, each once") {
  CHECK(read_field(R"({"type":"string","minLength":150,"maxLength":600,"title":"T"})").ignored ==
        std::vector<std::string>{"response_format.f.minLength", "response_format.f.maxLength"});
  CHECK(read_field(R"({"type":"array","minItems":3,"items":{"type":"string","minLength":20}})").ignored ==
        std::vector<std::string>{"response_format.f.minLength", "response_format.f.minItems"});
}

TEST_CASE("what cannot be filled is refused, by the field and the reason") {
  const auto refused = [](const std::string& field) {
    return refusal_of(R"({"type":"object","properties":{"f":)" + field + "}}");
  };
  for (const auto& [field, reason] : std::vector<std::pair<std::string, std::string>>{
           {R"({"type":"integer"})", "minimum and maximum"},
           {R"({"type":"integer","minimum":0,"maximum":1e300})", "minimum and maximum"},
           {R"({"type":"integer","minimum":0.2,"maximum":0.8})", "no whole number"},
           {R"({"type":"number","minimum":0,"maximum":100})", "how sure"},
           {R"({"type":"array","items":{"type":"integer"}})", "a list is of texts"},
           {R"({"type":"array","items":7})", "a schema is an object"},
           {R"({"type":"string","description":"<image>"})", "control token"},
           {R"({"enum":["red","RED"]})", "twice"},
           {R"({"enum":[]})", "enum is a list"},
           {R"({"enum":[{}]})", "texts and numbers"},
           {R"({"anyOf":[{"type":"string"},{"type":"integer"}]})", "anyOf"},
           {R"({"type":"string","not":{}})", "not cannot"},
           {R"({"type":["string","integer"]})", "one type"},
           {R"({"type":"file"})", "'file'"},
           {R"({})", "one type"},
           {R"(true)", "a schema is an object"},
           {R"({"$ref":"https://example.com/x"})", "of the schema itself"},
           {R"({"$ref":"#/nowhere"})", "leads nowhere"},
           {R"({"$ref":"#/properties/f"})", "too many references"},
           {R"({"type":"object"})", "needs properties"}}) {
    CAPTURE(field);
    const std::string refusal = refused(field);
    CHECK(refusal.find(reason) != std::string::npos);
    CHECK(refusal.find("field 'f'") != std::string::npos);
  }
  CHECK(refusal_of(
            R"({"$ref":"#/$defs/A","$defs":{"A":{"type":"object","properties":{"a":{"$ref":"#/$defs/A"}}}}})")
            .find("deep") != std::string::npos);
  std::string nine = R"({"type":"object","properties":{)";
  for (int i = 0; i < 9; ++i)
    nine += (i ? R"(,"f)" : R"("f)") + std::to_string(i) + R"(":{"type":"boolean"})";
  CHECK(refusal_of(nine + "}}").find("at most 8 fields") != std::string::npos);
  for (const char* const format : {R"({"type":"json_schema"})", R"({"type":"json_schema","json_schema":[]})",
                                   R"({"type":"json_schema","json_schema":{"schema":7}})"})
    CHECK_THROWS_AS(answer_schema_of(Json::parse(format)), UsageError);
}
