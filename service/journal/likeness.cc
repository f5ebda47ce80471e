#include "service/journal/likeness.h"

#include <algorithm>
#include <cstring>
#include <functional>

#include "base/eigen.h"
#include "service/journal/database.h"
#include "service/journal/event_store.h"

namespace palisade {
namespace {

using Halves = Eigen::Matrix<Eigen::half, Eigen::Dynamic, Eigen::Dynamic>;
constexpr Eigen::Index kAlikeBlock = 1024;  // vectors that are multiplied at once

// Vectors side by side, with the events that they are of.
class VectorBlock {
 public:
  explicit VectorBlock(const Eigen::VectorXf& wanted)
      : wanted_(wanted), vectors_(wanted.size(), kAlikeBlock) {}

  void add(std::int64_t position, const std::string& bytes, std::vector<AlikeEvent>& found) {
    // Those of another model have another size.
    if (bytes.size() != std::size_t(wanted_.size()) * sizeof(Eigen::half)) return;
    std::memcpy(vectors_.col(Eigen::Index(positions_.size())).data(), bytes.data(), bytes.size());
    positions_.push_back(position);
    if (Eigen::Index(positions_.size()) == kAlikeBlock) multiply(found);
  }
  void multiply(std::vector<AlikeEvent>& found) {
    const auto count = Eigen::Index(positions_.size());
    const Eigen::VectorXf cosines = vectors_.leftCols(count).cast<float>().transpose() * wanted_;
    for (Eigen::Index i = 0; i < count; ++i) found.push_back({positions_[std::size_t(i)], cosines[i]});
    positions_.clear();
  }

 private:
  const Eigen::VectorXf& wanted_;
  Halves vectors_;
  std::vector<std::int64_t> positions_;
};

}  // namespace

std::string half_floats(std::span<const float> vector) {
  std::string bytes(vector.size() * sizeof(Eigen::half), '\0');
  for (std::size_t i = 0; i < vector.size(); ++i) {
    const Eigen::half half(vector[i]);
    std::memcpy(bytes.data() + i * sizeof half, &half, sizeof half);
  }
  return bytes;
}

std::vector<float> floats_of(std::string_view half_floats) {
  std::vector<float> vector(half_floats.size() / sizeof(Eigen::half));
  for (std::size_t i = 0; i < vector.size(); ++i) {
    Eigen::half half;
    std::memcpy(&half, half_floats.data() + i * sizeof half, sizeof half);
    vector[i] = float(half);
  }
  return vector;
}

std::vector<AlikeEvent> alike_events(const std::filesystem::path& state_folder, std::int64_t position,
                                     std::size_t count) {
  const auto file = journal_file(state_folder);
  return guarded(file, [&] {
    std::vector<AlikeEvent> found;
    SQLite::Database database = open_database(file, Access::kRead);
    SQLite::Statement one(database, "SELECT vector FROM likeness WHERE position = ?");
    one.bind(1, position);
    if (!one.executeStep()) return found;
    const std::vector<float> vector = floats_of(one.getColumn(0).getString());
    const Eigen::VectorXf wanted =
        Eigen::Map<const Eigen::VectorXf>(vector.data(), Eigen::Index(vector.size()));
    VectorBlock block(wanted);
    SQLite::Statement all(database, "SELECT position, vector FROM likeness WHERE position <> ?");
    all.bind(1, position);
    while (all.executeStep()) block.add(all.getColumn(0).getInt64(), all.getColumn(1).getString(), found);
    block.multiply(found);
    const auto some = std::ptrdiff_t(std::min(count, found.size()));
    std::ranges::partial_sort(found, found.begin() + some, std::greater{}, &AlikeEvent::cosine);
    found.resize(std::size_t(some));
    return found;
  });
}

}  // namespace palisade
