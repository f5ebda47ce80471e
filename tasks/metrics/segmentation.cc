#include "tasks/metrics/segmentation.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/format.h"
#include "model/masks/mask.h"
#include "tasks/metrics/example_lines.h"
#include "tasks/metrics/mean.h"

namespace palisade {
namespace {

constexpr int kLastBin = 1023;
constexpr int kCodes = 128;
constexpr std::pair<const char*, double> kBoxThresholds[] = {{"boxacc/0.5", 0.5}, {"boxacc/0.75", 0.75}};

// Takes "<NAMEDIGITS>" away from the front; nothing where something else stands there or the number is `end`
// or more.
std::optional<int> take_token(std::string_view& text, std::string_view name, std::size_t digits, int end) {
  const std::size_t size = 1 + name.size() + digits + 1;
  if (text.size() < size || text[0] != '<' || text[size - 1] != '>' || text.substr(1, name.size()) != name)
    return std::nullopt;
  int number = 0;
  for (const char c : text.substr(1 + name.size(), digits)) {
    if (c < '0' || c > '9') return std::nullopt;
    number = number * 10 + (c - '0');
  }
  if (number >= end) return std::nullopt;
  text.remove_prefix(size);
  return number;
}

// Of two boxes of y1, x1, y2, x2.
double overlap_of(const std::array<double, 4>& one, const std::array<double, 4>& other) {
  const double height = std::min(one[2], other[2]) - std::max(one[0], other[0]);
  const double width = std::min(one[3], other[3]) - std::max(one[1], other[1]);
  const double common = std::max(0.0, height) * std::max(0.0, width);
  const auto area = [](const std::array<double, 4>& box) { return (box[2] - box[0]) * (box[3] - box[1]); };
  const double all = area(one) + area(other) - common;
  return all > 0 ? common / all : 0;
}

// [width, height], 1 inside
std::vector<std::uint8_t> pixels_of(const MaskRuns& mask) {
  std::vector<std::uint8_t> pixels;
  pixels.reserve(std::size_t(mask.width) * std::size_t(mask.height));
  for (std::size_t i = 0; i < mask.runs.size(); ++i) pixels.insert(pixels.end(), mask.runs[i], i % 2);
  return pixels;
}

struct SegmentScore {
  double overlap = 0;  // of masks; not a number where both are empty
  bool valid = false;
};

SegmentScore score_mask(const SegmentAnswer& answer, const ExampleReferences& truth,
                        const MetricSettings& settings) {
  const auto pixel = [](int bin, int side) { return int(double(bin) / kLastBin * side); };
  const std::array<int, 4> box = {pixel(answer.box[1], truth.width), pixel(answer.box[0], truth.height),
                                  pixel(answer.box[3], truth.width), pixel(answer.box[2], truth.height)};
  if (box[2] <= box[0] || box[3] <= box[1]) return {};
  const Mask mask = mask_in_box(settings.decode_mask(answer.codes), truth.width, truth.height, box);
  const std::vector<std::uint8_t> right = pixels_of(truth.mask);
  double common = 0, predicted = 0;
  for (int y = box[1]; y < box[3]; ++y) {
    for (int x = box[0]; x < box[2]; ++x) {
      if (!mask.holds(x, y)) continue;
      ++predicted;
      common += right[std::size_t(x) * std::size_t(truth.height) + std::size_t(y)];
    }
  }
  return {common / (double(area_of(truth.mask)) + predicted - common), true};
}

}  // namespace

std::optional<SegmentAnswer> segment_answer(std::string_view text) {
  SegmentAnswer answer;
  for (int& location : answer.box) {
    const auto number = take_token(text, "loc", 4, kLastBin + 1);
    if (!number) return std::nullopt;
    location = *number;
  }
  for (int& code : answer.codes) {
    const auto number = take_token(text, "seg", 3, kCodes);
    if (!number) return std::nullopt;
    code = *number;
  }
  if (answer.box[2] <= answer.box[0] || answer.box[3] <= answer.box[1]) return std::nullopt;
  return answer;
}

void read_segmentation(const Json& line, const MetricSettings&, ExampleReferences& references) {
  references.height = int(whole_number_of_line(line, "height", 1, kMostPictureSide));
  references.width = int(whole_number_of_line(line, "width", 1, kMostPictureSide));
  references.mask = read_mask_runs(text_of_line(line, "truth_mask"), references.height, references.width);
  constexpr const char* kBox = "truth_box_y1x1y2x2";
  if (!given(line, kBox)) throw Error(format("\"{}\" is missing", kBox));
  references.box = four_numbers_of(line.at(kBox), kBox);
  for (const double edge : references.box) {
    if (edge < 0 || edge > 1) throw Error(format("\"{}\" holds {}, which is not from 0 to 1", kBox, edge));
  }
}

MetricResult score_segmentation(std::span<const MetricExample> examples, const MetricSettings& settings) {
  if (!settings.decode_mask)
    throw UsageError(
        "segmentation needs the weights that decode masks: --mask-decoder, PaliGemma's vae-oid.npz");
  MetricResult result;
  Mean overlaps;
  std::array<Mean, std::size(kBoxThresholds)> boxes;
  double invalid = 0;
  for (const MetricExample& example : examples) {
    const auto answer = segment_answer(example.prediction.text);
    const SegmentScore score = answer ? score_mask(*answer, example.references, settings) : SegmentScore{};
    std::array<double, 4> box{};
    for (std::size_t i = 0; answer && i < box.size(); ++i) box[i] = double(answer->box[i]) / kLastBin;
    const double box_overlap = overlap_of(box, example.references.box);
    ExampleScore& told = result.examples.emplace_back();
    told.scores["iou"] = std::isnan(score.overlap) ? Json(nullptr) : Json(score.overlap);
    told.scores["box_iou"] = box_overlap;
    told.details["valid"] = score.valid;
    for (std::size_t i = 0; i < boxes.size(); ++i) {
      const auto& [name, least] = kBoxThresholds[i];
      told.details["box_iou_at_least"][std::string(name).substr(7)] = box_overlap >= least;
      boxes[i].add(box_overlap >= least);
    }
    overlaps.add(score.overlap);
    invalid += !score.valid;
  }
  if (overlaps.count() > 0 && !std::isnan(overlaps.value())) overlaps.tell(result.figures, "miou");
  for (std::size_t i = 0; i < boxes.size(); ++i) boxes[i].tell(result.figures, kBoxThresholds[i].first);
  result.figures["invalid"] = invalid;
  result.figures["total"] = double(examples.size());
  return result;
}

}  // namespace palisade
