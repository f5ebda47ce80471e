#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "model/calibration.h"
#include "service/batch.h"
#include "service/command_line.h"
#include "service/commands/command.h"
#include "service/interrupt.h"
#include "service/log.h"
#include "service/model_choice.h"
#include "service/output.h"
#include "service/picks.h"
#include "tasks/task.h"

namespace palisade {
namespace {

constexpr int kFramesOfVideo = 16;

struct CalibrateOptions {
  std::string folder;
  std::vector<std::string> inputs;
  std::vector<std::string> words = {"caption en", "how many people are there?", "is there a car?",
                                    "detect person"};
  std::string output;
};

// All that is asked is answered in f32, with every product noting what goes into it.
int calibrate(const CalibrateOptions& options) {
  const std::filesystem::path file = options.output.empty()
                                         ? std::filesystem::path(options.folder) / kCalibrationFile
                                         : std::filesystem::path(options.output);
  Interrupt interrupt;
  InputNotes notes;
  const auto model = load_chosen_model(options.folder, {.notes = &notes});
  for (const std::string& input : options.inputs) {
    log_info("calibrating: " + input);
    const auto clip = is_picture_file(input) ? std::optional(clip_of_pictures({&input, 1}, *model))
                                             : clip_of_video({.url = input}, kFramesOfVideo, std::nullopt,
                                                             *model, interrupt.token());
    if (!clip) return kFailed;
    for (const std::string& words : options.words) {
      const Request request{.clip = *clip, .prompts = {prompt_of_words(words, "en")}};
      if (!ask_once(*model, request, interrupt.token())) return kFailed;
    }
  }
  write_calibration(file, notes);
  print_line(file.string());
  return kDone;
}

}  // namespace

void add_model_calibrate(CLI::App& model_command, Run& run) {
  const auto options = std::make_shared<CalibrateOptions>();
  CLI::App* const command = model_command.add_subcommand(
      "calibrate", "Make int8 keep more of a model's answers, by what its products see on your pictures");
  command->add_option("DIR", options->folder, "A model folder; it must fit into memory in f32")->required();
  command
      ->add_option("INPUT", options->inputs,
                   "Pictures and videos such as it will see; a few dozen are enough")
      ->required();
  command->add_option("--prompt", options->words,
                      "What to ask of each of them, as `palisade ask` takes it; may be repeated");
  command
      ->add_option(
          "--output", options->output,
          std::string("Where to write it; int8 reads DIR/") + kCalibrationFile + ", which is the default")
      ->type_name("FILE");
  command->footer(
      "\nExample:\n  palisade model calibrate paligemma-3b-mix-224 door*.jpg street.mp4 --prompt \"caption "
      "en\" "
      "\"who is there?\"");
  command->callback([&run, options] { run = [options] { return calibrate(*options); }; });
}

}  // namespace palisade
