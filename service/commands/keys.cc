// `palisade keys`: keys for an encrypted service and those who subscribe to it.
#include "service/zeromq/keys.h"

#include <CLI/CLI.hpp>
#include <memory>

#include "base/error.h"
#include "service/commands/command.h"
#include "service/settings/settings.h"
#include "service/terminal/output.h"

namespace palisade {
namespace {

struct KeysOptions {
  std::string name, to = ".";
};

int make_keys(const KeysOptions& options) {
  if (!is_name(options.name))
    throw UsageError("a name is 1 to 64 of a-z, 0-9, _ and -, not '" + options.name + "'");
  const KeyPair keys = new_keys();
  write_keys(options.to, options.name, keys);
  const std::filesystem::path folder = options.to;
  print_line((folder / (options.name + ".key")).string() + " stays here; " +
             (folder / (options.name + ".pub")).string() + " is handed on");
  print_line("for `clients`: " + options.name + " " + keys.public_key);
  return kDone;
}

}  // namespace

void add_keys(CLI::App& app, Run& run) {
  CLI::App* const command =
      app.add_subcommand("keys", "Make keys for an encrypted service and its subscribers");
  command->require_subcommand(1);
  CLI::App* const make = command->add_subcommand("new", "Make a pair of keys: NAME.key and NAME.pub");
  const auto options = std::make_shared<KeysOptions>();
  make->add_option("NAME", options->name, "Whose keys: the service, or one who subscribes")->required();
  make->add_option("--to", options->to, "Folder to write to")->type_name("DIR")->capture_default_str();
  make->callback([&run, options] { run = [options] { return make_keys(*options); }; });
  command->footer(
      "\nExamples:\n"
      "  palisade keys new server --to /etc/palisade\n"
      "  palisade keys new alice\n"
      "\nA configuration names the service's keys and a file with a line NAME KEY for each client:\n"
      "  publish: tcp://0.0.0.0:5557\n"
      "  keys: {server: /etc/palisade/server.key, clients: /etc/palisade/clients}\n"
      "SIGHUP reads the file of clients again; who is no longer in it is cut off.");
}

}  // namespace palisade
