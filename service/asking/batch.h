#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "frames/clip.h"
#include "ingest/source/source.h"
#include "model/masks/mask_decoder.h"
#include "service/engine/engine_model.h"
#include "service/engine/request.h"
#include "service/events/event_record.h"
#include "tasks/answer_type.h"
#include "tasks/boxes.h"

namespace palisade {

// A source that is read to its end, and the prompt for each of its clips.
struct BatchOptions {
  SourceOptions source;
  std::string stream;
  Sampling sampling;
  std::string prompt;
  int max_new_tokens = 64;
  Prune prune;
  SharedAdapter adapter;  // or nullptr
};

// Called in order, on the engine's thread, with each answer and the source's duration where it is known.
using OnAnswer = std::function<void(const Request&, const Reply&, std::optional<MediaTime> duration)>;

// Reads a source to its end and asks about each clip. A file waits for the model; a camera's clips are
// dropped and counted while the model is busy. Returns the number of clips lost after the last answer, when
// all are answered or it was stopped. Throws SourceError, Error.
std::uint64_t run_batch(const BatchOptions& options, EngineModel& model, const OnAnswer& on_answer,
                        std::stop_token stop);

// Asks one prompt. Nothing where it was stopped. Throws Error.
std::optional<Reply> ask_once(EngineModel& model, Request request, std::stop_token stop);

// Logs a source's remark, once a frame has been returned.
void tell_remark(const Source& source);
// A frame resized to the model's square.
Frame fitted(Frame frame, const std::string& stream, const EngineModel& model);
// How an answer becomes a record.
struct RecordOptions {
  bool pictures = false;  // the user named the pictures, so there is no sampling
  LocationScale locations = {};
  const MaskDecoder* masks = nullptr;  // null: masks are left out
  AnswerType type = {};                // of a question
};
AnswerRecord record_of_answer(const std::string& task, const Request& request, const Reply& reply,
                              const EngineModel& model, const RecordOptions& options = {});

}  // namespace palisade
