#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "base/log.h"
#include "service/commands/command.h"
#include "service/settings/settings.h"

namespace palisade {
namespace {

int check(const std::string& file) {
  const Settings settings = read_settings(file);
  std::printf("%s: ok\n%s", escaped(redacted(file)).c_str(), redacted(summary_of(settings)).c_str());
  return kDone;
}

}  // namespace

void add_config(CLI::App& app, Run& run) {
  CLI::App* const command = app.add_subcommand("config", "Work with configuration files");
  command->require_subcommand(1);
  CLI::App* const checking =
      command->add_subcommand("check", "Say whether a configuration can be used; exit code 2 if not");
  const auto file = std::make_shared<std::string>();
  checking->add_option("FILE", *file, "Configuration file")->required();
  checking->footer(
      "\nExample:\n  palisade config check configs/palisade.yaml\n"
      "\nEvery problem is printed as FILE:LINE:COLUMN: what is wrong; remedy.");
  checking->callback([&run, file] { run = [file] { return check(*file); }; });
}

}  // namespace palisade
