#include "service/streams/task_groups.h"

#include <algorithm>

namespace palisade {
namespace {

bool share_clips(const TaskSettings& a, const TaskSettings& b) {
  return a.sampling == b.sampling && a.against == b.against && a.when == b.when && a.prune == b.prune &&
         a.max_new_tokens == b.max_new_tokens && a.location_spread == b.location_spread &&
         a.answer_type == b.answer_type && a.adapter == b.adapter;
}

}  // namespace

std::vector<std::vector<std::size_t>> groups_of(const std::vector<TaskSettings>& tasks) {
  std::vector<std::vector<std::size_t>> groups;
  for (std::size_t task = 0; task < tasks.size(); ++task) {
    const auto group = std::ranges::find_if(
        groups, [&](const auto& one) { return share_clips(tasks[one.front()], tasks[task]); });
    if (group == groups.end()) {
      groups.push_back({task});
    } else {
      group->push_back(task);
    }
  }
  return groups;
}

}  // namespace palisade
