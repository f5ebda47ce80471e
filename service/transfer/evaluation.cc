#include "service/transfer/evaluation.h"

#include <algorithm>
#include <iterator>
#include <memory>
#include <utility>

#include "model/decoding/generation.h"

namespace palisade {
namespace {

// Examples that are answered together, a step of each in one batch.
std::vector<std::string> answers_of(const PaliGemma& model, const SharedAdapter& adapter,
                                    const EvaluationExamples& examples,
                                    std::span<const TransferRecord> records, const DecodingOptions& options) {
  std::vector<std::unique_ptr<Generation>> generations;
  std::vector<Generation*> open;
  for (const TransferRecord& record : records) {
    const auto features = model.encode(examples.loader.images(record, {}), {}, adapter);
    generations.push_back(std::make_unique<Generation>(
        model,
        model.prefill(features, record.tokens.prompt, needs_of(model, options).new_positions, {},
                      {.adapter = adapter}),
        options));
    open.push_back(generations.back().get());
  }
  while (true) {
    for (Generation* const generation : open) generation->choose();
    std::erase_if(open, [](const Generation* generation) { return generation->done(); });
    if (open.empty()) break;
    step_all(model, open);
  }
  std::vector<std::string> answers;
  for (const auto& generation : generations) answers.push_back(generation->finish().text);
  return answers;
}

}  // namespace

EvaluationLoss evaluation_loss(TrainingPass& pass, const EvaluationExamples& examples) {
  PassReader reader(examples.loader);
  const PassOptions options{.loss = {.label_smoothing = 0, .vocabulary = examples.vocabulary}, .dropout = {}};
  const auto at_once = std::size_t(examples.settings.examples_at_once);
  EvaluationLoss total;
  for (std::size_t read = 0, ahead = 0; read < examples.records.size();) {
    while (ahead < examples.records.size() && reader.has_room()) {
      PassRecords chosen;
      for (const TransferRecord& record :
           examples.records.subspan(ahead, std::min(at_once, examples.records.size() - ahead)))
        chosen.records.push_back(&record);
      ahead += chosen.records.size();
      reader.add(std::move(chosen));
    }
    const ReadPass next = reader.next();
    read += next.chosen.records.size();
    for (const ExampleLoss& example : pass.evaluate(next.batch, options)) {
      total.loss += example.loss / double(examples.records.size());
      total.exact += (example.exact ? 1.0 : 0.0) / double(examples.records.size());
    }
    reader.keep_states(next, pass);
  }
  return total;
}

std::vector<std::string> answers_of(const WrittenModel& written, const EvaluationExamples& examples,
                                    const AnswerOptions& options) {
  const PaliGemma model(written.model);
  const SharedAdapter adapter = written.adapter.empty() ? nullptr : model.load_adapter(written.adapter);
  DecodingOptions decoding{.max_new_tokens = examples.settings.text_length};
  if (options.beams > 1) decoding.method = BeamSearch{.beams = options.beams, .rules = BeamRules::kBigVision};
  const auto at_once = std::size_t(examples.settings.examples_at_once);
  std::vector<std::string> answers;
  while (answers.size() < examples.records.size()) {
    if (options.stop.stop_requested()) return {};
    const std::size_t count = std::min(at_once, examples.records.size() - answers.size());
    std::ranges::move(
        answers_of(model, adapter, examples, examples.records.subspan(answers.size(), count), decoding),
        std::back_inserter(answers));
    if (options.progress) options.progress(double(answers.size()) / double(examples.records.size()));
  }
  return answers;
}

}  // namespace palisade
