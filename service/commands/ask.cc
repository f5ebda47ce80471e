#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <functional>
#include <memory>

#include "base/duration.h"
#include "base/error.h"
#include "base/format.h"
#include "base/log.h"
#include "ingest/pictures/picture.h"
#include "ingest/source/refused_file.h"
#include "service/asking/batch.h"
#include "service/asking/frame_folder.h"
#include "service/asking/mask_files.h"
#include "service/asking/picks.h"
#include "service/commands/box_flags.h"
#include "service/commands/command.h"
#include "service/commands/decoding_flags.h"
#include "service/commands/frames_to_flag.h"
#include "service/commands/json_lines.h"
#include "service/commands/model_flags.h"
#include "service/commands/prune_flag.h"
#include "service/commands/trust_flags.h"
#include "service/commands/url_file_flag.h"
#include "service/engine/certainty_file.h"
#include "service/remote/remote_question.h"
#include "service/remote/service_flags.h"
#include "service/terminal/interrupt.h"
#include "service/terminal/live_text.h"
#include "service/terminal/output.h"
#include "tasks/box_picture.h"
#include "tasks/boxes.h"
#include "tasks/certainty/calibrated_answer.h"
#include "tasks/prompt.h"
#include "tasks/task.h"

namespace palisade {
namespace {

constexpr std::size_t kMaxPictures = 16;

struct AskOptions {
  std::string words;
  std::vector<std::string> inputs;
  std::string url_file;
  TrustFlags trust;
  ModelFlags model;
  std::string adapter;
  std::string language = "en";
  int frames = 16;
  std::string span;
  std::optional<int> max_new_tokens;
  std::string type = "text";
  DecodingFlags decoding;
  BoxFlags boxes;
  Prune prune;
  bool json = false;
  std::string frames_to;
  std::string certainty;
  ServiceFlags service;
  std::vector<std::string> streams;
};

// Flags that mean something to a running service; the others are of a model in this program.
constexpr std::string_view kOfService[] = {"--service", "--token-file", "--service-ca", "--config",
                                           "--state",   "--stream",     "--language",   "--max-new-tokens",
                                           "--type",    "--choices",    "--json"};

std::string prompt_of(const AskOptions& options) {
  if (!is_language(options.language)) throw UsageError("--language is a code such as en or de");
  PlainText prompt = prompt_of_words(options.words, options.language);
  if (!prompt.fault.empty())
    throw UsageError("the question " + prompt.fault + "; such as palisade ask \"what moves?\" FILE");
  return std::move(prompt.text);
}

AnswerType type_of(const AskOptions& options) {
  const auto type = answer_type_of(options.type);
  if (!type) throw UsageError(format("--type is {}, not '{}'", kAnswerTypes, options.type));
  if (const auto fault = fault_of(*type)) throw UsageError("--type: " + *fault);
  if (type->kind == AnswerType::Kind::kText) return *type;
  if (!std::holds_alternative<Greedy>(method_of(options.decoding)) || options.decoding.top_tokens > 0)
    throw UsageError("--type says how the answer is decoded; leave --choices, --beams and sampling out");
  return *type;
}

std::optional<std::chrono::milliseconds> span_of(const AskOptions& options) {
  if (options.span.empty()) return std::nullopt;
  const auto span = duration_of(options.span);
  if (!span || span->count() == 0)
    throw UsageError("--span is a duration such as 500ms, 4s or 2m, not '" + options.span + "'");
  return span;
}

// True where all inputs are pictures, false where there is one video.
bool asks_pictures(const AskOptions& options) {
  const auto pictures = std::size_t(std::ranges::count_if(options.inputs, is_picture_file));
  if (pictures == options.inputs.size()) {
    if (pictures > kMaxPictures) throw UsageError("more than 16 pictures; ask about fewer");
    return true;
  }
  if (options.inputs.size() == 1) return false;
  const auto other = std::ranges::find_if_not(options.inputs, is_picture_file);
  const auto kind = refused_file(*other);
  throw UsageError(*other + ": " + (kind ? *kind : "no JPEG, PNG or WebP picture") +
                   "; give pictures, or one video alone");
}

// "red (red 93.1 %, blue 6.9 %)": the answer, then every choice of --choices, most probable first.
std::string line_of(const Answer& answer) {
  std::string line = escaped(answer.text);
  if (answer.choices.empty()) return line;
  std::vector<ScoredChoice> choices = answer.choices;
  std::ranges::stable_sort(choices, std::ranges::greater(), &ScoredChoice::p);
  const char* separator = " (";
  for (const ScoredChoice& choice : choices) {
    line += format("{}{} {:.1f} %", separator, escaped(choice.text), 100 * choice.p);
    separator = ", ";
  }
  return line + ")";
}

// The boxes of an answer, one a line; in pixels and with their confidence as well where there is one picture.
std::string box_lines(const AnswerEvent& event, const Clip& clip, const LocationScale& scale) {
  const Frame& frame = clip.frames.front();
  const bool one = clip.frames.size() == 1;
  const std::vector<Box> boxes = read_boxes(event.text).boxes;
  std::string lines;
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    lines += "\n  " +
             escaped(line_of(boxes[i], one ? frame.source_width : 0, one ? frame.source_height : 0, scale));
    if (i < event.boxes.size() && event.boxes[i].confidence)
      lines += format("; confidence {:.2f}", *event.boxes[i].confidence);
  }
  for (const MalformedPart& part : event.malformed)
    lines += format("\n  malformed: \"{}\" {}", escaped(part.text), part.reason);
  return lines;
}

// On the engine's thread.
void show(const AnswerProgress& progress, LiveText& live) {
  if (progress.stage == AnswerStage::kEncoding) live.await("looking at the pictures");
  if (progress.stage == AnswerStage::kPrefill) live.await("reading the prompt");
  if (progress.stage == AnswerStage::kDecoding) live.append(progress.text);
}

void require_flags_of_service(const CLI::App& command) {
  for (const CLI::Option* const option : command.get_options()) {
    const std::string name = option->get_name();
    const std::string variable = option->get_envname();
    const bool by_variable = !variable.empty() && std::getenv(variable.c_str()) != nullptr;
    if (option->count() == 0 || by_variable || !name.starts_with("--")) continue;
    if (std::ranges::find(kOfService, name) == std::end(kOfService))
      throw UsageError(name + " is of a model in this program; leave it out with --service");
  }
}

int ask_service(const AskOptions& options) {
  RemoteQuestion question{.words = options.words,
                          .language = options.language,
                          .pictures = options.inputs,
                          .streams = options.streams,
                          .type = options.type == "text" ? "" : options.type,
                          .max_new_tokens = options.max_new_tokens};
  if (options.decoding.choices) question.choices = std::get<Choices>(method_of(options.decoding)).texts;
  const Json answer = answer_of(ServiceApi(access_of(options.service)), question);
  print_line(options.json ? answer.dump(-1, ' ', false, Json::error_handler_t::replace)
                          : line_of_answer(answer));
  return kDone;
}

int ask(AskOptions options) {
  if (!options.service.url.empty()) return ask_service(options);
  if (!options.streams.empty()) throw UsageError("--stream is of a running service; give --service");
  options.inputs = inputs_of(options.inputs, options.url_file);
  const std::string prompt = prompt_of(options);
  const std::string task(task_of_prompt(prompt));
  const AnswerType type = type_of(options);
  const DecodingMethod method =
      type.kind == AnswerType::Kind::kText ? method_of(options.decoding) : method_of(type);
  const LocationScale scale = scale_of(options.boxes);
  const std::optional<MaskDecoder> masks = mask_decoder_of(options.boxes);
  const auto span = span_of(options);
  SourceOptions source{.url = options.inputs.front(), .allow_launch = true};
  apply(options.trust, source);
  const bool pictures = asks_pictures(options);
  require_one_picture_for(options.boxes, pictures ? options.inputs.size() : 0);
  require_video_for(options.prune, pictures ? int(options.inputs.size()) : options.frames);
  const auto folder = options.frames_to.empty() ? nullptr : std::make_unique<FrameFolder>(options.frames_to);
  const Interrupt interrupt;
  const auto model = load_model(options.model);
  std::optional<CertaintyCurves> curves;
  if (!options.certainty.empty()) curves = read_certainty(options.certainty, model->identity());
  const SharedAdapter adapter = load_adapter(*model, options.adapter);
  const auto clip = pictures ? std::optional(clip_of_pictures(options.inputs, *model))
                             : clip_of_video(source, options.frames, span, *model, interrupt.token());
  if (!clip) return kFailed;
  LiveText live(!options.json);
  const Request request{.clip = *clip,
                        .prompts = {prompt},
                        .max_new_tokens = options.max_new_tokens.value_or(find_task(task)->max_new_tokens),
                        .method = method,
                        .top_tokens = options.decoding.top_tokens,
                        .location_spread = options.boxes.spread,
                        .prune = options.prune,
                        .adapter = adapter,
                        .progress = [&live](const AnswerProgress& progress) { show(progress, live); }};
  const auto reply = ask_once(*model, request, interrupt.token());
  if (!reply) return kFailed;
  if (folder) folder->write(request.clip);
  AnswerRecord record = record_of_answer(
      task, request, *reply, *model,
      {.pictures = pictures, .locations = scale, .masks = masks ? &*masks : nullptr, .type = type});
  if (curves) calibrate(record.answer, *curves);
  if (!options.boxes.masks_to.empty()) write_masks(options.boxes.masks_to, record.answer);
  if (!options.boxes.picture.empty())
    write_png(options.boxes.picture, with_boxes(read_picture(options.inputs.front()), record.answer.boxes));
  if (options.json) {
    JsonOutput().write(std::move(record));
  } else {
    print_line(live.rest_of(line_of(reply->answer) + box_lines(record.answer, *clip, scale)));
  }
  return kDone;
}

}  // namespace

