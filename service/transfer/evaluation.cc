#include "service/transfer/evaluation.h"

#include <algorithm>
#include <filesystem>

#include "model/decoding/generation.h"

namespace palisade {

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
  }
  return total;
}

double exact_by_beams(const RunFolder& run, const EvaluationExamples& examples) {
  const TransferSettings& settings = examples.settings;
  const bool merged = std::filesystem::exists(run.model());
  const PaliGemma model(merged ? run.model() : settings.model);
  const SharedAdapter adapter = merged ? nullptr : model.load_adapter(run.adapter());
  const DecodingOptions options{
      .max_new_tokens = settings.text_length,
      .method = BeamSearch{.beams = settings.beams, .rules = BeamRules::kBigVision}};
  std::size_t exact = 0;
  for (const TransferRecord& record : examples.records) {
    const auto features = model.encode(examples.loader.images(record, {}), {}, adapter);
    Sequence sequence =
        model.prefill(features, record.tokens.prompt, options.max_new_tokens, {}, {.adapter = adapter});
    exact += decode(model, std::move(sequence), options).text == record.suffix;
  }
  return double(exact) / double(examples.records.size());
}

}  // namespace palisade
