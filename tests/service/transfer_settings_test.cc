#include "service/transfer/transfer_settings.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <tuple>

#include "base/json.h"
#include "model/train/schedule.h"

using namespace palisade;

namespace {

namespace fs = std::filesystem;

const fs::path kRecipes = fs::path(PALISADE_SOURCE_DIR) / "configs" / "recipes";

// Splits a line of a CSV file; quoted values may contain commas.
std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells(1);
  bool quoted = false;
  for (const char c : line) {
    if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      cells.emplace_back();
    } else {
      cells.back() += c;
    }
  }
  return cells;
}

std::vector<std::map<std::string, std::string>> published() {
  std::ifstream file(kRecipes / "transfer_configs.csv");
  std::string line;
  std::getline(file, line);
  const auto names = cells_of(line);
  std::vector<std::map<std::string, std::string>> rows;
  while (std::getline(file, line)) {
    const auto cells = cells_of(line);
    REQUIRE(cells.size() == names.size());
    for (auto& row = rows.emplace_back(); const std::string& name : names) row[name] = cells[row.size()];
  }
  return rows;
}

std::vector<std::string> recipe_problems(const std::string& text) {
  TransferSettings settings;
  try {
    read_recipe(text, "folder/r.yaml", settings);
  } catch (const SettingsError& error) {
    return error.problems();
  }
  return {};
}

}  // namespace

TEST_CASE("every recipe that ships says what was published for its task and resolution") {
  std::set<std::string> expected;
  auto rows = published();
  CHECK(rows.size() == 66);
  for (auto& row : rows) {
    // An evaluation without training, and plain gradient descent.
    if (row["config"] == "pope (eval-only)" || row["config"] == "vertexai_l4") continue;
    const std::string name = row["config"] + "_" + row["resolution"] + ".yaml";
    CAPTURE(name);
    expected.insert(name);
    TransferSettings settings;
    REQUIRE_NOTHROW(read_recipe(read_text_file(kRecipes / name, 1u << 16), kRecipes / name, settings));
    CHECK(settings.resolution == std::stoi(row["resolution"]));
    CHECK(settings.learning_rate == std::stod(row["learning_rate"]));
    CHECK(settings.weight_decay == std::stod(row["weight_decay"]));
    CHECK(settings.label_smoothing == std::stod(row["label_smoothing"]));
    CHECK(settings.llm_dropout == std::stod(row["llm_dropout"]));
    CHECK(settings.freeze_vit == (row["freeze_vit"] == "yes"));
    CHECK(settings.batch_size == std::stoi(row["batch_size"]));
    CHECK(settings.text_length == std::stoi(row["text_len"]));
    const std::string decoding = row["evaluator_decode"];
    const auto beam = decoding.find("beam ");
    CHECK(settings.beams == (beam == std::string::npos ? 1 : std::stoi(decoding.substr(beam + 5))));
    std::string seen = row["epochs_or_examples"];
    std::erase(seen, ',');
    CHECK((seen.ends_with(" ex") ? settings.examples : settings.epochs) == std::stod(seen));
    settings.model = settings.data = "there";
    CHECK_NOTHROW(check(settings));
  }
  // Stages 1 and 2, which have no row: what was published of them.
  for (const auto& [name, resolution, examples, text_length] : {std::tuple("stage1_224.yaml", 224, 1e9, 128),
                                                                {"stage2_448.yaml", 448, 5e7, 512},
                                                                {"stage2_896.yaml", 896, 1e7, 512}}) {
    CAPTURE(name);
    expected.insert(name);
    TransferSettings settings;
    REQUIRE_NOTHROW(read_recipe(read_text_file(kRecipes / name, 1u << 16), kRecipes / name, settings));
    CHECK(settings.resolution == resolution);
    CHECK(settings.examples == examples);
    CHECK(settings.text_length == text_length);
    CHECK(settings.trained_parts().size() == 3);
    CHECK(settings.image_warmup > settings.warmup);
    CHECK(settings.schedule == RateCourse::kInverseRoot);
    settings.model = settings.mixture = "there";
    CHECK_NOTHROW(check(settings));
    settings.data = "there";
    CHECK_THROWS_AS(check(settings), SettingsError);
  }
  std::set<std::string> there;
  for (const auto& entry : fs::directory_iterator(kRecipes)) {
    if (entry.path().extension() == ".yaml") there.insert(entry.path().filename().string());
  }
  CHECK(there == expected);
}

