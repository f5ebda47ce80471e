#include "service/command_line.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <string>

#include "service/commands/command.h"
#include "service/log.h"
#include "service/process_start.h"
#include "service/settings.h"

namespace palisade {
namespace {

constexpr void (*kCommands[])(CLI::App&, Run&) = {
    add_serve, add_caption, add_ask,  add_similar,  add_watch, add_control, add_config,
    add_model, add_bench,   add_plan, add_transfer, add_sweep, add_filter,  add_version};

constexpr char kAbout[] =
    "Palisade: cameras in, PaliGemma's answers out.\n"
    "stdout is data, stderr is logs and progress. Every flag's variable is in brackets: flag, environment,\n"
    "configuration file, default, in this order.\n";

constexpr char kExamples[] =
    "\nExamples:\n"
    "  palisade caption street.mp4 --every 4s          what happens in a video, window by window\n"
    "  palisade ask \"is there a red car?\" street.jpg    a question about a picture\n"
    "  palisade ask \"there are exactly two dogs in the two images\" left.jpg right.jpg\n"
    "  palisade serve --config configs/palisade.yaml   the service: cameras to events on ZeroMQ\n"
    "  palisade watch                                  print its events as they come\n"
    "Exit codes: 0 done, 1 failed, 2 wrong use or configuration, 3 unavailable.\n";

void tell(std::string_view problem) {
  std::fprintf(stderr, "palisade: error: %s\n", escaped(redacted(problem)).c_str());
}

}  // namespace

namespace {

int parse_and_run(int argument_count, char** arguments) {
  CLI::App app(kAbout, "palisade");
  app.require_subcommand(1);
  Run run;
  for (const auto add : kCommands) add(app, run);
  app.footer(kExamples);  // after them: they would inherit it
  try {
    app.parse(argument_count, arguments);
    return run ? run() : kDone;
  } catch (const CLI::ParseError& error) {
    // Also how --help ends, with 0.
    return app.exit(error) == 0 ? kDone : kWrongUse;
  } catch (const SettingsError& error) {
    for (const std::string& problem : error.problems()) tell(problem);
    return kWrongUse;
  } catch (const UsageError& error) {
    tell(error.what());
    return kWrongUse;
  } catch (const Unavailable& error) {
    tell(error.what());
    return kUnavailable;
  } catch (const std::exception& error) {
    tell(error.what());
    return kFailed;
  }
}

}  // namespace

int run_command_line(int argument_count, char** arguments) {
  const int code = parse_and_run(argument_count, arguments);
  return finish_output() || code != kDone ? code : kFailed;
}

}  // namespace palisade
