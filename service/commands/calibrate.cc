#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/format.h"
#include "base/log.h"
#include "base/natural_order.h"
#include "base/whole_file.h"
#include "model/decoding/generation.h"
#include "model/weights/calibration.h"
#include "model/weights/checkpoint.h"
#include "service/asking/picks.h"
#include "service/commands/command.h"
#include "service/terminal/interrupt.h"
#include "service/terminal/output.h"
#include "service/terminal/progress.h"
#include "service/transfer/picture_loader.h"
#include "tasks/prompt.h"

namespace palisade {
namespace {

namespace fs = std::filesystem;

// Long answers add little: to a calibration their tokens look like those of the prompt.
constexpr int kMaxAnswerTokens = 16;

struct CalibrateOptions {
  std::string folder;
  std::vector<std::string> inputs;
  std::vector<std::string> questions = {"caption en", "how many people are there?", "is there a car?",
                                        "detect person"};
  int examples = 16;
  int frames = 16;
  std::string precision = "f32";
  std::string output;
};

// The pictures of a folder in natural order, or the input itself where it is no folder.
std::vector<std::string> files_of(const std::string& input) {
  if (!fs::is_directory(input)) return {input};
  std::vector<std::string> files;
  for (const auto& entry : fs::directory_iterator(input)) {
    if (is_picture_file(entry.path().string())) files.push_back(entry.path().string());
  }
  if (files.empty()) throw UsageError(input + ": holds no JPEG, PNG or WebP picture");
  std::ranges::sort(files, comes_before);
  return files;
}

std::string prompt_of(const std::string& question) {
  PlainText prompt = prompt_of_words(question, "en");
  if (!prompt.fault.empty()) throw UsageError("a --question " + prompt.fault);
  return std::move(prompt.text);
}

// Every picture and video with every question, then the examples of JSONL files with their own prompts.
std::vector<TransferRecord> records_of(const CalibrateOptions& options, const TransferSettings& settings,
                                       const ModelConfig& config, const Tokenizer& tokenizer) {
  std::vector<TransferRecord> records;
  for (const std::string& input : options.inputs) {
    if (!fs::exists(input)) throw UsageError(input + ": no such file or folder");
    if (fs::path(input).extension() == ".jsonl") {
      LineProblems problems;
      const auto lines = read_transfer_lines(input, problems);
      std::ranges::move(transfer_records(lines, settings, config, tokenizer, problems),
                        std::back_inserter(records));
      require_none(problems);
      continue;
    }
    for (const std::string& file : files_of(input)) {
      for (const std::string& question : options.questions) {
        TransferRecord record{.place = file,
                              .tokens = example_tokens(config, tokenizer, prompt_of(question), "")};
        if (is_picture_file(file)) {
          record.pictures = {file};
        } else {
          record.video = file;
        }
        records.push_back(std::move(record));
      }
    }
  }
  return records;
}

// Answers --examples of the records, drawn at random. False where a stop was requested.
bool answer(const PaliGemma& model, PictureLoader& loader, std::span<const TransferRecord> records,
            int wanted, const std::stop_token& stop) {
  Progress progress("calibrating");
  ExampleOrder order(records.size(), 0);
  const std::size_t count = std::min(records.size(), std::size_t(wanted));
  std::size_t tokens = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (stop.stop_requested()) return false;
    progress.show(double(i) / double(count), format("{} of {} examples, {} tokens", i, count, tokens));
    const TransferRecord& record = records[order.at(i)];
    Sequence sequence =
        model.prefill(model.encode(loader.images(record, i)), record.tokens.prompt, kMaxAnswerTokens);
    tokens += std::size_t(sequence.length());
    decode(model, std::move(sequence), {.max_new_tokens = kMaxAnswerTokens});
  }
  progress.clear();
  log_info(format("calibrated with {} examples, {} tokens", count, tokens));
  return true;
}

int calibrate(const CalibrateOptions& options) {
  const Interrupt interrupt;
  const fs::path folder = options.folder;
  const fs::path file = options.output.empty() ? folder / kCalibrationFile : fs::path(options.output);
  const ModelConfig config = read_model_config(folder);
  const Preprocessor preprocessor = read_preprocessor(folder, config.vision.image_size);
  // Frames of a video are about a quarter of a second apart and begin at a random offset.
  const TransferSettings settings{.text_length = config.text.max_position_embeddings,
                                  .frames = options.frames,
                                  .frame_step = 8,
                                  .allow_empty_suffix = true};
  const auto records = records_of(options, settings, config, Tokenizer(folder));
  WholeFile written(file);  // opened now, so that an error comes before minutes of work
  PrecisionChoice precision;
  read_precision(options.precision, precision);
  RecordedInputs inputs;
  log_info("loading " + folder.string() + " in " + options.precision);
  auto loading = std::make_unique<ImmediateExit>(kFailed);
  const PaliGemma model(folder, SlidingWindow::kTransformers, *precision, {.record = &inputs});
  loading.reset();
  KeptPictures none;  // no example is asked twice
  PictureLoader loader(preprocessor, settings, none);
  if (!answer(model, loader, records, options.examples, interrupt.token())) return kFailed;
  written.write(Calibration(config, inputs, Checkpoint(folder).fingerprint()).text());
  written.commit();
  print_line(file.string());
  return kDone;
}

}  // namespace

void add_model_calibrate(CLI::App& model_command, Run& run) {
  const auto options = std::make_shared<CalibrateOptions>();
  CLI::App* const command = model_command.add_subcommand(
      "calibrate",
      "Have a model answer questions about your pictures and write what lets int8 keep more of its answers");
  command->add_option("DIR", options->folder, "Model folder in Hugging Face layout")->required();
  command
      ->add_option("INPUT", options->inputs,
                   "Pictures, folders of pictures, videos, or JSONL examples such as the model will see")
      ->type_name("FILE|DIR")
      ->required();
  command
      ->add_option("--question", options->questions,
                   "Question about each picture and video, as `palisade ask` takes it; may be repeated")
      ->allow_extra_args(false)
      ->capture_default_str();
  command
      ->add_option(
          "--examples", options->examples,
          "Inputs that are answered, drawn with a fixed seed; more than 4,000 image tokens bring little")
      ->envname("PALISADE_CALIBRATION_EXAMPLES")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  command->add_option("--frames", options->frames, "Frames of a video")
      ->envname("PALISADE_FRAMES")
      ->check(CLI::Range(1, 16))
      ->capture_default_str();
  command
      ->add_option("--precision", options->precision,
                   "Number format while it answers; bf16 takes half the memory of f32")
      ->check(CLI::IsMember({"f32", "bf16"}))
      ->capture_default_str();
  command
      ->add_option("--output", options->output,
                   "File to write; default: calibration.json in DIR, which int8 uses by itself")
      ->envname("PALISADE_OUTPUT")
      ->type_name("FILE");
  command->footer(
      "\nExamples:\n"
      "  palisade model calibrate paligemma-3b-mix-224 pictures/ street.mp4\n"
      "  palisade model calibrate /srv/models/paligemma-3b-mix-224 train.jsonl --output cal.json\n"
      "  palisade ask \"who is there?\" door.jpg --model /srv/models/paligemma-3b-mix-224 --precision int8 "
      "--calibration cal.json");
  command->callback([&run, options] { run = [options] { return calibrate(*options); }; });
}

}  // namespace palisade
