#include "service/evaluation/task_recipe.h"

#include <algorithm>
#include <charconv>
#include <span>

#include "base/error.h"
#include "base/format.h"
#include "base/json.h"
#include "service/settings/settings_reader.h"

namespace palisade {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxTable = 1u << 20;

// The cells of a line of a CSV file without line breaks in cells (RFC 4180).
std::vector<std::string> csv_cells(std::string_view line) {
  std::vector<std::string> cells(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (quoted && c == '"' && i + 1 < line.size() && line[i + 1] == '"') {
      cells.back() += c;
      ++i;
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      cells.emplace_back();
    } else if (c != '\r') {
      cells.back() += c;
    }
  }
  return cells;
}

// What big_vision calls an evaluator (big_vision/configs/proj/paligemma/transfers), and which of its figures
// is published.
struct Evaluator {
  std::string_view name;
  const char* metric;
  const char* figure;
};
constexpr Evaluator kEvaluators[] = {{"vqa", "vqa", "acc"},
                                     {"vqav2", "vqav2", "acc"},
                                     {"chartqa", "chartqa", "relaxed_acc"},
                                     {"tallyqa", "tallyqa", "acc"},
                                     {"rsvqa", "rsvqa", "acc_avg"},
                                     {"science_qa", "science_qa", "acc"},
                                     {"pope", "pope", "acc"},
                                     {"segmentation", "segmentation", "miou"},
                                     {"coco_caption", "caption", "cider"},
                                     {"storepreds", "exact", "acc"}};
// "81.72/69.56 (acc simple/complex)": the numbers before the bracket; none where a part is no number.
std::vector<double> published_numbers(const std::string& published) {
  std::vector<double> numbers;
  const std::string_view text = std::string_view(published).substr(0, published.find(" ("));
  for (std::size_t from = 0; from <= text.size();) {
    const std::size_t end = std::min(text.find('/', from), text.size());
    double number = 0;
    const auto [rest, fault] = std::from_chars(text.data() + from, text.data() + end, number);
    if (fault != std::errc() || rest != text.data() + end) return {};
    numbers.push_back(number);
    from = end + 1;
  }
  return numbers;
}

// Transfers whose published figure is ANLS, and those whose texts are compared in lower case.
constexpr std::string_view kAnls[] = {"docvqa", "infovqa", "stvqa"};
constexpr std::string_view kLower[] = {"docvqa",  "infovqa",  "stvqa",   "ocrvqa",
                                       "chartqa", "rsvqa_lr", "rsvqa_hr"};

bool has_name(std::span<const std::string_view> names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

}  // namespace

fs::path recipes_folder() {
  std::error_code error;
  const auto program = fs::read_symlink("/proc/self/exe", error).parent_path();
  for (const auto& folder : {program / "../share/palisade/recipes", program / "../../configs/recipes",
                             fs::path(PALISADE_SOURCE_DIR "/configs/recipes")}) {
    if (fs::is_regular_file(folder / "transfer_configs.csv", error))
      return fs::weakly_canonical(folder, error);
  }
  throw Error("the recipes are not where the program was installed; name one by its file");
}

std::vector<PublishedTransfer> read_published_transfers(const fs::path& file) {
  const std::string text = read_text_file(file, kMaxTable);
  std::vector<PublishedTransfer> rows;
  std::vector<std::string> names;
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t end = std::min(text.find('\n', from), text.size());
    std::vector<std::string> cells = csv_cells(std::string_view(text).substr(from, end - from));
    from = end + 1;
    if (names.empty()) {
      names = std::move(cells);
      continue;
    }
    const auto cell = [&](std::string_view name) {
      const auto column = std::size_t(std::ranges::find(names, name) - names.begin());
      return column < cells.size() ? cells[column] : std::string();
    };
    const std::string decoding = cell("evaluator_decode");
    const auto* const evaluator = std::ranges::find(
        kEvaluators, std::string_view(decoding).substr(0, decoding.find(' ')), &Evaluator::name);
    if (evaluator == std::end(kEvaluators)) continue;
    PublishedTransfer row{.task = cell("config"),
                          .resolution = cell("resolution"),
                          .metric = evaluator->metric,
                          .figures = {evaluator->figure},
                          .published = cell("published")};
    if (has_name(kAnls, row.task)) row.metric = "anls", row.figures = {"anls"};
    if (row.task == "tallyqa") row.figures = {"acc/simple", "acc/complex"};
    if (row.task == "scicap") row.figures = {"cider", "bleu-4"};
    row.lower = has_name(kLower, row.task);
    if (row.published.starts_with("\u2013")) row.published.clear();
    row.values = published_numbers(row.published);
    if (row.values.size() != row.figures.size()) row.values.clear();
    rows.push_back(std::move(row));
  }
  return rows;
}

std::optional<PublishedTransfer> published_transfer(const std::string& recipe) {
  for (PublishedTransfer& row : read_published_transfers(recipes_folder() / "transfer_configs.csv")) {
    if (row.task + "_" + row.resolution == recipe) return std::move(row);
  }
  return std::nullopt;
}

std::string recipe_of_task(const std::string& task, int image_size) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(recipes_folder())) {
    if (entry.path().extension() == ".yaml") names.push_back(entry.path().stem().string());
  }
  std::ranges::sort(names);
  for (const std::string& name : {task, format("{}_{}", task, image_size), task + "_224"}) {
    if (std::ranges::find(names, name) != names.end()) return name;
  }
  const std::string near = nearest(task, names);
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
  throw UsageError("--task: there is no recipe for '" + task + "'" +
                   (near.empty() ? "" : "; did you mean " + near + "?") + " There are " + all);
}

}  // namespace palisade
