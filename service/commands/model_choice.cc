#include "service/commands/model_choice.h"

#include "base/format.h"
#include "base/log.h"
#include "service/bench/memory.h"
#include "service/bench/stages.h"

namespace palisade {

std::unique_ptr<EngineModel> load_chosen_model(const std::filesystem::path& folder,
                                               const EngineModelOptions& options) {
  const auto chosen = folder.empty() ? demo_model_folder() : folder;
  const ModelConfig config = read_model_config(chosen);
  EngineModelOptions settled = options;
  settled.precision = chosen_precision(options.precision);
  const std::string_view precision = name_of(*settled.precision);
  if (const auto warning =
          tell_memory(chosen.string(), config, precision, bytes_per_weight(precision), available_memory()))
    log_warning(*warning);
  auto model = load_engine_model(chosen, settled);
  const ModelIdentity identity = model->identity();
  log_info(format("model {}, {}{}, {} x {} pixels", identity.id, identity.precision,
                  identity.calibration.empty() ? "" : ", calibrated", model->image_size(),
                  model->image_size()));
  if (!identity.notice.empty()) log_warning(identity.notice);
  return model;
}

}  // namespace palisade
