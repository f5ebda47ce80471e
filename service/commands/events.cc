// `palisade events`: lists, searches and follows the journal; shows, keeps and judges single events.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <thread>

#include "base/error.h"
#include "base/format.h"
#include "base/log.h"
#include "base/moment.h"
#include "base/whole_file.h"
#include "ingest/pictures/picture.h"
#include "service/asking/mask_files.h"
#include "service/commands/command.h"
#include "service/commands/state_flags.h"
#include "service/events/event_line.h"
#include "service/journal/contact_sheet.h"
#include "service/journal/event_query.h"
#include "service/journal/event_row.h"
#include "service/journal/event_upkeep.h"
#include "service/journal/frame_files.h"
#include "service/journal/likeness.h"
#include "service/terminal/interrupt.h"
#include "service/terminal/output.h"

namespace palisade {
namespace {

constexpr std::size_t kPage = 1000;
constexpr std::size_t kShownByDefault = 50;
constexpr std::chrono::milliseconds kBetweenLooks{200};

struct ListOptions {
  StateFlags state;
  EventFilter filter;
  std::string kind, from, to, like;
  std::optional<double> min_p;
  std::size_t limit = 0;  // 0: not given
  bool json = false, follow = false;
};

// "01KAV3Q7W6E5N1Y3ZC8TQ0F4HM 2026-11-23 09:05:24 front_door caption: a red car ..."
void print(const StoredEvent& event, bool json) {
  if (json) return print_line(event.body);
  const Json parsed = parse_json(event.body, event.topic);
  const std::string date = parsed.value("time", "").substr(0, 10);
  print_line(event.id + " " + date + " " + event_line(event.topic, parsed) + (event.kept ? " [kept]" : ""));
}

EventFilter filter_of(const ListOptions& options) {
  EventFilter filter = options.filter;
  filter.min_p = options.min_p;
  if (options.kind == "answer") filter.kind = EventKind::kAnswer;
  if (options.kind == "state") filter.kind = EventKind::kState;
  if (options.kind == "alert") filter.kind = EventKind::kAlert;
  if (!options.from.empty()) filter.from_ms = moment_ms(options.from, "--from");
  if (!options.to.empty()) filter.to_ms = moment_ms(options.to, "--to");
  return filter;
}

// The newest, oldest of them first.
std::vector<StoredEvent> newest(EventQuery& query, EventFilter filter, std::size_t count) {
  filter.newest_first = true;
  filter.limit = count;
  std::vector<StoredEvent> events = query.find(filter);
  std::ranges::reverse(events);
  return events;
}

// All from `filter.after` on, page by page; returns the position to go on from.
std::int64_t print_all(EventQuery& query, EventFilter filter, bool json, const std::stop_token& stop) {
  filter.limit = kPage;
  while (!stop.stop_requested()) {
    const std::vector<StoredEvent> page = query.find(filter);
    for (const StoredEvent& event : page) print(event, json);
    if (!page.empty()) filter.after = page.back().position;
    if (page.size() < kPage) break;
  }
  return filter.after;
}

// Most alike first, with the cosine.
int list_alike(const ListOptions& options) {
  const auto folder = state_folder_of(options.state);
  EventQuery query(folder);
  const auto alike = alike_events(folder, query.event(options.like).position,
                                  options.limit > 0 ? options.limit : kShownByDefault);
  if (alike.empty()) log_info("the event has no stored likeness, or is the only one that has");
  for (const AlikeEvent& one : alike) {
    const auto events = query.at({one.position});
    if (events.empty()) continue;
    if (!options.json) std::printf("%.3f ", double(one.cosine));
    print(events.front(), options.json);
  }
  return kDone;
}

int list(const ListOptions& options) {
  if (!options.like.empty()) return list_alike(options);
  EventQuery query(state_folder_of(options.state));
  EventFilter filter = filter_of(options);
  const Interrupt interrupt;
  const std::int64_t last = query.last_position();
  // A person looks at the newest, a program at all.
  const std::size_t limit = options.limit > 0 ? options.limit : options.json ? 0 : kShownByDefault;
  if (limit > 0) {
    for (const StoredEvent& event : newest(query, filter, limit)) print(event, options.json);
    filter.after = last;
  } else {
    filter.after = std::max(last, print_all(query, filter, options.json, interrupt.token()));
  }
  while (options.follow && !interrupt.token().stop_requested()) {
    std::this_thread::sleep_for(kBetweenLooks);
    filter.after = print_all(query, filter, options.json, interrupt.token());
  }
  return kDone;
}

// Flags of the list are not those of what is done with one event, and would be passed over.
void refuse_flags_before(const CLI::App& command, const std::string& subcommand) {
  for (const CLI::Option* option : command.get_options()) {
    if (option->count() == 0) continue;
    const char* const environment =
        option->get_envname().empty() ? nullptr : std::getenv(option->get_envname().c_str());
    if (environment != nullptr && option->results().front() == environment) continue;
    throw UsageError(format("{0} stands before {1}, where it is not heard; flags of {1} come behind it",
                            option->get_name(), subcommand));
  }
}

void add_list(CLI::App& command, Run& run) {
  const auto options = std::make_shared<ListOptions>();
  add_state_flags(command, options->state);
  command.add_option("--words", options->filter.words, "Words that are all in the text")->type_name("WORDS");
  command.add_option("--stream", options->filter.stream, "Name of a stream");
  command.add_option("--task", options->filter.task, "Name of a task, as in its topic");
  command.add_option("--kind", options->kind, "Kind of event")
      ->check(CLI::IsMember({"answer", "state", "alert"}));
  command.add_option("--from", options->from, "From this time on, or this long ago")->type_name("TIME");
  command.add_option("--to", options->to, "Before this time")->type_name("TIME");
  command.add_option("--min-p", options->min_p, "Least probability of the answer")
      ->check(CLI::Range(0.0, 1.0));
  command
      .add_option("--like", options->like,
                  "Answers whose last frame means the same as that of an event's, most alike first")
      ->type_name("ID");
  command.add_option("--limit", options->limit, "The newest N alone; default: 50, or all with --json")
      ->check(CLI::Range(1, 1'000'000'000));
  command.add_flag("--json", options->json, "Print each event as it was published, one a line");
  command.add_flag("--follow", options->follow, "Go on with events as they are stored");
  command.callback([&run, options, &command] {
    if (command.get_subcommands().empty()) {
      run = [options] { return list(*options); };
    } else {
      refuse_flags_before(command, command.get_subcommands().front()->get_name());
    }
  });
}

struct OneOptions {
  StateFlags state;
  std::string id;
  bool undo = false;
  std::string verdict;
  std::string text;
  std::string sheet, frames, view, masks;
};

// The folder and the whole id of the event that is meant.
struct Meant {
  std::filesystem::path folder;
  StoredEvent event;
};

Meant meant_by(const OneOptions& options) {
  std::filesystem::path folder = state_folder_of(options.state);
  StoredEvent event = EventQuery(folder).event(options.id);
  return {std::move(folder), std::move(event)};
}

// What an answer saw; empty for other events.
std::vector<std::optional<EncodedFrame>> frames_of(const std::filesystem::path& folder,
                                                   const StoredEvent& event) {
  return stored_frames(folder, event.id, picture_hashes_of(event.body, event.topic).frames);
}

std::ptrdiff_t gone_of(const std::vector<std::optional<EncodedFrame>>& frames) {
  return std::ranges::count_if(frames, [](const auto& frame) { return !frame; });
}

// Returns the names of the files, in order.
std::vector<std::string> write_frames(const std::filesystem::path& folder,
                                      const std::vector<std::optional<EncodedFrame>>& frames) {
  std::filesystem::create_directories(folder);
  std::vector<std::string> names;
  for (std::size_t i = 0; i < frames.size(); ++i) {
    if (!frames[i]) continue;
    const PictureFile picture = picture_file(*frames[i]);
    names.push_back(format("{:02}.{}", i + 1, picture.extension));
    write_whole_file(folder / names.back(), picture.bytes);
  }
  return names;
}

void write_view(const std::filesystem::path& folder, const StoredEvent& event,
                const std::filesystem::path& to) {
  const std::string hash = picture_hashes_of(event.body, event.topic).view;
  const auto view = hash.empty() ? std::nullopt : std::move(stored_frames(folder, event.id, {hash}).front());
  if (!view) throw Error(event.id + ": its view is not kept, or no longer");
  write_png(to, decode_frame(*view));
}

int show(const OneOptions& options) {
  const auto [folder, event] = meant_by(options);
  print_line(parse_json(event.body, event.topic).dump(2, ' ', false, Json::error_handler_t::replace));
  const auto frames = frames_of(folder, event);
  if (const auto gone = gone_of(frames); gone > 0)
    log_info(format("{} of {} frames are not kept, or no longer", gone, frames.size()));
  if (!options.sheet.empty()) write_png(options.sheet, contact_sheet(frames));
  if (!options.frames.empty()) write_frames(options.frames, frames);
  if (!options.view.empty()) write_view(folder, event, options.view);
  if (!options.masks.empty()) {
    for (const std::string& name : write_masks(options.masks, parse_json(event.body, event.topic).at("data")))
      print_line((std::filesystem::path(options.masks) / name).string());
  }
  if (const auto verdict = judgement_of(folder, event.id))
    print_line(std::string("judged ") + (verdict->right ? "right" : "wrong") +
               (verdict->text.empty() ? "" : ": " + verdict->text));
  return kDone;
}

int keep(const OneOptions& options) {
  const auto [folder, event] = meant_by(options);
  keep_event(folder, event.id, !options.undo);
  if (!options.undo) keep_frames(folder, event.id, picture_hashes_of(event.body, event.topic).all());
  print_line(event.id + (options.undo ? " is kept no longer" : " is kept"));
  return kDone;
}

int judge(const OneOptions& options) {
  if (options.verdict != "wrong" && !options.text.empty())
    throw UsageError("--text is the right answer, where the event's is wrong");
  const auto [folder, event] = meant_by(options);
  if (options.verdict == "none") {
    judge_event(folder, event.id, std::nullopt);
    print_line(event.id + " has no verdict");
  } else {
    judge_event(folder, event.id, Judgement{.right = options.verdict == "right", .text = options.text});
    keep_frames(folder, event.id, picture_hashes_of(event.body, event.topic).all());
    print_line(event.id + " is " + options.verdict + ", and is kept");
  }
  return kDone;
}

struct ExamplesOptions {
  StateFlags state;
  std::string to;
};

// One line for `palisade transfer`, its pictures beside it; nothing where the right answer or a frame is not
// known.
std::optional<Json> example_of(const std::filesystem::path& folder, const StoredEvent& event,
                               const std::filesystem::path& to) {
  const auto verdict = judgement_of(folder, event.id);
  const Json data = parse_json(event.body, event.topic).at("data");
  const std::string right = verdict->right ? data.value("text", "") : verdict->text;
  const auto frames = frames_of(folder, event);
  if (right.empty() || frames.empty() || gone_of(frames) > 0) return std::nullopt;
  Json pictures = Json::array();
  for (const std::string& name : write_frames(to / event.id, frames))
    pictures.push_back(event.id + "/" + name);
  return Json{{"images", std::move(pictures)}, {"prefix", data.value("prompt", "")}, {"suffix", right}};
}

int write_examples(const ExamplesOptions& options) {
  const auto folder = state_folder_of(options.state);
  EventQuery query(folder);
  std::string lines;
  std::size_t written = 0, without = 0;
  for (const std::string& id : judged_events(folder)) {
    const auto example = example_of(folder, query.event(id), options.to);
    ++(example ? written : without);
    if (example) lines += example->dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  }
  std::filesystem::create_directories(options.to);
  const auto file = std::filesystem::path(options.to) / "examples.jsonl";
  write_whole_file(file, lines);
  print_line(format("{} examples in {}", written, file.string()));
  if (without > 0)
    log_info(
        format("{} verdicts are no examples: the right answer is not known, or frames are gone", without));
  return kDone;
}

void add_examples(CLI::App& parent, Run& run) {
  const auto options = std::make_shared<ExamplesOptions>();
  CLI::App* const command = parent.add_subcommand(
      "examples", "Write judged answers and their frames as examples for `palisade transfer`");
  command->add_option("--to", options->to, "Folder to write: examples.jsonl and its pictures")
      ->type_name("DIR")
      ->required();
  add_state_flags(*command, options->state);
  command->callback([&run, options] { run = [options] { return write_examples(*options); }; });
}

CLI::App* add_one(CLI::App& parent, Run& run, const std::string& name, const std::string& help,
                  const std::shared_ptr<OneOptions>& options, int (*act)(const OneOptions&)) {
  CLI::App* const command = parent.add_subcommand(name, help);
  command->add_option("ID", options->id, "The event's id, or enough of its beginning")->required();
  add_state_flags(*command, options->state);
  command->callback([&run, options, act] { run = [options, act] { return act(*options); }; });
  return command;
}

}  // namespace

void add_events(CLI::App& app, Run& run) {
  CLI::App* const command = app.add_subcommand("events", "List, search and judge what the journal keeps");
  command->require_subcommand(0, 1);
  add_list(*command, run);
  const auto shown = std::make_shared<OneOptions>();
  CLI::App* const show_command =
      add_one(*command, run, "show", "Print an event whole, and write the frames that it saw", shown, show);
  show_command->add_option("--sheet", shown->sheet, "Write its frames as one picture")->type_name("FILE.png");
  show_command->add_option("--view", shown->view, "Write its last frame as people see it, up to 640 wide")
      ->type_name("FILE.png");
  show_command->add_option("--frames", shown->frames, "Write its frames as files")->type_name("DIR");
  show_command->add_option("--masks-to", shown->masks, "Write the masks of its boxes as PNG, in their order")
      ->type_name("DIR");
  const auto kept = std::make_shared<OneOptions>();
  add_one(*command, run, "keep", "Keep an event for ever", kept, keep)
      ->add_flag("--undo", kept->undo, "Let it go as others do");
  const auto judged = std::make_shared<OneOptions>();
  CLI::App* const verdict = add_one(*command, run, "verdict",
                                    "Say whether an answer is right; such events are kept", judged, judge);
  verdict->add_option("VERDICT", judged->verdict, "right, wrong, or none to take it back")
      ->check(CLI::IsMember({"right", "wrong", "none"}))
      ->required();
  verdict->add_option("--text", judged->text, "What the right answer is");
  add_examples(*command, run);
  command->footer(
      "\nExamples:\n"
      "  palisade events --words \"red car\" --from 2h\n"
      "  palisade events --stream front_door --task pair --min-p 0.9 --json\n"
      "  palisade events --json --follow\n"
      "  palisade events show 01KAV3Q7W6 --sheet what-it-saw.png\n"
      "  palisade events verdict 01KAV3Q7W6 wrong --text \"a blue car\"\n"
      "  palisade events examples --to corrections && palisade transfer --data corrections/examples.jsonl "
      "...\n"
      "\nTIME is such as 2026-11-23T09:05:24Z or 2026-11-23 (UTC), or an age: 90s, 2h, 7d.");
}

}  // namespace palisade
