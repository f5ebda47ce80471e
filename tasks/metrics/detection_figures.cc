#include "tasks/metrics/detection_figures.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <optional>

#include "base/eigen.h"

namespace palisade {
namespace {

constexpr std::size_t kMostFound = 100;  // of a picture and category
constexpr std::array<std::size_t, 3> kLimits = {1, 10, kMostFound};
constexpr int kRecalls = 101;  // 0, 0.01, ... 1

struct AreaRange {
  double least, most;
  bool holds(double area) const { return area >= least && area <= most; }
};
constexpr AreaRange kRanges[] = {{0, 1e10}, {0, 32 * 32}, {32 * 32, 96 * 96}, {96 * 96, 1e10}};

// [found, labelled], in the order of scores and as given.
using Overlaps = Eigen::MatrixXd;

double box_overlap(const std::array<double, 4>& found, const std::array<double, 4>& labelled, bool crowd) {
  const double width =
      std::min(found[0] + found[2], labelled[0] + labelled[2]) - std::max(found[0], labelled[0]);
  const double height =
      std::min(found[1] + found[3], labelled[1] + labelled[3]) - std::max(found[1], labelled[1]);
  if (width <= 0 || height <= 0) return 0;
  const double common = width * height;
  const double area = found[2] * found[3];
  return common / (crowd ? area : area + labelled[2] * labelled[3] - common);
}

// The objects of one category of a picture: its best found ones by score, with their place in the picture.
struct CategoryPicture {
  std::vector<const LabelledObject*> labelled;
  std::vector<const FoundObject*> found;
  std::vector<std::size_t> places;
  Overlaps overlaps;

