#include "tasks/metrics/metric.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/format.h"
#include "tasks/metrics/captions.h"
#include "tasks/metrics/closed_answers.h"
#include "tasks/metrics/detection.h"
#include "tasks/metrics/example_lines.h"
#include "tasks/metrics/segmentation.h"
#include "tasks/metrics/vqa.h"
#include "tasks/metrics/vqav2.h"

namespace palisade {
namespace {

constexpr std::array kMetrics = {
    Metric{"vqa", "acc", "acc", 100, false, false, read_vqa, score_vqa},
    Metric{"vqav2", "acc", "acc", 100, false, false, read_vqav2, score_vqav2},
    Metric{"anls", "anls", "anls", 100, false, false, read_vqa, score_anls},
    Metric{"chartqa", "relaxed_acc", "relaxed_acc", 100, false, false, read_one_answer, score_chartqa},
    Metric{"tallyqa", "acc", "acc", 100, false, false, read_tallyqa, score_tallyqa},
    Metric{"rsvqa", "acc_avg", "", 100, false, false, read_rsvqa, score_rsvqa},
    Metric{"science_qa", "acc", "acc", 100, false, false, read_one_answer, score_science_qa},
    Metric{"pope", "acc", "acc", 100, false, false, read_one_answer, score_pope},
    Metric{"nlvr2", "acc", "acc", 100, false, false, read_nlvr2, score_nlvr2},
    Metric{"aokvqa", "multiple_choice", "multiple_choice", 1, false, false, read_aokvqa, score_aokvqa},
    Metric{"caption", "cider", "cider", 100, true, false, read_caption, score_caption},
    Metric{"detection", "AP", "", 100, false, true, read_detection, score_detection},
    Metric{"segmentation", "miou", "iou", 100, false, false, read_segmentation, score_segmentation},
    Metric{"exact", "acc", "acc", 100, false, false, read_vqa, score_exact},
};

void require_object(const Json& line) {
  if (!line.is_object()) throw Error("is no JSON object ({...})");
}

std::optional<std::string> text_or_nothing(const Json& line, const char* key) {
  return given(line, key) ? std::optional(text_of_line(line, key)) : std::nullopt;
}

}  // namespace

std::span<const Metric> all_metrics() {
  return kMetrics;
}

const Metric* find_metric(std::string_view name) {
  const auto* const found = std::ranges::find(kMetrics, name, &Metric::name);
  return found == kMetrics.end() ? nullptr : found;
}

Json read_metric_id(const Json& line) {
  require_object(line);
  if (!given(line, "id")) throw Error("\"id\" is missing");
  const Json& id = line.at("id");
  if (!id.is_string() && !id.is_number_integer())
    throw Error(id.is_number() ? "\"id\" is a number too large, or no whole number"
                               : format("\"id\" is {}, neither text nor a whole number", id.type_name()));
  return id;
}

ExampleReferences read_metric_references(const Metric& metric, const Json& line,
                                         const MetricSettings& settings) {
  require_object(line);
  ExampleReferences references;
  metric.read(line, settings, references);
  return references;
}

ExamplePrediction read_metric_prediction(const Metric& metric, const Json& line,
                                         const MetricSettings& settings,
                                         const ExampleReferences& references) {
  require_object(line);
  ExamplePrediction prediction;
  if (metric.of_objects && read_found_objects(line, settings, references, prediction)) return prediction;
  const Json* from = &line;
  if (given(line, "prediction") && line.at("prediction").is_object()) {
    from = &line.at("prediction");
  } else {
    prediction.text = text_of_line_or(line, "prediction", "");
  }
  prediction.two_settings = from->contains("multiple_choice") || from->contains("direct_answer");
  prediction.multiple_choice = text_or_nothing(*from, "multiple_choice");
  prediction.direct_answer = text_or_nothing(*from, "direct_answer");
  if (prediction.two_settings) return prediction;
  if (from != &line) throw Error("\"prediction\" is object, not text: put it in quotes");
  if (!line.contains("prediction")) throw Error("\"prediction\" is missing");
  prediction.missing = line.at("prediction").is_null();
  if (metric.of_objects && !prediction.missing && references.width == 0)
    throw Error("boxes of a text need the \"width\" and \"height\" of the picture in the data");
  return prediction;
}

}  // namespace palisade
