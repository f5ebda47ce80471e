#include "service/http/schema_filling.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "base/error.h"
#include "tasks/prompt.h"
#include "tasks/task.h"

namespace palisade {
namespace {

using Kind = SchemaField::Kind;

double mean_of(const std::vector<double>& numbers) {
  return numbers.empty() ? 0 : std::reduce(numbers.begin(), numbers.end()) / double(numbers.size());
}

// One schema being filled; held by the question that is asked.
class SchemaFilling : public std::enable_shared_from_this<SchemaFilling> {
 public:
  SchemaFilling(HttpApi& api, std::shared_ptr<HttpExchange> exchange, AnswerSchema schema,
                std::vector<Frame> frames, TextDecoding decoding,
                std::function<void(const FilledSchema&)> tell)
      : api_(api),
        exchange_(std::move(exchange)),
        schema_(std::move(schema)),
        frames_(std::move(frames)),
        decoding_(std::move(decoding)),
        tell_(std::move(tell)) {
    filled_.value = Json::object();
    filled_.fields = Json::object();
    for (std::size_t i = 0; i < schema_.fields.size(); ++i) plan(i);
  }

  bool ask_next() {
    if (next_ == steps_.size()) {
      finish();
      return true;
    }
    const Step& step = steps_[next_++];
    const SchemaField& field = schema_.fields[step.field];
    HttpQuestion question{.prompt = field.prompt,
                          .task = std::string(task_of_prompt(field.prompt)),
                          .max_new_tokens = decoding_.max_tokens,
                          .method = decoding_.method};
    if (field.kind == Kind::kChoice) {
      question.type = field.type;
      question.method = method_of(field.type);
    }
    question.clip.frames = step.picture ? std::vector<Frame>{frames_[*step.picture]} : frames_;
    question.clip.sampling.count = int(question.clip.frames.size());
    return ask(api_, exchange_, std::move(question),
               [self = shared_from_this(), &step](const HttpAnswer& answer) {
                 self->take(step, answer);
                 self->ask_next();
               });
  }

 private:
  struct Step {
    std::size_t field = 0;
    std::optional<std::size_t> picture;  // of this alone
  };

  void plan(std::size_t index) {
    const SchemaField& field = schema_.fields[index];
    if (field.kind == Kind::kConstant) put(field, field.values.front());
    if (field.kind == Kind::kChoice || field.kind == Kind::kText) steps_.push_back({index, std::nullopt});
    if (field.kind != Kind::kTexts) return;
    put(field, Json::array());
    for (std::size_t i = 0; i < std::min(field.most, frames_.size()); ++i) steps_.push_back({index, i});
  }

  Json& place_of(const SchemaField& field) {
    Json* place = &filled_.value;
    for (const std::string& part : field.path) place = &(*place)[part];
    return *place;
  }
  void put(const SchemaField& field, Json value) { place_of(field) = std::move(value); }

  void take(const Step& step, const HttpAnswer& answer) {
    const SchemaField& field = schema_.fields[step.field];
    double p = answer.mean_token_p;
    if (field.kind == Kind::kChoice) {
      const auto& choices = answer.answer.choices;
      const auto chosen = std::ranges::max_element(choices, {}, &ScoredChoice::p);
      if (chosen == choices.end())
        throw Unavailable("the model took too long; send fewer fields or pictures");
      p = chosen->p;
      put(field, field.values[std::size_t(chosen - choices.begin())]);
    } else if (field.kind == Kind::kText) {
      put(field, answer.answer.text);
    } else {
      place_of(field).push_back(answer.answer.text);
    }
    Json& told = filled_.fields[field.name()];
    told["prompt"] = field.prompt;
    if (field.kind == Kind::kTexts) {
      told["p"].push_back(p);
    } else {
      told["p"] = p;
    }
    certainties_.push_back(p);
    filled_.image_tokens += answer.image_tokens;
    filled_.tokens += answer.answer.token_ids.size();
  }

  void finish() {
    for (const SchemaField& field : schema_.fields) {
      if (field.kind == Kind::kCertainty) put(field, mean_of(certainties_));
    }
    tell_(filled_);
  }

  HttpApi& api_;
  const std::shared_ptr<HttpExchange> exchange_;
  const AnswerSchema schema_;
  const std::vector<Frame> frames_;
  const TextDecoding decoding_;
  const std::function<void(const FilledSchema&)> tell_;
  std::vector<Step> steps_;
  std::size_t next_ = 0;
  std::vector<double> certainties_;
  FilledSchema filled_;
};

}  // namespace

bool fill_schema(HttpApi& api, const std::shared_ptr<HttpExchange>& exchange, AnswerSchema schema,
                 std::vector<Frame> frames, TextDecoding decoding,
                 std::function<void(const FilledSchema&)> tell) {
  return std::make_shared<SchemaFilling>(api, exchange, std::move(schema), std::move(frames),
                                         std::move(decoding), std::move(tell))
      ->ask_next();
}

}  // namespace palisade
