#pragma once

#include <functional>
#include <stop_token>

#include "service/engine/engine_model.h"
#include "service/evaluation/evaluation_answer.h"
#include "service/evaluation/evaluation_lines.h"
#include "service/evaluation/evaluation_pictures.h"

namespace palisade {

// How examples are asked about.
struct EvaluationAsking {
  EvaluationView view;
  SharedAdapter adapter;  // or nullptr
  DecodingMethod method;
  int max_new_tokens = 0;  // 0: as the task of each prompt has it
  int batch = 16;          // answers that are stepped together
};

// Called on the calling thread, in the order of the lines.
using OnEvaluated = std::function<void(const EvaluationLine&, const EvaluationAnswer&)>;

// Asks about every line of the reader. Pictures are read ahead, encoded together and once each where lines
// near one another share them; answers are stepped in one batch. Answers are the same in any batch in f32.
// What cannot be asked, such as a broken picture, is an answer with an error. False where it was stopped.
bool ask_examples(EvaluationLineReader& lines, EngineModel& model, const EvaluationAsking& asking,
                  const OnEvaluated& on_evaluated, const std::stop_token& stop);

}  // namespace palisade
