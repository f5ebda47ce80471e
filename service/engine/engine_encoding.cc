// The engine from the queue to encoded images.
#include <algorithm>
#include <exception>
#include <iterator>
#include <utility>

#include "service/engine/engine.h"
#include "service/engine/engine_work.h"

namespace palisade {
using std::chrono::steady_clock;
namespace {

std::vector<Image> images_of(const Clip& clip) {
  std::vector<Image> images;
  for (const Frame& frame : clip.frames) images.push_back(frame.image);
  return images;
}

void tell_stage(const Request& request, AnswerStage stage) {
  if (!request.progress) return;
  for (std::size_t prompt = 0; prompt < request.prompts.size(); ++prompt)
    request.progress({.prompt_index = prompt, .stage = stage});
}

}  // namespace

// Takes requests from the queue. Waits only when there is no other work; false when the queue has ended.
bool Engine::admit() {
  std::vector<std::shared_ptr<AdmittedRequest>> cameras;
  const auto take = [&](Request request) {
    auto admitted = std::make_shared<AdmittedRequest>();
    admitted->images = images_of(request.clip);
    admitted->taken = steady_clock::now();
    const bool person = request.person;
    admitted->request = std::move(request);
    tell_stage(admitted->request, AnswerStage::kQueued);
    if (person) {
      encode_together({std::move(admitted)});
    } else {
      cameras.push_back(std::move(admitted));
    }
  };
  if (!busy()) {
    std::optional<Request> request = queue_.pop();
    if (!request) return false;
    take(*std::move(request));
  }
  const auto waiting = [&] { return !encodings_.empty() || next_to_prefill() != nullptr; };
  while (answers_.size() + cameras.size() < limits_.answers) {
    const bool people_alone = cameras.size() >= limits_.together || (cameras.empty() && waiting());
    std::optional<Request> request = queue_.try_pop(people_alone);
    if (!request) break;
    take(*std::move(request));
  }
  while (!cameras.empty()) {
    const Adapter* const first = image_adapter(cameras.front()->request.adapter);
    const auto rest = std::ranges::stable_partition(
        cameras, [&](const auto& admitted) { return image_adapter(admitted->request.adapter) == first; });
    encode_together({cameras.begin(), rest.begin()});
    cameras.erase(cameras.begin(), rest.begin());
  }
  return true;
}

void Engine::encode_together(std::vector<std::shared_ptr<AdmittedRequest>> admitted) {
  const bool person = admitted.front()->request.person;
  const auto camera = [](const Encoding& waiting) { return !waiting.admitted.front()->request.person; };
  encodings_.insert(person ? std::ranges::find_if(encodings_, camera) : encodings_.end(),
                    Encoding{.admitted = std::move(admitted)});
}

// Finds the images that are not encoded yet.
void Engine::begin_encoding(Encoding& encoding) {
  std::vector<Image> all;
  for (const auto& one : encoding.admitted) {
    tell_stage(one->request, AnswerStage::kEncoding);
    all.insert(all.end(), one->images.begin(), one->images.end());
    const std::size_t before = encoding.images.size();
    encoding.images = cache_.unknown(all, encoding.adapter());
    one->images_encoded = int(encoding.images.size() - before);
  }
  if (!encoding.images.empty()) encoding.job = model_.encode(encoding.images, encoding.adapter());
  encoding.begun = true;
}

bool Engine::is_wanted(const Encoding& encoding) {
  return std::ranges::any_of(encoding.admitted,
                             [](const auto& admitted) { return !is_cancelled(admitted->request); });
}

void Engine::advance_encoding(MonotonicTime::duration time) {
  Encoding& encoding = encodings_.front();
  std::string error;
  const bool wanted = is_wanted(encoding);
  try {
    if (wanted) {
      if (!encoding.begun) begin_encoding(encoding);
      if (encoding.job) {
        if (encoding.job->advance(time)) return;
        std::vector<ImageFeatures> features = encoding.job->features();
        for (std::size_t i = 0; i < encoding.images.size(); ++i) {
          cache_.store(encoding.images[i], encoding.adapter(), std::move(features.at(i)));
        }
      }
      for (const auto& admitted : encoding.admitted)
        admitted->features = cache_.features_of(admitted->images, encoding.adapter());
    }
  } catch (const std::exception& exception) {
    error = exception.what();
  }
  const Encoding done = std::move(encodings_.front());
  encodings_.pop_front();
  begin_answers(done, wanted, error);
}

// What was encoded is asked; what is not wanted, cannot be or is as before is finished.
void Engine::begin_answers(const Encoding& done, bool wanted, const std::string& error) {
  for (const auto& admitted : done.admitted) {
    admitted->encoded = steady_clock::now();
    const auto& unchanged = admitted->request.unchanged;
    admitted->unchanged =
        wanted && error.empty() && unchanged && unchanged(admitted->request.clip, admitted->features);
    for (std::size_t i = 0; i < admitted->request.prompts.size(); ++i) {
      auto answer =
          std::make_unique<AnswerInProgress>(AnswerInProgress{.admitted = admitted, .prompt_index = i});
      answer->begun = answer->prefilled_at = admitted->encoded;
      if (!error.empty()) {
        finish(*answer, error);
      } else if (!wanted || admitted->unchanged) {
        finish(*answer);
      }
      answers_.push_back(std::move(answer));
    }
  }
}

// Ends all that nobody waits for any more, also what is behind the work of others. Those that are decoded end
// with their next token.
void Engine::drop_cancelled() {
  for (Request& request : queue_.take_cancelled()) {
    auto admitted = std::make_shared<AdmittedRequest>();
    admitted->taken = steady_clock::now();
    admitted->request = std::move(request);
    begin_answers({.admitted = {std::move(admitted)}}, false, {});
  }
  const auto unwanted = std::ranges::stable_partition(encodings_, is_wanted);
  const std::vector<Encoding> dropped(std::make_move_iterator(unwanted.begin()),
                                      std::make_move_iterator(unwanted.end()));
  encodings_.erase(unwanted.begin(), unwanted.end());
  for (const Encoding& encoding : dropped) begin_answers(encoding, false, {});
  for (const auto& answer : answers_) {
    if (!answer->reply && !answer->prefilled && is_cancelled(answer->admitted->request)) finish(*answer);
  }
  tell_finished();
}

}  // namespace palisade
