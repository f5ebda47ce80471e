#pragma once

#include <memory>
#include <optional>
#include <span>

#include "model/gemma/kv_cache.h"
#include "model/kernels/logit_scan.h"
#include "model/paligemma/distribution.h"
#include "model/tensor/matrix.h"

namespace palisade {

struct Adapter;

// One request inside the model: prefilled, then stepped. Not shared between threads.
class Sequence {
 public:
  // Logits of the token that comes after the last position. [embedding rows]
  std::span<const float> logits() const { return logits_.row(0); }
  // What they say; a view of them, until the next step. Throws ModelError when one is not finite.
  Distribution distribution() const { return Distribution(logits(), scan_); }
  int length() const { return cache_.length(); }
  int capacity() const { return cache_.capacity(); }
  // Bounds these logits and all that follow by cap * tanh(x / cap), for good: once for a sequence.
  void bound_logits(float cap);
  // Another that goes on from here: a beam, or a choice.
  Sequence fork();

 private:
  friend class PaliGemma;
  friend class Prefill;
  static constexpr double kWorkALogit = 30;  // operations of take()

  // With an adapter, or none.
  Sequence(KvCache cache, int vocabulary, std::shared_ptr<const Adapter> adapter);
  // The next logits, copied.
  void take(std::span<const float> logits);
  // Looks at logits_, which are new.
  void scan();

  KvCache cache_;
  std::shared_ptr<const Adapter> adapter_;
  Matrix logits_;
  LogitScan scan_;
  std::optional<float> softcap_;
};

}  // namespace palisade
