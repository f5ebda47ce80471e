#pragma once

#include <cstdint>
#include <vector>

#include "service/transfer/transfer_data.h"

namespace palisade {

// The order of a mixture's records, which stand part after part: each place's part is drawn by weight, and a
// part's records come in epochs of an order of their own. All follows from the seed and the place alone, so
// that training goes on anywhere as if it had never stopped. One part is an ExampleOrder. Used by one thread;
// places in rising order are found at once, others after drawing all before them again.
class MixtureOrder {
 public:
  struct Part {
    std::size_t records = 0;
    double weight = 1;
  };

  // At least one part, each with records and a weight above 0.
  MixtureOrder(const std::vector<Part>& parts, std::uint64_t seed);
  std::size_t at(std::uint64_t place);

 private:
  struct PartOrder {
    std::size_t first = 0;  // of its records
    double up_to = 1;       // its share and those before it
    ExampleOrder order;
    std::uint64_t drawn = 0;  // before next_
  };
  PartOrder& part_at(std::uint64_t place);

  std::vector<PartOrder> parts_;
  std::uint64_t seed_;
  std::uint64_t next_ = 0;
};

}  // namespace palisade
