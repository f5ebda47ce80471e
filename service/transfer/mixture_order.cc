#include "service/transfer/mixture_order.h"

#include <algorithm>

#include "base/random.h"

namespace palisade {

MixtureOrder::MixtureOrder(const std::vector<Part>& parts, std::uint64_t seed)
    : seed_(split_mix(seed ^ hash_of("mixture"))) {
  double all = 0, sum = 0;
  for (const Part& part : parts) all += part.weight;
  std::size_t first = 0;
  for (const Part& part : parts) {
    sum += part.weight;
    // The first has the order that it would have alone.
    const std::uint64_t own = parts_.empty() ? seed : split_mix(seed + parts_.size());
    parts_.push_back({.first = first, .up_to = sum / all, .order = ExampleOrder(part.records, own)});
    first += part.records;
  }
  parts_.back().up_to = 1;
}

MixtureOrder::PartOrder& MixtureOrder::part_at(std::uint64_t place) {
  const double draw = double(split_mix(seed_ + place) >> 11) * 0x1p-53;  // 0 to below 1
  return *std::ranges::find_if(parts_, [&](const PartOrder& part) { return draw < part.up_to; });
}

std::size_t MixtureOrder::at(std::uint64_t place) {
  if (parts_.size() == 1) return parts_[0].order.at(place);
  if (place < next_) {
    for (PartOrder& part : parts_) part.drawn = 0;
    next_ = 0;
  }
  for (; next_ < place; ++next_) ++part_at(next_).drawn;
  PartOrder& part = part_at(next_++);
  return part.first + part.order.at(part.drawn++);
}

}  // namespace palisade
