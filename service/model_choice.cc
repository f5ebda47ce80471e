#include "service/model_choice.h"

#include "service/log.h"

namespace palisade {

std::unique_ptr<EngineModel> load_chosen_model(const std::filesystem::path& folder,
                                               const EngineModelOptions& options) {
  const auto chosen = folder.empty() ? demo_model_folder() : folder;
  auto model = load_engine_model(chosen, options);
  const ModelIdentity identity = model->identity();
  log_info("model " + identity.id + ", " + identity.precision +
           (identity.calibration.empty() ? "" : ", calibrated") + ", " + std::to_string(model->image_size()) +
           " x " + std::to_string(model->image_size()) + " pixels");
  if (!identity.notice.empty()) log_warning(identity.notice);
  return model;
}

}  // namespace palisade
