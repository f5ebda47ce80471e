#pragma once

#include <string>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>
#include <vector>

#include "base/json.h"

namespace palisade {

// Why an event does not conform to NAME.v1.json of service/schema, or of another folder; empty if it does.
inline std::vector<std::string> schema_faults(const std::string& name, const Json& event,
                                              const std::string& folder = "service/schema") {
  const Json json = read_json(PALISADE_SOURCE_DIR "/" + folder + "/" + name + ".v1.json");
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
