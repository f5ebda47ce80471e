#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "service/http/http_message.h"

namespace palisade {

struct HttpHolder;

// What is wrong with one value of a stream's settings, by its JSON pointer ("/tasks/0/prompt"); "" is all of
// it.
struct HttpProblem {
  std::string pointer;
  std::string message;
};

// A stream's settings as an editor may read them: without the password, and a URL without its secrets.
Json shown_settings(const Json& written);
// Of settings as they are shown, so that two editors notice one another.
std::string settings_tag(const Json& shown);

// Settings to be written in place of those that are there (null: none). A password that is not given and a
// URL as it is shown stay as they were, as long as they go to the same address and user.
Json merged_settings(Json asked, const Json& now);

// Why whoever holds a token may not write them: another address than a camera's, a file of this machine, a
// stream that he may not see. What stands in `now` already may stay.
std::vector<HttpProblem> settings_faults(const Json& merged, const Json& now, const HttpHolder& holder);

// As text, and the pointer of the value that begins in a line of that text.
std::string settings_text(const Json& settings);
std::string pointer_at(const Json& settings, int line);
// "FILE:LINE:COLUMN: TEXT" of a file with that text.
HttpProblem problem_of(const Json& settings, std::string_view line);

// 422 {"error": {..., "problems": [{"pointer", "message"}]}}
HttpResponse problems_response(const std::vector<HttpProblem>& problems);

}  // namespace palisade
