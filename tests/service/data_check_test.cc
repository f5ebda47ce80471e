#include "service/transfer/data_check.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <vector>

#include "base/json.h"
#include "ingest/pictures/picture.h"
#include "service/transfer/data_report.h"
#include "tests/ingest/test_files.h"
#include "tests/model/golden.h"

using namespace palisade;

namespace {

namespace fs = std::filesystem;

struct DataFolder : test::TestFolder {
  fs::path model = kModels / "paligemma1-tiny";
  ModelConfig config = read_model_config(model);
  Tokenizer tokenizer{model};

  DataFolder() {
    picture("red.png", 200, 8, 6);
    picture("same.png", 200, 8, 6);
    picture("dark.png", 10, 30, 20);
    write("broken.png", "\x89PNG\r\n\x1a\n and no more");
  }
  void picture(const std::string& name, std::uint8_t grey, int width, int height) const {
    write_png(
        path() / name,
        Image(width, height, std::vector<std::uint8_t>(std::size_t(width) * std::size_t(height) * 3, grey)));
  }
  static std::string line(const std::string& image, const std::string& prefix, const std::string& suffix) {
    return Json{{"image", image}, {"prefix", prefix}, {"suffix", suffix}}.dump() + "\n";
  }
  CheckedData check(const std::string& name, const std::string& text, int text_length = 64) const {
    write(name, text);
    return check_data(path() / name, {config, tokenizer, text_length}, {});
  }
};

}  // namespace

TEST_CASE("a check counts what is there, missing, broken, repeated and contradicting") {
  const DataFolder folder;
  const auto line = DataFolder::line;
  const CheckedData data = folder.check(
      "data.jsonl",
      line("red.png", "answer en what colour?", "red") + line("red.png", "answer en what colour?", "red") +
          line("same.png", "answer en what colour?", "blue") + line("dark.png", "caption en", "night") +
          line("gone.png", "caption en", "nothing") + line("broken.png", "caption en", "noise") +
          line("dark.png", "describe the picture", "") + "{\"image\": \"red.png\"}\n" + "no line\n");
  CHECK(data.lines.size() == 7);
  CHECK(data.problems.size() == 2);
  CHECK(data.contents.size() == 3);
  CHECK(data.unreadable.size() == 2);
  CHECK(data.missing.count == 1);
  CHECK(data.missing.first[0].place.find("data.jsonl:5") != std::string::npos);
  CHECK(data.broken.count == 1);
  CHECK(data.broken.first[0].place.find("data.jsonl:6") != std::string::npos);
  CHECK(data.repeated.count == 1);
  CHECK(data.repeated.first[0].place.ends_with("data.jsonl:2"));
  CHECK(data.repeated.first[0].earlier.ends_with("data.jsonl:1"));
  CHECK(data.contradicting.count == 1);
  CHECK(data.contradicting.first[0].place.ends_with("data.jsonl:3"));
  CHECK(data.renamed.count == 1);
  CHECK(data.empty.count == 1);
  CHECK(data.tasks.at("question") == 3);
  CHECK(data.tasks.at("caption") == 3);
  CHECK(data.suffixes.at("red") == 2);
  CHECK(!data.usable());

  const std::string text = data_text(data, 64);
  for (const char* const fact :
       {"7 examples, 2 that a transfer refuses", "5 files", "8 x 6 to 30 x 20", "missing          1 line",
        "broken           1 line", "repeated         1 line", "contradicting    1 line",
        "empty            1 line"}) {
    CAPTURE(fact);
    CHECK(text.find(fact) != std::string::npos);
  }
  const Json json = data_json(data);
  CHECK(json["usable"] == false);
  CHECK(json["missing"]["lines"] == 1);
  CHECK(json["answers"][0]["suffix"] == "red");
}

TEST_CASE("lengths are those that a transfer would refuse by") {
  const DataFolder folder;
  const std::string text =
      DataFolder::line("red.png", "caption en", "a red square on the left of a blue circle");
  const CheckedData roomy = folder.check("roomy.jsonl", text);
  CHECK(roomy.usable());
  const int length = int(roomy.text.most);
  CHECK(roomy.text.most == roomy.prefix.most + roomy.suffix.most - 1);
  CHECK(folder.check("exact.jsonl", text, length).usable());
  const CheckedData close = folder.check("close.jsonl", text, length - 1);
  CHECK(close.too_long.count == 1);
  CHECK(!close.usable());
}

TEST_CASE("what of one file is in another is found by content, whatever the pictures' names") {
  const DataFolder folder;
  const auto line = DataFolder::line;
  const CheckedData train = folder.check("train.jsonl", line("red.png", "answer en what colour?", "red") +
                                                            line("red.png", "caption en", "a field"));
  const CheckedData test = folder.check("test.jsonl", line("same.png", "answer en what colour?", "red") +
                                                          line("same.png", "answer en how many?", "two") +
                                                          line("same.png", "caption en", "a wall") +
                                                          line("dark.png", "caption en", "night"));
  const DataLeaks leaks = leaks_between(train, test);
  CHECK(leaks.pictures.count == 3);
  CHECK(leaks.questions.count == 2);
  CHECK(leaks.examples.count == 1);
  CHECK(leaks.examples.first[0].place.ends_with("test.jsonl:1"));
  CHECK(leaks.examples.first[0].earlier.ends_with("train.jsonl:1"));
  CHECK(leaks_text(leaks, train, test).find("1 line with the same answer too") != std::string::npos);
  CHECK(
      leaks_between(folder.check("other.jsonl", line("dark.png", "caption en", "x")), train).pictures.count ==
      0);
}

TEST_CASE("the contact sheet shows as many examples as it is asked for, with their texts escaped") {
  const DataFolder folder;
  std::string text;
  for (int i = 0; i < 30; ++i)
    text += DataFolder::line("red.png", "caption en", "<b>" + std::to_string(i) + "</b> & \"x\"");
  const CheckedData data =
      folder.check("many.jsonl", text + DataFolder::line("gone.png", "caption en", "gone"));
  const fs::path page = folder.path() / "sheet.html", again = folder.path() / "again.html";
  write_contact_sheet(page, data, 20, 3);
  write_contact_sheet(again, data, 20, 3);
  const std::string html = test::text_of(page);
  CHECK(html == test::text_of(again));
  std::size_t figures = 0;
  for (std::size_t at = 0; (at = html.find("<figure>", at)) != std::string::npos; ++at) ++figures;
  CHECK(figures == 20);
  CHECK(html.find("&lt;b&gt;") != std::string::npos);
  CHECK(html.find("<b>0</b> &") == std::string::npos);
  CHECK(html.find("http") == std::string::npos);
  write_contact_sheet(again, data, 100, 3);
  CHECK(test::text_of(again).find("gone.png") != std::string::npos);
}
