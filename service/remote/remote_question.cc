#include "service/remote/remote_question.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/format.h"
#include "base/joined.h"
#include "base/log.h"
#include "service/http/base64.h"

namespace palisade {
namespace {

constexpr std::size_t kMaxPictureBytes = 20'000'000;

}  // namespace

Json answer_of(const ServiceApi& service, const RemoteQuestion& question) {
  if (question.pictures.empty() == question.streams.empty())
    throw UsageError("a running service is asked about pictures, or about streams by --stream");
  if (question.streams.size() > 2) throw UsageError("--stream: one stream, or two to be compared");
  Json body = {{"prompt", question.words}, {"language", question.language}};
  if (question.streams.size() == 1) body["stream"] = question.streams.front();
  if (question.streams.size() == 2) body["streams"] = question.streams;
  for (const std::string& file : question.pictures)
    body["pictures"].push_back(base64_of(read_text_file(file, kMaxPictureBytes)));
  if (!question.type.empty()) body["type"] = question.type;
  if (!question.choices.empty()) body["choices"] = question.choices;
  if (question.max_new_tokens) body["max_new_tokens"] = *question.max_new_tokens;
  return service.ask("POST", "/api/v1/ask", body);
}

std::string line_of_answer(const Json& answer) {
  std::string line;
  std::vector<std::pair<double, std::string>> choices;
  try {
    line = escaped(answer.at("text").get_ref<const std::string&>());
    for (const Json& choice : answer.value("choices", Json::array()))
      choices.emplace_back(choice.at("p").get<double>(),
                           escaped(choice.at("text").get_ref<const std::string&>()));
  } catch (const Json::exception& error) {
    throw Error(format("this is no answer of a service: {}", error.what()));
  }
  if (choices.empty()) return line;
  std::ranges::stable_sort(choices, [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<std::string> texts;
  for (const auto& [p, text] : choices) texts.push_back(format("{} {:.1f} %", text, 100 * p));
  return format("{} ({})", line, joined(texts, ", "));
}

}  // namespace palisade
