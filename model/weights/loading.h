#pragma once

#include <condition_variable>
#include <exception>
#include <mutex>

namespace palisade {

// How far something has come that one thread loads part by part while others use what is there.
class Loading {
 public:
  // One more part is there, and stays as it is.
  void loaded_one();
  // No more will come.
  void failed(std::exception_ptr why);

  bool has(int part) const;
  // Until that part, counted from 0, is there. Throws what loading failed with.
  void wait_for(int part) const;

 private:
  mutable std::mutex mutex_;  // of what follows
  mutable std::condition_variable changed_;
  int loaded_ = 0;
  std::exception_ptr why_;
};

}  // namespace palisade
