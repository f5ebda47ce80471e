// `palisade replay`: asks again what stored events tell of, about the frames that they saw.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <thread>

#include "base/error.h"
#include "base/format.h"
#include "base/log.h"
#include "base/moment.h"
#include "service/asking/replayed_answer.h"
#include "service/commands/command.h"
#include "service/commands/model_choice.h"
#include "service/commands/model_flags.h"
#include "service/commands/state_flags.h"
#include "service/journal/event_query.h"
#include "service/journal/event_row.h"
#include "service/journal/frame_files.h"
#include "service/terminal/interrupt.h"
#include "service/terminal/output.h"
#include "service/terminal/progress.h"

namespace palisade {
namespace {

using std::chrono::steady_clock;

constexpr std::size_t kReplayPage = 500;
constexpr std::chrono::seconds kPatienceOfHash{600};
constexpr std::size_t kShownText = 60;

struct ReplayOptions {
  StateFlags state;
  ModelFlags model;
  std::vector<std::string> adapters;
  EventFilter filter;
  std::string id, since;
  bool json = false;
};

// The events that are meant, in order.
std::vector<StoredEvent> chosen(EventQuery& query, const ReplayOptions& options) {
  if (!options.id.empty()) return {query.event(options.id)};
  EventFilter filter = options.filter;
  filter.kind = EventKind::kAnswer;
  filter.from_ms = moment_ms(options.since, "--since");
  filter.limit = kReplayPage;
  std::vector<StoredEvent> events;
  for (std::size_t got = kReplayPage; got == kReplayPage;) {
    const auto page = query.find(filter);
    got = page.size();
    events.insert(events.end(), page.begin(), page.end());
    if (got > 0) filter.after = page.back().position;
  }
  return events;
}

// Empty images for frames that are gone or damaged.
std::vector<Image> images_of(const std::filesystem::path& folder, const StoredEvent& event) {
  std::vector<Image> images;
  for (const auto& frame : stored_frames(folder, event.id, picture_hashes_of(event.body, event.topic).frames))
    images.push_back(frame ? decode_frame(*frame) : Image());
  return images;
}

// The model that the event names, where nothing else is asked for: its precision and resize.
std::unique_ptr<EngineModel> model_for(const ReplayOptions& options, const Json& event) {
  Settings settings;
  if (!options.state.config.empty()) settings = read_settings(options.state.config);
  apply(options.model, settings);
  EngineModelOptions loading{.resize = settings.resize,
                             .sliding_window = settings.sliding_window,
                             .precision = settings.precision,
                             .weights = weight_options_of(settings)};
  const Json& model = event.at("data").at("model");
  if (options.model.precision.empty() && options.state.config.empty())
    read_precision(model.at("precision").get<std::string>(), loading.precision);
  return load_chosen_model(settings.model, loading);
}

// Those that are given, else those of the configuration.
std::vector<SharedAdapter> adapters_for(const ReplayOptions& options, EngineModel& model) {
  std::vector<std::filesystem::path> folders(options.adapters.begin(), options.adapters.end());
  if (folders.empty() && !options.state.config.empty()) {
    for (const StreamSettings& stream : read_settings(options.state.config).streams) {
      for (const TaskSettings& task : stream.tasks) {
        if (!task.adapter.empty()) folders.push_back(task.adapter);
      }
    }
  }
  std::vector<SharedAdapter> adapters;
  for (const auto& folder : folders) {
    const SharedAdapter adapter = model.load_adapter(folder);
    if (std::ranges::find(adapters, adapter) == adapters.end()) adapters.push_back(adapter);
  }
  return adapters;
}

// Large weights are hashed in idle time; without the hash the model's name alone would tell it from others.
void await_hash(const EngineModel& model, const std::stop_token& stop) {
  const auto until = steady_clock::now() + kPatienceOfHash;
  while (model.identity().sha256.empty() && steady_clock::now() < until && !stop.stop_requested())
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
}

std::string outcome_text(const ReplayedAnswer& replayed) {
  std::string text(name_of(replayed.outcome));
  if (replayed.outcome == ReplayOutcome::kSameText) text += format(", P moved {:.3f}", replayed.p_moved);
  return text;
}

std::string shown(const Json& data) {
  const std::string text = data.is_null() ? "" : data.value("text", "");
  return escaped(text.size() > kShownText ? text.substr(0, kShownText) + "..." : text);
}

void print(const StoredEvent& event, const Json& data, const ReplayedAnswer& replayed, bool json) {
  if (json) {
    const Json line = {{"id", event.id},
                       {"topic", event.topic},
                       {"outcome", name_of(replayed.outcome)},
                       {"p_moved", replayed.p_moved},
                       {"then", data},
                       {"now", replayed.now}};
    return print_line(line.dump(-1, ' ', false, Json::error_handler_t::replace));
  }
  std::string line = event.id + "  " + outcome_text(replayed);
  if (replayed.outcome == ReplayOutcome::kDiffers) line += ": " + shown(data) + " -> " + shown(replayed.now);
  print_line(line);
}

int exit_code_of(const std::map<ReplayOutcome, std::size_t>& counts) {
  if (counts.contains(ReplayOutcome::kDiffers)) return kFailed;
  const bool asked = counts.contains(ReplayOutcome::kSame) || counts.contains(ReplayOutcome::kSameText);
  return asked ? kDone : kUnavailable;
}

int replay(const ReplayOptions& options) {
  if (options.id.empty() == options.since.empty())
    throw UsageError("give the id of an event, or --since for all answers from a time on");
  const auto folder = state_folder_of(options.state);
  EventQuery query(folder);
  const std::vector<StoredEvent> events = chosen(query, options);
  if (events.empty()) throw Error("the journal has no such answers");
  const Interrupt interrupt;
  const Json first = parse_json(events.front().body, events.front().topic);
  if (!first.at("data").contains("model")) throw UsageError("event " + events.front().id + " is no answer");
  const auto model = model_for(options, first);
  // Another checkpoint is asked on purpose.
  const bool as_it_was = options.model.folder.empty() || !options.id.empty();
  if (as_it_was) await_hash(*model, interrupt.token());
  const ReplayModel asked{.model = *model, .adapters = adapters_for(options, *model), .as_it_was = as_it_was};
  std::map<ReplayOutcome, std::size_t> counts;
  for (const StoredEvent& event : events) {
    const Json parsed = parse_json(event.body, event.topic);
    const auto replayed = replay_answer(parsed, images_of(folder, event), asked, interrupt.token());
    if (!replayed) return kFailed;
    ++counts[replayed->outcome];
    print(event, parsed.at("data"), *replayed, options.json);
  }
  if (options.id.empty()) {
    std::string sum;
    for (const auto& [outcome, count] : counts)
      sum += format("{}{} {}", sum.empty() ? "" : ", ", count, name_of(outcome));
    log_info(format("{} answers: {}", events.size(), sum));
  }
  return exit_code_of(counts);
}

}  // namespace

void add_replay(CLI::App& app, Run& run) {
  CLI::App* const command =
      app.add_subcommand("replay", "Ask again what events tell of, about the frames that they saw");
  const auto options = std::make_shared<ReplayOptions>();
  command->add_option("EVENT", options->id, "The event's id, or enough of its beginning");
  command->add_option("--since", options->since, "All answers from this time on, or this long ago")
      ->type_name("TIME");
  command->add_option("--stream", options->filter.stream, "Of these, those of one stream");
  command->add_option("--task", options->filter.task, "Of these, those of one task");
  add_state_flags(*command, options->state);
  add_model_flags(*command, options->model, true);
  command
      ->add_option("--adapter", options->adapters,
                   "Folders of adapters that events name; default: those of the configuration")
      ->type_name("DIR");
  command->add_flag("--json", options->json, "Print one JSON line an answer, with both answers whole");
  command->footer(
      "\nExamples:\n"
      "  palisade replay 01KAV3Q7W6 --model /models/paligemma2-3b-mix-224\n"
      "  palisade replay --since 7d --stream gate --model /models/my-transfer --json\n"
      "\nsame: text, tokens and probabilities, to the bit (of frames that are kept exact). Exit codes: 0 the "
      "same "
      "text,\n"
      "1 another one, 3 nothing could be asked: another model, or the frames are gone.\n"
      "With --since and --model the answers of that checkpoint are compared with those that were given.");
  command->callback([&run, options] { run = [options] { return replay(*options); }; });
}

}  // namespace palisade
