#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "service/http/api.h"
#include "service/http/exchange.h"
#include "tasks/answer_type.h"

namespace palisade {

// A question of a client.
struct HttpQuestion {
  Clip clip;  // of frames at the model's size
  std::string prompt;
  std::string task;  // as its event would name it
  int max_new_tokens = 64;
  DecodingMethod method;
  AnswerType type = {};
  SharedAdapter adapter = {};  // beside the model; nullptr: none
  int top_tokens = 0;
  std::function<void(const AnswerProgress&)> progress;  // on the engine's thread; may be empty
};

// An answer as an event's `data` has it, and what it is made of.
struct HttpAnswer {
  Answer answer;
  int image_tokens = 0;
  double mean_token_p = 0;  // mean probability of its tokens
  Json data;
};

// Asks and returns at once. `tell` is called on the engine's thread with the answer; where there is none, or
// too many wait, the exchange is answered with the reason: false in the last case, and where the client has
// left already. A client that leaves cancels within a token.
bool ask(HttpApi& api, const std::shared_ptr<HttpExchange>& exchange, HttpQuestion question,
         std::function<void(HttpAnswer)> tell);

// The same of a request that is ready.
bool ask_engine(HttpApi& api, const std::shared_ptr<HttpExchange>& exchange, Request request,
                std::function<void(const Request&, const Reply&)> tell);

// A picture of a request: "data:image/jpeg;base64,..." or base64 alone, decoded and made the model's square.
// Throws UsageError, which says what is wrong with it.
Frame frame_of_text(std::string_view text, const EngineModel& model);

// A picture's file likewise.
Frame frame_of_file(const std::filesystem::path& file, const EngineModel& model);

// Every so manieth of too many, the first and the last among them.
std::vector<Frame> thinned(std::vector<Frame> frames, std::size_t most);
inline constexpr std::size_t kMaxPicturesAsked = 16;

// The adapter of the configuration whose id or SHA-256 that is. Throws HttpFault where there is none.
SharedAdapter adapter_named(const HttpApi& api, const std::string& name);

// Body of a request as a JSON object. Throws UsageError.
Json body_of(const HttpRequest& request);

}  // namespace palisade
