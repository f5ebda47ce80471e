#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "frames/clip.h"
#include "ingest/source/source.h"
#include "service/engine/engine_model.h"
#include "service/engine/request.h"
#include "service/events/event_record.h"

namespace palisade {

// A source to be read to its end, and what to ask of every clip of it.
struct BatchOptions {
  SourceOptions source;
  std::string stream;
  Sampling sampling;
  std::string prompt;
  int max_new_tokens = 64;
  Prune prune;
};

// Receives the answers in order, on the engine's thread, and how long the source is, where that is known.
using OnAnswer = std::function<void(const Request&, const Reply&, std::optional<MediaTime> duration)>;

// Reads as fast as the model answers: a file waits for the model and loses nothing; of a camera the clips
// that find the model busy are dropped and counted, and of either those in whose middle it was broken. Throws
// SourceError, Error. Returns when all is answered, or stopped: how many were lost after the last
// answer.
std::uint64_t run_batch(const BatchOptions& options, EngineModel& model, const OnAnswer& on_answer,
                        std::stop_token stop);

// Asks a request of one prompt. Throws Error; no answer when it was stopped.
std::optional<Reply> ask_once(EngineModel& model, Request request, std::stop_token stop);

// What is to be said of how an input is read, to the log, once a frame has been returned.
void tell_remark(const Source& source);
// A frame as the model is to see it, of the model's size.
Frame fitted(Frame frame, const std::string& stream, const EngineModel& model);
// The record of a batch's answer. `pictures`: a person gave them, so that nothing chose them.
AnswerRecord record_of_answer(const std::string& task, const Request& request, const Reply& reply,
                              const EngineModel& model, bool pictures = false);

}  // namespace palisade
