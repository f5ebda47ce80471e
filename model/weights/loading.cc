#include "model/weights/loading.h"

#include <utility>

namespace palisade {

void Loading::loaded_one() {
  const std::lock_guard lock(mutex_);
  ++loaded_;
  changed_.notify_all();
}

void Loading::failed(std::exception_ptr why) {
  const std::lock_guard lock(mutex_);
  why_ = std::move(why);
  changed_.notify_all();
}

bool Loading::has(int part) const {
  const std::lock_guard lock(mutex_);
  return part < loaded_;
}

void Loading::wait_for(int part) const {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return part < loaded_ || why_; });
  if (part >= loaded_) std::rethrow_exception(why_);
}

}  // namespace palisade
