// `palisade digest`: what happened between two times, as the journal's answers and alerts say it.
#include <CLI/CLI.hpp>
#include <map>
#include <memory>

#include "base/format.h"
#include "base/moment.h"
#include "base/time_zone.h"
#include "service/commands/command.h"
#include "service/commands/state_flags.h"
#include "service/journal/event_query.h"
#include "service/terminal/output.h"
#include "tasks/digest.h"

namespace palisade {
namespace {

constexpr std::size_t kPageOfDigest = 1000;

struct DigestOptions {
  StateFlags state;
  std::string stream, from = "24h", to, zone = "UTC";
  int limit = 10;
  bool json = false;
};

Digest digest_of(const DigestOptions& options) {
  Digest digest;
  EventQuery query(state_folder_of(options.state));
  EventFilter filter{
      .stream = options.stream, .from_ms = moment_ms(options.from, "--from"), .limit = kPageOfDigest};
  if (!options.to.empty()) filter.to_ms = moment_ms(options.to, "--to");
  while (true) {
    const std::vector<StoredEvent> page = query.find(filter);
    for (const StoredEvent& event : page) digest.take(event.topic, parse_json(event.body, event.topic));
    if (page.size() < kPageOfDigest) return digest;
    filter.after = page.back().position;
  }
}

// "[01KAV3Q7W6E5N1Y3ZC8TQ0F4HM and 11 more]": what a line stands on.
std::string ids_text(const DigestEntry& entry) {
  const std::size_t more = std::max<std::size_t>(entry.count, entry.ids.size()) - 1;
  return more == 0 ? format("[{}]", entry.ids.front()) : format("[{} and {} more]", entry.ids.front(), more);
}

std::string line_of(const DigestEntry& entry, const std::string& zone) {
  const std::string first = local_time_text(entry.first, zone), last = local_time_text(entry.last, zone);
  switch (entry.kind) {
    case DigestEntry::Kind::kAlert:
      return format("  {} {} {}: {}; {} {}", first, entry.severity, entry.task, entry.text,
                    entry.over ? format("over {}", last) : "not over", ids_text(entry));
    case DigestEntry::Kind::kState:
      return format("  {} {} {}", first, entry.text, ids_text(entry));
    case DigestEntry::Kind::kAnswer:
      break;
  }
  const std::string when = entry.count == 1 ? first : format("{} to {}", first, last);
  return format("  {:>6} x \"{}\" {} {}", entry.count, entry.text, when, ids_text(entry));
}

// Names each stream and task once; of a task's answers the most frequent alone, and says how many others
// there are.
void print_text(const std::vector<DigestEntry>& entries, const DigestOptions& options) {
  std::string heading;
  int shown = 0;
  std::uint64_t others = 0;
  const auto tell_others = [&] {
    if (others > 0) print_line(format("         and {} other answers; --limit shows more", others));
    others = 0;
  };
  for (const DigestEntry& entry : entries) {
    const std::string its_heading =
        format("{}: {}", entry.stream, entry.kind == DigestEntry::Kind::kAlert ? "alerts" : entry.task);
    if (its_heading != heading) {
      tell_others();
      print_line(its_heading);
      heading = its_heading;
      shown = 0;
    }
    if (entry.kind == DigestEntry::Kind::kAnswer && shown++ >= options.limit) {
      others += entry.count;
      continue;
    }
    print_line(line_of(entry, options.zone));
  }
  tell_others();
}

int digest(const DigestOptions& options) {
  const Digest digest = digest_of(options);
  const std::vector<DigestEntry> entries = digest.entries();
  if (options.json) {
    for (const DigestEntry& entry : entries)
      print_line(to_json(entry).dump(-1, ' ', false, Json::error_handler_t::replace));
  } else if (entries.empty()) {
    print_line("nothing was said in that time");
  } else {
    print_text(entries, options);
  }
  return kDone;
}

}  // namespace

void add_digest(CLI::App& app, Run& run) {
  CLI::App* const command = app.add_subcommand(
      "digest", "What happened between two times, grouped and counted, with the events' ids");
  const auto options = std::make_shared<DigestOptions>();
  add_state_flags(*command, options->state);
  command->add_option("--stream", options->stream, "Of this stream alone");
  command->add_option("--from", options->from, "From this time on")->type_name("TIME")->capture_default_str();
  command->add_option("--to", options->to, "Before this time; default: now")->type_name("TIME");
  command->add_option("--limit", options->limit, "Different answers of a task")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  command->add_option("--zone", options->zone, "Time zone of what is printed, such as Europe/Berlin")
      ->capture_default_str();
  command->add_flag("--json", options->json, "One entry a line, with all ids and every answer");
  command->callback([&run, options] { run = [options] { return digest(*options); }; });
  command->footer(
      "\nExamples:\n"
      "  palisade digest --from 8h --zone Europe/Berlin\n"
      "  palisade digest --stream gate --from 2026-11-23 --to 2026-11-24 --json");
}

}  // namespace palisade
