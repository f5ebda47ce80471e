#pragma once

#include <functional>

namespace palisade {

// Runs task(0) ... task(count - 1) on the team of threads that oneDNN uses too; in the calling thread alone
// when `work` (roughly the floating-point operations of all tasks together) would not repay waking the team.
void parallel_for(int count, double work, const std::function<void(int)>& task);

// Below this much work a product or loop runs in the calling thread: waking a passive team costs about 30 us.
constexpr double kParallelWork = 6e6;

}  // namespace palisade