void add_ask(CLI::App& app, Run& run) {
  CLI::App* const command = app.add_subcommand("ask", "Ask about pictures or a video");
  const auto options = std::make_shared<AskOptions>();
  command
      ->add_option(
          "PROMPT", options->words,
          "Question, asked as \"answer en ...\"; or a whole prompt that begins with answer, caption, cap, "
          "describe, ocr, question, detect or segment")
      ->required();
  command->add_option("INPUT", options->inputs, "Up to 16 pictures in order, or one video")
      ->type_name("IMAGE...|VIDEO");
  add_url_file_flag(*command, options->url_file);
  add_trust_flags(*command, options->trust);
  add_model_flags(*command, options->model);
  add_adapter_flag(*command, options->adapter);
  command->add_option("--language", options->language, "Language of the answer to a question")
      ->envname("PALISADE_LANGUAGE")
      ->capture_default_str();
  command->add_option("--frames", options->frames, "Frames of a video, spread evenly")
      ->envname("PALISADE_FRAMES")
      ->check(CLI::Range(1, 16))
      ->capture_default_str();
  command
      ->add_option("--span", options->span,
                   "Length of a video that is looked at, from its start; default: all")
      ->envname("PALISADE_SPAN")
      ->type_name("DURATION");
  command
      ->add_option("--max-new-tokens", options->max_new_tokens,
                   "Longest answer, in tokens; default: 64, and more of describe, ocr, detect and segment")
      ->envname("PALISADE_MAX_NEW_TOKENS")
      ->check(CLI::Range(1, 512));
  command
      ->add_option(
          "--type", options->type,
          "What the answer is: text, yes_no, count:N (0 to N) or choice:A,B; each with its probability "
          "in all spellings, without decoding")
      ->envname("PALISADE_TYPE")
      ->capture_default_str();
  add_decoding_flags(*command, options->decoding);
  add_box_flags(*command, options->boxes);
  add_prune_flag(*command, options->prune);
  command->add_flag("--json", options->json, "Print the answer's event as one JSON line");
  command
      ->add_option("--certainty", options->certainty,
                   "Curves of `palisade calibrate-answers`: --json adds calibrated probabilities")
      ->envname("PALISADE_CERTAINTY")
      ->type_name("FILE");
  add_frames_to_flag(*command, options->frames_to);
  add_service_flags(*command, options->service);
  command
      ->add_option("--stream", options->streams,
                   "With --service: its newest picture of this stream; twice: of two, to be compared")
      ->delimiter(',');
  command->footer(
      "\nExamples:\n"
      "  palisade ask \"what colour is the car?\" street.jpg\n"
      "  palisade ask \"both images contain a red car\" left.jpg right.jpg\n"
      "  palisade ask \"is the car red or blue?\" street.jpg --choices red,blue\n"
      "  palisade ask \"did anything enter?\" street.mp4 --type yes_no\n"
      "  palisade ask \"how many cars are there?\" street.jpg --type count:9\n"
      "  palisade ask \"detect car ; dog\" street.jpg --picture boxes.png\n"
      "  palisade ask \"is the gate open?\" --service http://127.0.0.1:8420 --stream gate --type yes_no\n"
      "\nBoxes (<locDDDD> four times, then a label) are y_min, x_min, y_max, x_max from 0 to 1023 of the "
      "picture's "
      "height and width, from its upper left corner. Without --json each is printed in pixels, too.");
  command->callback([&run, options, command] {
    if (!options->service.url.empty()) require_flags_of_service(*command);
    run = [options] { return ask(*options); };
  });
}

}  // namespace palisade
