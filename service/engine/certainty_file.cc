#include "service/engine/certainty_file.h"

#include "base/error.h"
#include "base/format.h"
#include "base/log.h"

namespace palisade {

CertaintyCurves read_certainty(const std::filesystem::path& file, const ModelIdentity& model) {
  CertaintyCurves curves = certainty_curves_of(read_json(file), file.string());
  const bool known = !curves.model_sha256.empty() && !model.sha256.empty();
  if (known ? curves.model_sha256 != model.sha256 : curves.model != model.id)
    throw UsageError(
        format("{}: its curves are of model {}, not of {}; make new ones with `palisade "
               "calibrate-answers`",
               file.string(), curves.model, model.id));
  if (curves.precision != model.precision)
    log_warning(format("{}: its curves were made in {}, and the model runs in {}", file.string(),
                       curves.precision, model.precision));
  return curves;
}

}  // namespace palisade
