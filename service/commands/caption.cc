#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <stdexcept>
#include <stop_token>

#include "base/error.h"
#include "base/format.h"
#include "base/log.h"
#include "service/asking/batch.h"
#include "service/asking/frame_folder.h"
#include "service/asking/picks.h"
#include "service/commands/command.h"
#include "service/commands/frames_to_flag.h"
#include "service/commands/json_lines.h"
#include "service/commands/model_flags.h"
#include "service/commands/prune_flag.h"
#include "service/commands/sampling_flags.h"
#include "service/commands/trust_flags.h"
#include "service/commands/url_file_flag.h"
#include "service/terminal/interrupt.h"
#include "service/terminal/output.h"
#include "service/terminal/progress.h"
#include "tasks/task.h"

namespace palisade {
namespace {

struct CaptionOptions {
  std::vector<std::string> inputs;  // one, unless --url-file is given
  std::string url_file;
  std::string input;
  TrustFlags trust;
  ModelFlags model;
  std::string adapter_folder;
  SharedAdapter adapter;
  std::string language = "en";
  SamplingFlags sampling;
  int max_new_tokens = 64;
  Prune prune;
  bool json = false;
  std::string frames_to;
};

std::string prompt_of(const CaptionOptions& options) {
  const Task& task = *find_task("caption");
  const Wording wording{.language = options.language};
  if (const auto fault = wording_fault(task, wording)) throw UsageError("--language: " + *fault);
  return task.prompt(wording);
}

std::string window_line(const Request& request, const Reply& reply) {
  const Clip& clip = request.clip;
  const bool tenths = clip.sampling.span.count() % 1000 != 0 || clip.sampling.stride.count() % 1000 != 0;
  std::string line = "[" + position_text(clip.frames.front().stamp.pts, tenths);
  if (clip.frames.size() > 1) line += " - " + position_text(latest(clip).stamp.pts, tenths);
  line += "] " + escaped(reply.answer.text);
  if (request.dropped_before > 0) line += format(" [{} dropped before]", request.dropped_before);
  return line;
}

int caption_picture(const CaptionOptions& options, EngineModel& model, FrameFolder* folder,
                    const std::stop_token& stop) {
  Request request{.clip = clip_of_pictures({&options.input, 1}, model),
                  .prompts = {prompt_of(options)},
                  .max_new_tokens = options.max_new_tokens,
                  .adapter = options.adapter};
  const auto reply = ask_once(model, request, stop);
  if (!reply) return kFailed;
  if (folder) folder->write(request.clip);
  if (options.json) {
    JsonOutput().write(record_of_answer("caption", request, *reply, model, {.pictures = true}));
  } else {
    print_line(escaped(reply->answer.text));
  }
  return kDone;
}

// Writes frames on the engine's thread, where no exception may pass. A failure ends the reading.
class FrameWriting {
 public:
  FrameWriting(FrameFolder* folder, const std::stop_token& stop)
      : folder_(folder), on_stop_(stop, [this] { stop_.request_stop(); }) {}

  void write(const Clip& clip) {
    if (folder_ == nullptr || !error_.empty()) return;
    try {
      folder_->write(clip);
    } catch (const std::exception& error) {
      error_ = error.what();
      stop_.request_stop();
    }
  }
  bool failed() const { return !error_.empty(); }
  void require_none() const {
    if (failed()) throw std::runtime_error(error_);
  }
  std::stop_token token() const { return stop_.get_token(); }

 private:
  FrameFolder* const folder_;
  std::string error_;  // used by the engine's thread until it has ended
  std::stop_source stop_;
  std::stop_callback<std::function<void()>> on_stop_;
};

SourceOptions source_of(const CaptionOptions& options) {
  SourceOptions source{.url = options.input, .allow_launch = true};
  apply(options.trust, source);
  return source;
}

int caption_video(const CaptionOptions& options, EngineModel& model, FrameFolder* folder,
                  const std::stop_token& stop) {
  BatchOptions batch{.source = source_of(options),
                     .stream = stream_name_of(options.input),
                     .sampling = sampling_of(options.sampling),
                     .prompt = prompt_of(options),
                     .max_new_tokens = options.max_new_tokens,
                     .prune = options.prune,
                     .adapter = options.adapter};
  Progress progress("caption");
  std::uint64_t windows = 0;
  FrameWriting writing(folder, stop);
  JsonOutput events;  // used by the engine's thread
  std::uint64_t lost = 0;
  lost += run_batch(
      batch, model,
      [&](const Request& request, const Reply& reply, std::optional<MediaTime> duration) {
        lost += request.dropped_before;
        progress.clear();
        writing.write(request.clip);
        if (writing.failed()) return;
        if (options.json) {
          events.write(record_of_answer("caption", request, reply, model));
        } else {
          print_line(window_line(request, reply));
        }
        progress.show(latest(request.clip).stamp.pts, duration, ++windows);
      },
      writing.token());
  progress.clear();
  writing.require_none();
  if (stop.stop_requested()) return kFailed;
  log_info(format("caption: {}{}{}", windows, windows == 1 ? " window" : " windows",
                  lost > 0 ? format(", {} dropped", lost) : ""));
  return kDone;
}

int caption(CaptionOptions options) {
  options.input = inputs_of(options.inputs, options.url_file).front();
  source_of(options);  // reports a wrong flag before the model is loaded
  sampling_of(options.sampling);
  prompt_of(options);
  require_video_for(options.prune, is_picture_file(options.input) ? 1 : sampling_of(options.sampling).count);
  const auto folder = options.frames_to.empty() ? nullptr : std::make_unique<FrameFolder>(options.frames_to);
  const Interrupt interrupt;
  const auto model = load_model(options.model);
  options.adapter = load_adapter(*model, options.adapter_folder);
  return is_picture_file(options.input) ? caption_picture(options, *model, folder.get(), interrupt.token())
                                        : caption_video(options, *model, folder.get(), interrupt.token());
}

}  // namespace

void add_caption(CLI::App& app, Run& run) {
  CLI::App* const command =
      app.add_subcommand("caption", "Say what happens in a video, window by window, or in a picture");
  const auto options = std::make_shared<CaptionOptions>();
  command
      ->add_option("INPUT", options->inputs,
                   "Video, picture, folder of pictures, or an http(s):, rtsp(s):, v4l2: or gst: address")
      ->type_name("FILE|URL")
      ->expected(0, 1);
  add_url_file_flag(*command, options->url_file);
  add_trust_flags(*command, options->trust);
  add_model_flags(*command, options->model);
  add_adapter_flag(*command, options->adapter_folder);
  add_sampling_flags(*command, options->sampling);
  add_prune_flag(*command, options->prune);
  command->add_option("--language", options->language, "Language of the answers")
      ->envname("PALISADE_LANGUAGE")
      ->capture_default_str();
  command->add_option("--max-new-tokens", options->max_new_tokens, "Longest answer, in tokens")
      ->envname("PALISADE_MAX_NEW_TOKENS")
      ->check(CLI::Range(1, 512))
      ->capture_default_str();
  command->add_flag("--json", options->json, "Print one event a line, as `palisade serve` publishes it");
  add_frames_to_flag(*command, options->frames_to);
  command->footer(
      "\nExamples:\n"
      "  palisade caption street.mp4 --every 4s\n"
      "  palisade caption street.mp4 --frames 16 --span 8s --every 4s --json > events.jsonl\n"
      "  palisade caption rtsp://camera/stream --frames 1 --every 5s\n"
      "  palisade caption picture.jpg");
  command->callback([&run, options] { run = [options] { return caption(*options); }; });
}

}  // namespace palisade
