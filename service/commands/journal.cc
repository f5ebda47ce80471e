// `palisade journal`: checks and repairs what the service keeps, and erases it.
#include <CLI/CLI.hpp>
#include <memory>

#include "base/error.h"
#include "base/format.h"
#include "base/log.h"
#include "base/moment.h"
#include "service/commands/command.h"
#include "service/commands/state_flags.h"
#include "service/journal/event_upkeep.h"
#include "service/terminal/output.h"

namespace palisade {
namespace {

struct JournalCommandOptions {
  StateFlags state;
  bool repair = false;
  std::string stream, from, to;
};

int check(const JournalCommandOptions& options) {
  const auto folder = state_folder_of(options.state);
  const CheckResult result = check_journal(folder);
  for (const std::string& fault : result.faults) log_error("journal: " + fault);
  if (result.faults.empty()) {
    print_line(format("{} events, all sound", result.events));
    return kDone;
  }
  if (!options.repair) {
    log_error("journal: stop the service and give --repair: what can be read is written to a new journal");
    return kFailed;
  }
  print_line(format("{} events saved; the damaged journal was set aside", repair_journal(folder)));
  return kDone;
}

int erase(const JournalCommandOptions& options) {
  const auto erased = erase_events(state_folder_of(options.state), options.stream,
                                   moment_ms(options.from, "--from"), moment_ms(options.to, "--to"));
  print_line(format("{} {} erased", erased, erased == 1 ? "event" : "events"));
  return kDone;
}

}  // namespace

void add_journal(CLI::App& app, Run& run) {
  CLI::App* const command = app.add_subcommand("journal", "Check the journal, or erase some of it for good");
  command->require_subcommand(1);
  const auto checked = std::make_shared<JournalCommandOptions>();
  CLI::App* const check_command =
      command->add_subcommand("check", "Read everything in it; 1 where something is damaged");
  add_state_flags(*check_command, checked->state);
  check_command->add_flag("--repair", checked->repair,
                          "Where it is damaged, write what can be read to a new journal");
  check_command->callback([&run, checked] { run = [checked] { return check(*checked); }; });
  const auto erased = std::make_shared<JournalCommandOptions>();
  CLI::App* const erase_command = command->add_subcommand(
      "erase", "Remove all events of a stream in a time, kept ones too: nothing is left of them");
  add_state_flags(*erase_command, erased->state);
  erase_command->add_option("--stream", erased->stream, "Name of the stream")->required();
  erase_command->add_option("--from", erased->from, "From this time on, or this long ago")
      ->type_name("TIME")
      ->required();
  erase_command->add_option("--to", erased->to, "Before this time")->type_name("TIME")->required();
  erase_command->callback([&run, erased] { run = [erased] { return erase(*erased); }; });
  command->footer(
      "\nExamples:\n"
      "  palisade journal check --config palisade.yaml\n"
      "  palisade journal erase --stream front_door --from 2026-11-23T09:00 --to 2026-11-23T10:00");
}

}  // namespace palisade
