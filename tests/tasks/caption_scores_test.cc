#include "tasks/metrics/caption_scores.h"

#include <set>

#include "tasks/metrics/captions.h"
#include "tests/tasks/metric_cases.h"

using namespace palisade;

namespace {

Json corpus_of(const std::string& name) {
  return read_json(kMetricCases / "captions" / (name + ".json"));
}

MetricExample example_of(const Json& image) {
  return {.id = image.at("image_id"),
          .references = {.answers = image.at("references").get<std::vector<std::string>>(), .listed = true},
          .prediction = {.text = image.at("prediction").get<std::string>()}};
}

}  // namespace

TEST_CASE("captions have the recorded tokens and scores, each and all together") {
  std::map<std::string, std::size_t> images;
  for (const std::string name :
       {"english", "awkward", "languages", "short", "exact", "empty", "one_image", "same_references"}) {
    INFO(name);
    const Json corpus = corpus_of(name);
    CHECK(corpus.at("depend_on_next_line").empty());
    std::vector<MetricExample> examples;
    for (const Json& image : corpus.at("images")) examples.push_back(example_of(image));
    images[name] = examples.size();
    const MetricResult result = score_caption(examples, {});
    for (std::size_t i = 0; i < examples.size(); ++i) {
      Json image = corpus.at("images")[i];
      INFO(image.dump());
      CHECK(result.examples[i].details.at("prediction_tokens") == image.at("prediction_tokens"));
      CHECK(result.examples[i].details.at("reference_tokens") == image.at("reference_tokens"));
      for (const char* const score : {"cider", "cider_plain", "bleu", "rouge_l"})
        check_equal(result.examples[i].scores.at(score), image.at(score));
    }
    Json expected = corpus.at("corpus");
    expected.erase("meteor");
    check_figures(result.figures, expected);
    check_equal(result.figures.at("bleu-4"), expected.at("bleu"));
  }
  const std::map<std::string, std::size_t> expected = {
      {"english", 110}, {"awkward", 90}, {"languages", 80}, {"short", 30},
      {"exact", 20},    {"empty", 12},   {"one_image", 1},  {"same_references", 3}};
  CHECK(images == expected);
}

TEST_CASE("of an id that comes twice the references add up and the last prediction counts") {
  const Json corpus = corpus_of("repeated_ids");
  CHECK(corpus.at("images").size() == 14);
  std::map<int, MetricExample> by_id;
  for (const Json& image : corpus.at("images")) {
    MetricExample example = example_of(image);
    const auto [found, is_new] = by_id.try_emplace(image.at("image_id").get<int>(), example);
    if (is_new) continue;
    std::ranges::copy(example.references.answers, std::back_inserter(found->second.references.answers));
    found->second.prediction = example.prediction;
  }
  std::vector<MetricExample> examples;
  for (const auto& [id, example] : by_id) examples.push_back(example);
  CHECK(examples.size() == 7);
  check_figures(score_caption(examples, {}).figures, corpus.at("corpus"));
}

TEST_CASE("a picture without references is counted and changes no score") {
  const Json images = corpus_of("short").at("images");
  std::vector<MetricExample> examples;
  for (const Json& image : images) examples.push_back(example_of(image));
  const Json before = score_caption(examples, {}).figures;
  examples.push_back({.id = "test", .prediction = {.text = "a dog"}});
  Json after = score_caption(examples, {}).figures;
  CHECK(after.at("num") == 31);
  after["num"] = before.at("num");
  CHECK(after == before);
  CHECK(score_caption({}, {}).figures == Json{{"num", 0.0}});
}
