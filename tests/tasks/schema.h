#pragma once

#include <string>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>
#include <vector>

#include "base/json.h"

namespace palisade {

// Why an event does not conform to service/schema/NAME.v1.json; empty if it does.
inline std::vector<std::string> schema_faults(const std::string& name, const Json& event) {
  const Json json = read_json(std::string(PALISADE_SOURCE_DIR "/service/schema/") + name + ".v1.json");
  valijson::Schema schema;
  valijson::SchemaParser parser;
  parser.populateSchema(valijson::adapters::NlohmannJsonAdapter(json), schema);
  valijson::Validator validator;
  valijson::ValidationResults results;
  std::vector<std::string> faults;
  if (validator.validate(schema, valijson::adapters::NlohmannJsonAdapter(event), &results)) return faults;
  valijson::ValidationResults::Error error;
  while (results.popError(error)) {
    std::string context;
    for (const std::string& part : error.context) context += part;
    faults.push_back(context + ": " + error.description);
  }
  return faults;
}

}  // namespace palisade