TEST_CASE("a recipe is written so that it is read back the same") {
  TransferSettings settings{.resolution = 448,
                            .epochs = 0.3,
                            .learning_rate = 3e-6,
                            .label_smoothing = 0.1,
                            .llm_dropout = 0.3,
                            .weight_decay = 3e-7,
                            .freeze_vit = true,
                            .beams = 3,
                            .model = "/models/a \"b\": c",
                            .data = "/data.jsonl",
                            .parts = TrainedParts::kLanguageModel,
                            .resize = "bv-bilinear",
                            .seed = 7};
  settings.lora_output = LoraOutput::kAdapter;
  settings.schedule = RateCourse::kInverseRoot;
  settings.schedule_shift = 12;
  settings.metric = "anls";
  settings.lower = true;
  settings.patience = 4;
  settings.picture_memory_mb = 5;
  const std::string text = recipe_text(settings);
  TransferSettings again;
  read_recipe(text, "/elsewhere/r.yaml", again);
  CHECK(recipe_text(again) == text);
  CHECK(again.model == settings.model);
  CHECK(again.learning_rate == settings.learning_rate);
  CHECK(again.schedule == RateCourse::kInverseRoot);
  CHECK(again.schedule_shift == 12);
  CHECK(again.metric == "anls");
  CHECK(again.patience == 4);
  CHECK(again.picture_memory_mb == 5);
}

TEST_CASE("a recipe's mistakes are told with their place") {
  CHECK(recipe_problems("epochs: 3\nlerning_rate: 1e-5\n").at(0).starts_with("folder/r.yaml:2:1: "));
  CHECK(recipe_problems("learning_rate: fast\n").at(0).find("a number from 0 to 1") != std::string::npos);
  CHECK(recipe_problems("freeze_vit: yes\n").size() == 1);
  CHECK(recipe_problems("parts: everything\n").size() == 1);
  CHECK(recipe_problems("schedule: linear\n").at(0).find("cosine or rsqrt") != std::string::npos);
  CHECK(recipe_problems("schedule: rsqrt\ntimescale: 0\n").size() == 1);
  CHECK(recipe_problems("beams: 0\nbatch_size: 0\n").size() == 2);
  TransferSettings settings{.model = "there", .data = "there", .resize = "nearest"};
  CHECK_THROWS_AS(check(settings), SettingsError);
  settings = {.freeze_vit = true, .model = "there", .data = "there", .image_warmup = 0.5};
  CHECK_THROWS_AS(check(settings), SettingsError);
}

TEST_CASE("a metric is known, has examples to score, and is needed where training waits for a better one") {
  const auto problem_of = [](const std::string& recipe) {
    TransferSettings settings{.model = "there", .data = "there"};
    read_recipe(recipe, "r.yaml", settings);
    try {
      check(settings);
    } catch (const SettingsError& error) {
      return error.problems().at(0);
    }
    return std::string();
  };
  CHECK(
      problem_of("metric: vqa\nlower: true\nevaluation: e.jsonl\nevaluate_every: 5\npatience: 2\n").empty());
  CHECK(problem_of("metric: cidre\nevaluation: e.jsonl\n").find("'cidre' is none; vqa, ") !=
        std::string::npos);
  CHECK(problem_of("metric: detection\nevaluation: e.jsonl\n").find("palisade evaluate") !=
        std::string::npos);
  CHECK(problem_of("metric: vqa\n").starts_with("metric: name the examples"));
  CHECK(problem_of("lower: true\n").starts_with("lower: "));
  CHECK(problem_of("evaluation: e.jsonl\nevaluate_every: 5\npatience: 2\n").starts_with("patience: "));
  CHECK(problem_of("evaluation: e.jsonl\nmetric: vqa\npatience: 2\n").starts_with("patience: "));
}

TEST_CASE("paths in a recipe are its folder's, and what is trained follows parts and freeze_vit") {
  TransferSettings settings;
  read_recipe("data: train.jsonl\nmodel: /models/m\n", "/runs/r.yaml", settings);
  CHECK(settings.data == "/runs/train.jsonl");
  CHECK(settings.model == "/models/m");
  CHECK(settings.trained_parts().size() == 3);
  settings.freeze_vit = true;
  CHECK(settings.trained_parts() == std::vector{ModelPart::kProjection, ModelPart::kLanguageModel});
  settings.parts = TrainedParts::kProjection;
  CHECK(settings.trained_parts() == std::vector{ModelPart::kProjection});
}

TEST_CASE("the rsqrt course falls as big_vision's, and a later stage goes on where the one before stopped") {
  const Schedule first{1000, 10, 100, 0}, second{1000, 1, 100, 500};
  CHECK(first.factor(0) == 0);
  CHECK(first.factor(5) == 0.5);
  CHECK(first.factor(10) == 1);
  CHECK(first.factor(310) == 0.5);
  CHECK(first.factor(5000) > 0);
  CHECK(second.factor(1) == doctest::Approx(first.factor(510)));
  CHECK(Schedule{100, 10}.factor(100) == 0);
}
