#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>

#include "base/error.h"
#include "base/json.h"
#include "base/whole_file.h"
#include "model/config/model_config.h"
#include "service/commands/command.h"
#include "service/commands/model_choice.h"
#include "service/settings/settings.h"
#include "service/terminal/interrupt.h"
#include "service/terminal/output.h"
#include "service/transfer/data_check.h"
#include "service/transfer/data_filter.h"
#include "service/transfer/data_report.h"

namespace palisade {
namespace {

namespace fs = std::filesystem;

struct FilterOptions {
  std::string data;
  std::string filters;
  std::string out;
  std::string removed;
  bool json = false;
};

void require_new(const fs::path& file) {
  std::error_code error;
  if (fs::exists(file, error)) throw UsageError(file.string() + ": is there already; name a new file");
}

// The line with absolute paths, so that it can stand in another folder.
std::string moved(const TransferLine& line) {
  Json json = parse_json(line.text, line.place());
  const auto absolute = [](const fs::path& path) { return fs::absolute(path).string(); };
  if (!line.video.empty()) {
    json["video"] = absolute(line.video);
  } else if (json.contains("image") && !json["image"].is_null()) {
    json["image"] = absolute(line.pictures[0]);
  } else {
    Json images = Json::array();
    for (const fs::path& picture : line.pictures) images.push_back(absolute(picture));
    json["images"] = std::move(images);
  }
  return json.dump();
}

std::string kept_text(const FilteredLines& lines, bool same_folder) {
  std::string text;
  for (const TransferLine& line : lines.kept) text += (same_folder ? line.text : moved(line)) + "\n";
  return text;
}

int filter(const FilterOptions& options) {
  const fs::path out = options.out;
  const fs::path removed =
      options.removed.empty() ? fs::path(out).replace_extension(".removed.jsonl") : fs::path(options.removed);
  require_new(out);
  require_new(removed);
  LineProblems problems;
  std::vector<TransferLine> read = read_transfer_lines(options.data, problems);
  require_none(problems);
  const FilteredLines lines = filtered(std::move(read), fs::path(options.filters));
  const auto folder_of = [](const fs::path& file) {
    return fs::weakly_canonical(fs::absolute(file).parent_path());
  };
  // The report is written first: without one a filtered set looks as if nothing had been removed.
  write_whole_file(removed, removed_text(lines.removed));
  write_whole_file(out, kept_text(lines, folder_of(out) == folder_of(options.data)));
  if (options.json) {
    print_line(Json{
        {"kept", lines.kept.size()}, {"removed", lines.removed.size()}, {"reasons", counts_of(lines.removed)}}
                   .dump(-1, ' ', false, Json::error_handler_t::replace));
  } else {
    print_line(summary_of(lines));
  }
  return kDone;
}

struct CheckOptions {
  std::vector<std::string> files;
  std::string model, sheet;
  int text_length = 64, frames = 16;
  std::uint64_t seed = 0;
  bool json = false;
};

int check_files(const CheckOptions& options) {
  constexpr std::size_t kShown = 20;
  if (options.files.size() == 2 && !options.sheet.empty() && options.sheet == options.files[1])
    throw UsageError("--sheet: names the second file of examples; name a new file");
  const fs::path model = options.model.empty() ? demo_model_folder() : fs::path(options.model);
  const ModelConfig config = read_model_config(model);
  const Tokenizer tokenizer(model);
  const DataLimits limits{config, tokenizer, options.text_length, options.frames};
  const Interrupt interrupt;
  std::vector<CheckedData> checked;
  for (const std::string& file : options.files)
    checked.push_back(check_data(file, limits, interrupt.token()));
  if (!options.sheet.empty()) write_contact_sheet(options.sheet, checked.front(), kShown, options.seed);
  for (const CheckedData& data : checked)
    print_line(options.json ? data_json(data).dump(-1, ' ', false, Json::error_handler_t::replace)
                            : data_text(data, options.text_length));
  if (checked.size() == 2) {
    const DataLeaks leaks = leaks_between(checked[0], checked[1]);
    print_line(options.json ? leaks_json(leaks).dump(-1, ' ', false, Json::error_handler_t::replace)
                            : leaks_text(leaks, checked[0], checked[1]));
  }
  return std::ranges::all_of(checked, &CheckedData::usable) ? kDone : kFailed;
}

void add_check(CLI::App& data_command, Run& run) {
  CLI::App* const command =
      data_command.add_subcommand("check", "What is in a file of examples, and what is wrong with it");
  const auto options = std::make_shared<CheckOptions>();
  command
      ->add_option("FILE", options->files,
                   "Examples, JSONL; of a second file it is told what of the first is in it")
      ->required()
      ->expected(1, 2)
      ->type_name("FILE");
  command
      ->add_option("--model", options->model,
                   "Model folder whose tokens and positions count; default: the demo model")
      ->envname("PALISADE_MODEL")
      ->type_name("DIR");
  command->add_option("--text-length", options->text_length, "Longest prefix and suffix together, in tokens")
      ->check(CLI::Range(4, 8192))
      ->capture_default_str();
  command->add_option("--frames", options->frames, "Frames of a video")
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  command
      ->add_option("--sheet", options->sheet,
                   "Write a page that shows 20 examples of the first file, drawn by --seed")
      ->type_name("FILE.html");
  command->add_option("--seed", options->seed, "Of the examples that are shown")->capture_default_str();
  command->add_flag("--json", options->json, "Print a JSON line for each file, and one for leaks");
  command->footer(
      "\nThe exit code is 1 where a transfer would refuse the file: lines that are no examples, pictures "
      "that are "
      "missing or broken, texts over a limit, answers that are empty. Lines that repeat or contradict "
      "earlier ones, "
      "and leaks, are told.\n"
      "\nExample:\n"
      "  palisade data check train.jsonl test.jsonl --model paligemma-3b-pt-224 --sheet sheet.html");
  command->callback([&run, options] { run = [options] { return check_files(*options); }; });
}

}  // namespace

void add_data(CLI::App& app, Run& run) {
  CLI::App* const command = app.add_subcommand("data", "Look at examples before a model learns from them");
  command->require_subcommand(1);
  add_check(*command, run);
}

void add_filter(CLI::App& app, Run& run) {
  CLI::App* const command =
      app.add_subcommand("filter", "Leave out of a transfer's examples what should not be in them");
  const auto options = std::make_shared<FilterOptions>();
  command->add_option("DATA", options->data, "Examples, JSONL")->required()->type_name("FILE");
  command->add_option("--filters", options->filters, "Rules for what is left out, YAML")
      ->envname("PALISADE_FILTERS")
      ->required()
      ->type_name("FILE");
  command->add_option("--out", options->out, "New file for the examples that stay")
      ->required()
      ->type_name("FILE");
  command
      ->add_option("--removed", options->removed,
                   "New file with place, reason and detail of each example that goes, JSONL; default: "
                   "NAME.removed.jsonl "
                   "beside --out NAME.jsonl")
      ->type_name("FILE");
  command->add_flag("--json", options->json, "Print one JSON line: kept, removed, reasons");
  command->footer(
      "\nFilters, each of them optional:\n"
      "  words: [toxic.txt]           words and phrases, one a line (# begins a remark), in any case\n"
      "  personal_data: [email, phone, card, plate, identity]\n"
      "  patterns: {badge: 'PX-\\d{6}'}  expressions as RE2 reads them, in prefix or suffix\n"
      "  least_side: 32               pixels of a picture or of a video's first frame\n"
      "  most_side: 8192\n"
      "  most_aspect: 4               the longer side over the shorter\n"
      "  duplicates: [examples, pictures]   the same pictures, prefix and suffix as an earlier line;\n"
      "                               the same pictures as an earlier line under other names\n"
      "Personal data is known by its look alone: look at what was removed, and do not rely on what was not.\n"
      "\nExamples:\n"
      "  palisade filter train.jsonl --filters filters.yaml --out clean.jsonl\n"
      "  palisade transfer --data train.jsonl --filters filters.yaml --run runs/first");
  command->callback([&run, options] { run = [options] { return filter(*options); }; });
}

}  // namespace palisade
