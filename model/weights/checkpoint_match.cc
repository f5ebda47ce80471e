#include "model/weights/checkpoint_match.h"

#include "model/error.h"
#include "model/weights/tensor_names.h"

namespace palisade {

ModelConfig matched(ModelConfig config, const Checkpoint& checkpoint) {
  checkpoint.require_only(known_tensors(config));
  if (config.text.own_head && !checkpoint.stores_head()) {
    throw ModelError((checkpoint.files().front()->path().parent_path() / "config.json").string() +
                     ": \"tie_word_embeddings\" is false, but the weights hold no lm_head.weight; bring the "
                     "file "
                     "that holds it, or set tie_word_embeddings to true where the head is the embedding");
  }
  config.text.own_head = checkpoint.has(kHeadTensor);
  return config;
}

}  // namespace palisade
