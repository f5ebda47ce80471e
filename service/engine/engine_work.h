#pragma once

#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "service/engine/engine.h"

namespace palisade {

// What an engine has in hand. All but Completion is its thread's alone.

struct Engine::Completion {
  std::mutex mutex;
  std::condition_variable wake;
  bool is_done = false;  // guarded by mutex
};

// A request taken from the queue; shared by the answers to its prompts.
struct Engine::AdmittedRequest {
  Request request;
  std::vector<Image> images;
  std::vector<ImageFeatures> features;
  int images_encoded = 0;
  bool unchanged = false;
  MonotonicTime taken;
  MonotonicTime encoded;
};

// New images of one or several requests while they are encoded.
struct Engine::Encoding {
  std::vector<std::shared_ptr<AdmittedRequest>> admitted;  // of one image_adapter()
  std::vector<Image> images;                               // new images, once begun
  std::unique_ptr<EncodeJob> job;                          // null without new images
  bool begun = false;

  const SharedAdapter& adapter() const { return admitted.front()->request.adapter; }
};

// The answer to one prompt, from encoded images to the reply.
struct Engine::AnswerInProgress {
  std::shared_ptr<AdmittedRequest> admitted;
  std::size_t prompt_index = 0;
  std::unique_ptr<AnswerJob> job;  // set when its prefill begins
  MonotonicTime deadline;          // likewise
  std::size_t kv_bytes = 0;        // 0 while it waits for room
  bool prefilled = false;
  std::optional<Reply> reply;  // complete, but not delivered yet
  std::size_t text_told = 0;   // bytes of its text already passed to `progress`
  MonotonicTime begun;
  MonotonicTime prefilled_at;
};

}  // namespace palisade