  CategoryPicture(const JudgedPicture& picture, std::int64_t category, bool masks) {
    for (const LabelledObject& object : picture.labelled) {
      if (object.category == category) labelled.push_back(&object);
    }
    for (std::size_t i = 0; i < picture.found.size(); ++i) {
      if (picture.found[i].category == category) places.push_back(i);
    }
    std::ranges::stable_sort(places, [&](std::size_t a, std::size_t b) {
      return picture.found[a].score > picture.found[b].score;
    });
    places.resize(std::min(places.size(), kMostFound));
    for (const std::size_t place : places) found.push_back(&picture.found[place]);
    overlaps.resize(Eigen::Index(found.size()), Eigen::Index(labelled.size()));
    for (std::size_t d = 0; d < found.size(); ++d) {
      for (std::size_t g = 0; g < labelled.size(); ++g) {
        overlaps(Eigen::Index(d), Eigen::Index(g)) =
            masks ? mask_overlap(*found[d]->mask, *labelled[g]->mask, labelled[g]->crowd)
                  : box_overlap(found[d]->box, labelled[g]->box, labelled[g]->crowd);
      }
    }
  }
};

double area_of(const FoundObject& object, bool masks) {
  return masks ? double(area_of(*object.mask)) : object.box[2] * object.box[3];
}

// The matches of a picture's category for objects of one range of sizes.
struct PictureMatches {
  std::vector<double> scores;
  std::vector<std::array<ObjectMatch, kOverlapThresholds>> matches;
  std::size_t to_find = 0;  // labelled objects that count
};

PictureMatches match(const CategoryPicture& picture, const AreaRange& range, bool masks) {
  const auto ignored = [&](const LabelledObject& object) {
    return object.crowd || !range.holds(object.area);
  };
  std::vector<std::size_t> order(picture.labelled.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_partition(order, [&](std::size_t g) { return !ignored(*picture.labelled[g]); });
  PictureMatches result;
  for (const LabelledObject* const object : picture.labelled) result.to_find += !ignored(*object);
  for (const FoundObject* const object : picture.found) result.scores.push_back(object->score);
  result.matches.resize(picture.found.size());
  const auto thresholds = overlap_thresholds();
  for (std::size_t t = 0; t < thresholds.size(); ++t) {
    std::vector<bool> taken(order.size());
    for (std::size_t d = 0; d < picture.found.size(); ++d) {
      double best = std::min(thresholds[t], 1 - 1e-10);
      std::optional<std::size_t> matched;
      for (const std::size_t g : order) {
        const LabelledObject& object = *picture.labelled[g];
        if (taken[g] && !object.crowd) continue;
        // Those that count come first, and an ignored one is taken only where none of them was.
        if (matched && !ignored(*picture.labelled[*matched]) && ignored(object)) break;
        const double overlap = picture.overlaps(Eigen::Index(d), Eigen::Index(g));
        if (overlap < best) continue;
        best = overlap;
        matched = g;
      }
      ObjectMatch& found = result.matches[d][t];
      if (matched) {
        taken[*matched] = true;
        found = {picture.labelled[*matched]->id, ignored(*picture.labelled[*matched])};
      } else {
        found.ignored = !range.holds(area_of(*picture.found[d], masks));
      }
    }
  }
  return result;
}

// Average precision and recall of one category, range and limit by threshold; nothing to find: none.
struct PrecisionRecall {
  std::array<double, kOverlapThresholds> precision, recall;
};

std::optional<PrecisionRecall> precision_recall(const std::vector<PictureMatches>& pictures,
                                                std::size_t limit) {
  struct Found {
    double score;
    const std::array<ObjectMatch, kOverlapThresholds>* matches;
  };
  std::vector<Found> all;
  std::size_t to_find = 0;
  for (const PictureMatches& picture : pictures) {
    to_find += picture.to_find;
    for (std::size_t d = 0; d < std::min(limit, picture.scores.size()); ++d)
      all.push_back({picture.scores[d], &picture.matches[d]});
  }
  if (to_find == 0) return std::nullopt;
  std::ranges::stable_sort(all, [](const Found& a, const Found& b) { return a.score > b.score; });
  PrecisionRecall result{};
  for (std::size_t t = 0; t < kOverlapThresholds; ++t) {
    std::vector<double> precisions, recalls;
    double right = 0, wrong = 0;
    for (const Found& found : all) {
      const ObjectMatch& its = (*found.matches)[t];
      if (!its.ignored) ++(its.labelled != 0 ? right : wrong);
      recalls.push_back(right / double(to_find));
      precisions.push_back(right / (right + wrong + std::numeric_limits<double>::epsilon()));
    }
    result.recall[t] = recalls.empty() ? 0 : recalls.back();
    for (std::size_t i = precisions.size(); i-- > 1;)
      precisions[i - 1] = std::max(precisions[i - 1], precisions[i]);
    double sum = 0;
    for (int r = 0; r < kRecalls; ++r) {
      const double recall = r + 1 == kRecalls ? 1.0 : r * 0.01;
      const auto place = std::size_t(std::ranges::lower_bound(recalls, recall) - recalls.begin());
      sum += place < precisions.size() ? precisions[place] : 0;
    }
    result.precision[t] = sum / kRecalls;
  }
  return result;
}

// The mean of what categories give; -1 where none gives anything.
class CategoryMean {
 public:
  void add(const std::optional<PrecisionRecall>& of, double (*measure)(const PrecisionRecall&)) {
    if (!of) return;
    sum_ += measure(*of);
    ++count_;
  }
  double value() const { return count_ == 0 ? -1 : sum_ / double(count_); }

 private:
  double sum_ = 0;
  std::size_t count_ = 0;
};

double mean_of(const std::array<double, kOverlapThresholds>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / kOverlapThresholds;
}

// What a category gives: by range of sizes, and by limit over all sizes.
struct CategoryJudgement {
  std::array<std::optional<PrecisionRecall>, std::size(kRanges)> by_range;
  std::array<std::optional<PrecisionRecall>, kLimits.size()> by_limit;
};

DetectionFigures figures_of(std::span<const CategoryJudgement> categories) {
  const auto mean = [&](auto choose, auto measure) {
    CategoryMean over_all;
    for (const CategoryJudgement& category : categories) over_all.add(choose(category), measure);
    return over_all.value();
  };
  constexpr auto kPrecision = [](const PrecisionRecall& of) { return mean_of(of.precision); };
  constexpr auto kRecall = [](const PrecisionRecall& of) { return mean_of(of.recall); };
  const auto range = [](std::size_t i) {
    return [i](const CategoryJudgement& of) { return of.by_range[i]; };
  };
  const auto limit = [](std::size_t i) {
    return [i](const CategoryJudgement& of) { return of.by_limit[i]; };
  };
  return {.ap = mean(range(0), kPrecision),
          .ap50 = mean(range(0), [](const PrecisionRecall& of) { return of.precision[0]; }),
          .ap75 = mean(range(0), [](const PrecisionRecall& of) { return of.precision[5]; }),
          .ap_small = mean(range(1), kPrecision),
          .ap_medium = mean(range(2), kPrecision),
          .ap_large = mean(range(3), kPrecision),
          .ar1 = mean(limit(0), kRecall),
          .ar10 = mean(limit(1), kRecall),
          .ar100 = mean(limit(2), kRecall),
          .ar_small = mean(range(1), kRecall),
          .ar_medium = mean(range(2), kRecall),
          .ar_large = mean(range(3), kRecall)};
}

}  // namespace

std::array<double, kOverlapThresholds> overlap_thresholds() {
  std::array<double, kOverlapThresholds> thresholds{};
  const double step = (0.95 - 0.5) / (kOverlapThresholds - 1);  // numpy's linspace
  for (int t = 0; t < kOverlapThresholds; ++t) thresholds[std::size_t(t)] = t * step + 0.5;
  thresholds.back() = 0.95;
  return thresholds;
}

DetectionResult judge_detections(std::span<const JudgedPicture> pictures,
                                 std::span<const std::int64_t> categories, bool masks) {
  DetectionResult result;
  for (const JudgedPicture& picture : pictures) result.matches.emplace_back(picture.found.size());
  std::vector<CategoryJudgement> judgements;
  for (const std::int64_t category : categories) {
    std::array<std::vector<PictureMatches>, std::size(kRanges)> by_range;
    for (std::size_t p = 0; p < pictures.size(); ++p) {
      const CategoryPicture picture(pictures[p], category, masks);
      if (picture.labelled.empty() && picture.found.empty()) continue;
      for (std::size_t r = 0; r < std::size(kRanges); ++r)
        by_range[r].push_back(match(picture, kRanges[r], masks));
      for (std::size_t d = 0; d < picture.found.size(); ++d)
        result.matches[p][picture.places[d]] = {true, by_range[0].back().matches[d]};
    }
    CategoryJudgement& judgement = judgements.emplace_back();
    for (std::size_t r = 0; r < std::size(kRanges); ++r)
      judgement.by_range[r] = precision_recall(by_range[r], kMostFound);
    for (std::size_t i = 0; i < kLimits.size(); ++i)
      judgement.by_limit[i] = precision_recall(by_range[0], kLimits[i]);
    result.categories[category] = figures_of({&judgement, 1});
  }
  result.all = figures_of(judgements);
  return result;
}

}  // namespace palisade
