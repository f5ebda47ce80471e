#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <string>

#include "base/error.h"
#include "base/json.h"
#include "base/whole_file.h"
#include "service/commands/command.h"
#include "service/settings/settings.h"
#include "service/terminal/output.h"
#include "service/transfer/data_filter.h"

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

}  // namespace

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
