// Examines a demo model on scenes that it was not trained on. Prints the results as Markdown, for its model
// card.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <string>

#include "base/format.h"
#include "examples/demo_model/exam_lines.h"
#include "examples/demo_model/exam_scenes.h"
#include "examples/demo_model/marks.h"
#include "model/decoding/generation.h"
#include "model/paligemma/paligemma.h"
#include "service/terminal/progress.h"

namespace palisade::world {
namespace {

struct Options {
  std::filesystem::path model = std::filesystem::path(PALISADE_CONFIGS) / "models" / "demo";
  int scenes = 1000;
  bool stills_alone = false;
  std::filesystem::path lines;  // folder to write; empty: the model is examined
};

std::string flipped(std::string text) {
  if (text == "to the right") return "to the left";
  return text == "to the left" ? "to the right" : text;
}

bool is_direction(const Question& question) {
  return mark_of(question.prefix).starts_with("direction");
}

Image grey_of(const Image& image) {
  return Image(image.width(), image.height(),
               std::vector<std::uint8_t>(std::size_t(image.width()) * std::size_t(image.height()) * 3, 128));
}

struct Results {
  std::map<std::string, Marks> marks;       // key: "still: caption"
  std::map<std::string, Marks> blank;       // the same questions about grey pictures
  std::map<std::string, Marks> by_objects;  // captions; key: "still: 2"
  std::map<std::string, Marks> by_answer;   // key: "window: direction: it stays"
  Marks reversed;                           // directions in windows that are played backwards
};

class Exam {
 public:
  explicit Exam(const PaliGemma& model) : model_(model) {}

  void take(const ExamClip& clip, bool aside) {
    const auto features = model_.encode(clip.images);
    std::vector<ImageFeatures> grey;
    if (aside) grey = model_.encode(std::vector<Image>(clip.images.size(), grey_of(clip.images[0])));
    for (const Question& question : clip.questions) {
      const std::string name = clip.task + ": " + mark_of(question.prefix);
      const Answer answer = asked(features, question.prefix);
      results.marks[name].add(answer, question);
      if (question.prefix == "caption en")
        results.by_objects[format("{}: {}", clip.task, clip.objects)].add(answer, question);
      if (is_direction(question)) results.by_answer[name + ": " + question.suffix].add(answer, question);
      if (!aside) continue;
      results.blank[name].add(asked(grey, question.prefix), question);
      if (clip.task == "window" && is_direction(question)) {
        const std::vector<ImageFeatures> backwards(features.rbegin(), features.rend());
        results.reversed.add(asked(backwards, question.prefix), {question.prefix, flipped(question.suffix)});
      }
    }
  }

  Results results;

 private:
  Answer asked(std::span<const ImageFeatures> features, const std::string& prefix) const {
    constexpr int kMaxTokens = 96;
    return decode(model_, model_.prefill(features, model_.prompt_ids(prefix), kMaxTokens),
                  {.max_new_tokens = kMaxTokens});
  }

  const PaliGemma& model_;
};

void print(const Results& results) {
  std::printf("| task | exact | n | floor | blank | |\n|---|---|---|---|---|---|\n");
  for (const auto& [name, marks] : results.marks) {
    std::string more;
    if (name.ends_with("caption")) {
      more = format("F1 of objects {:.3f}, kinds {:.3f}, colours {:.3f}", marks.captions.objects.f1(),
                    marks.captions.kinds.f1(), marks.captions.colours.f1());
      if (!name.starts_with("still") && !name.starts_with("pair"))
        more += format(", clauses {:.3f}", marks.captions.clauses.f1());
      more += "; by objects";
      for (const auto& [objects, own] : results.by_objects) {
        if (objects.starts_with(name.substr(0, name.find(':'))))
          more += format(" {}: {:.3f}", objects.substr(objects.find(':') + 2), own.exact_share());
      }
    }
    if (name.ends_with("detect"))
      more = format(
          "mean IoU {:.3f} of {} boxes, F1 at 0.5 {:.3f}, AP at 0.5 {:.3f}; confidence ranks right above "
          "wrong boxes with an area under the curve of {:.3f} ({} wrong)",
          marks.mean_overlap(), marks.boxes, marks.detection_f1(), marks.detections.average_precision(),
          marks.detections.area_under_curve(), marks.detections.wrong());
    for (const auto& [answer, own] : results.by_answer) {
      if (answer.starts_with(name + ": "))
        more += format("{} {:.3f}; ", answer.substr(name.size() + 2), own.exact_share());
    }
    const auto blank = results.blank.find(name);
    std::printf("| %s | %.3f | %d | %.3f | %s | %s |\n", name.c_str(), marks.exact_share(), marks.asked,
                marks.floor(),
                blank == results.blank.end() ? "" : format("{:.3f}", blank->second.exact_share()).c_str(),
                more.c_str());
  }
  std::printf("\nWindows backwards: the flipped direction is given in %.3f of %d.\n",
              results.reversed.exact_share(), results.reversed.asked);
}

// Calls take(clip, aside) for every clip of the exam; `aside`: it is also asked about grey pictures and
// backwards.
template <typename Take>
void for_each_clip(const Options& options, const Take& take) {
  ExamScenes scenes;
  Progress progress("exam");
  for (int i = 0; i < options.scenes; ++i) {
    const auto seed = std::uint64_t(i);
    const bool aside = i % 4 == 0;
    take(scenes.still(seed), aside);
    if (!options.stills_alone) {
      take(scenes.pair(seed), aside);
      take(scenes.window(seed), aside);
      // A scene has ten windows.
      if (i % 10 == 0) {
        for (const ExamClip& clip : scenes.rolling(seed)) take(clip, false);
      }
    }
    progress.show(double(i + 1) / options.scenes, format("{} scenes", i + 1));
  }
}

int examine(const Options& options) {
  if (!options.lines.empty()) {
    ExamLines lines(options.lines);
    for_each_clip(options, [&](const ExamClip& clip, bool) { lines.add(clip); });
    lines.finish();
    std::printf("%s\n", (options.lines / "exam.jsonl").c_str());
    return 0;
  }
  const PaliGemma model(options.model);
  Exam exam(model);
  for_each_clip(options, [&](const ExamClip& clip, bool aside) { exam.take(clip, aside); });
  print(exam.results);
  return 0;
}

}  // namespace
}  // namespace palisade::world

int main(int argc, char** argv) {
  using namespace palisade;
  world::Options options;
  CLI::App app{"Examines a demo model on scenes that it was not trained on"};
  app.add_option("--model", options.model, "Its folder")->capture_default_str();
  app.add_option("--scenes", options.scenes, "Of each task")
      ->check(CLI::Range(1, 1 << 20))
      ->capture_default_str();
  app.add_flag("--stills", options.stills_alone, "Single pictures alone: captions, questions and detection");
  app.add_option("--lines", options.lines,
                 "New folder for the same questions as `palisade evaluate` reads them, instead of an exam");
  CLI11_PARSE(app, argc, argv);
  try {
    return world::examine(options);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "palisade-examine-demo: %s\n", error.what());
    return 1;
  }
}
