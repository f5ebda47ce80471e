// `palisade streams`: cameras of a running service.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <memory>
#include <vector>

#include "base/error.h"
#include "base/format.h"
#include "base/joined.h"
#include "base/log.h"
#include "service/remote/remote_commands.h"
#include "service/remote/service_flags.h"
#include "service/settings/secret_file.h"
#include "service/settings/settings.h"
#include "service/settings/settings_tree.h"
#include "service/settings/written_json.h"
#include "service/terminal/exit_code.h"
#include "service/terminal/output.h"

namespace palisade {
namespace {

struct StreamsOptions {
  ServiceFlags service;
  std::string name, url, url_file, username, password_file, entry;
  std::vector<std::string> tasks;
  int frames = 1;
  std::string every = "10s";
  bool json = false;
};

std::string shown_text(const Json& json, const char* key) {
  const Json value = json.is_object() ? json.value(key, Json()) : Json();
  return value.is_string() ? escaped(value.get<std::string>()) : "";
}

// "caption: a car turns left"
std::string last_answer(const Json& stream) {
  std::vector<std::string> texts;
  for (const Json& task : stream.value("tasks", Json::array())) {
    if (task.contains("last"))
      texts.push_back(shown_text(task, "name") + ": " + shown_text(task["last"], "text"));
  }
  return joined(texts, "; ");
}

int list_streams(const StreamsOptions& options) {
  const Json answer = ServiceApi(access_of(options.service)).ask("GET", "/api/v1/streams");
  if (options.json) {
    print_line(answer.dump(-1, ' ', false, Json::error_handler_t::replace));
    return kDone;
  }
  try {
    for (const Json& stream : answer.at("streams")) {
      print_line(format("{:<20} {:<12} {}  {}", shown_text(stream, "name"),
                        shown_text(stream.at("state"), "state"), shown_text(stream, "source"),
                        last_answer(stream)));
    }
  } catch (const Json::exception& error) {
    throw Error(format("this is no list of a service's streams: {}", error.what()));
  }
  return kDone;
}

// A file with one entry of `streams:`, YAML or JSON.
Json entry_in(const std::string& file) {
  std::vector<Problem> problems;
  const YamlNode node = read_yaml(read_text_file(file, kMaxYamlBytes), problems);
  if (!problems.empty()) throw UsageError(joined(problem_lines(std::move(problems), file), "\n"));
  if (node.kind != YamlNode::Kind::kMap)
    throw UsageError(format("{}: give a map with url and tasks, as one entry of `streams:` has them", file));
  return parse_json(json_text_of(node), file);
}

Json entry_of(const StreamsOptions& options) {
  Json entry = options.entry.empty() ? Json::object() : entry_in(options.entry);
  if (!options.url.empty() && !options.url_file.empty())
    throw UsageError("URL and --url-file; give one of them");
  if (!options.url.empty()) entry["url"] = options.url;
  if (!options.url_file.empty()) entry["url"] = read_secret_file(options.url_file);
  if (!options.username.empty()) entry["username"] = options.username;
  if (!options.password_file.empty()) entry["password"] = read_secret_file(options.password_file);
  if (!options.tasks.empty() || !entry.contains("tasks")) {
    entry["tasks"] = Json::array();
    const std::vector<std::string> tasks =
        options.tasks.empty() ? std::vector<std::string>{"caption"} : options.tasks;
    for (const std::string& task : tasks)
      entry["tasks"].push_back({{"task", task}, {"frames", options.frames}, {"every", options.every}});
  }
  return entry;
}

std::string path_of(const StreamsOptions& options) {
  if (!is_name(options.name))
    throw UsageError(format("a stream's name is 1 to 64 of a-z, 0-9, _ and -, not '{}'", options.name));
  return "/api/v1/streams/" + options.name;
}

int add_one(const StreamsOptions& options) {
  const std::string path = path_of(options);
  ServiceApi(access_of(options.service)).ask("PUT", path, entry_of(options));
  return kDone;
}

int remove_one(const StreamsOptions& options) {
  const std::string path = path_of(options);
  ServiceApi(access_of(options.service)).ask("DELETE", path);
  return kDone;
}

}  // namespace

void add_streams(CLI::App& app, std::function<int()>& run) {
  CLI::App* const command =
      app.add_subcommand("streams", "Cameras of a running service: list, add or change, remove");
  command->require_subcommand(1);
  const auto options = std::make_shared<StreamsOptions>();
  const auto add = [&](const char* name, const char* help, int (*act)(const StreamsOptions&)) {
    CLI::App* const sub = command->add_subcommand(name, help);
    add_service_flags(*sub, options->service);
    sub->callback([&run, options, act] { run = [options, act] { return act(*options); }; });
    return sub;
  };
  CLI::App* const list = add("ls", "List the streams: name, state, source, last answers", list_streams);
  list->add_flag("--json", options->json, "Print the service's answer as one JSON line");
  CLI::App* const one = add("add", "Add a camera, or change it", add_one);
  one->add_option("NAME", options->name, "What it is called: a-z, 0-9, _ and -")->required();
  one->add_option("URL", options->url, "Its address: rtsp(s):// or http(s)://");
  one->add_option("--url-file", options->url_file,
                  "File whose first line is the address; keeps a password out of process lists")
      ->envname("PALISADE_URL_FILE")
      ->type_name("FILE");
  one->add_option("--username", options->username, "User name of the camera")->envname("PALISADE_USERNAME");
  one->add_option("--password-file", options->password_file, "File whose first line is its password")
      ->envname("PALISADE_PASSWORD_FILE")
      ->type_name("FILE");
  one->add_option("--task", options->tasks,
                  "What is asked, one or more: caption, describe, ocr ...; default: caption")
      ->delimiter(',');
  one->add_option("--frames", options->frames, "Frames of a window")
      ->check(CLI::Range(1, 16))
      ->capture_default_str();
  one->add_option("--every", options->every, "How often it is asked")
      ->type_name("DURATION")
      ->capture_default_str();
  one->add_option("--entry", options->entry,
                  "File with all of its settings, as one entry of `streams:`, YAML or JSON")
      ->type_name("FILE");
  add("rm", "Remove a camera that was added; one of the configuration comes back", remove_one)
      ->add_option("NAME", options->name, "Its name")
      ->required();
  command->footer(
      "\nExamples:\n"
      "  palisade streams ls\n"
      "  palisade streams add yard rtsp://192.168.1.11/stream --username admin --password-file "
      "yard.password\n"
      "  palisade streams add gate --entry gate.yaml --service https://cameras.example --token-file "
      "edit.token\n"
      "  palisade streams rm yard");
}

}  // namespace palisade
