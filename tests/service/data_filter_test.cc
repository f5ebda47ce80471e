#include "service/transfer/data_filter.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <fstream>

#include "base/format.h"
#include "base/json.h"
#include "ingest/pictures/picture.h"
#include "service/settings/settings.h"

using namespace palisade;

namespace {

namespace fs = std::filesystem;

// A temporary folder with example files and pictures.
class LineFolder {
 public:
  LineFolder() : path_(fs::temp_directory_path() / format("palisade-filter-{}", getpid())) {
    fs::remove_all(path_);
    fs::create_directories(path_);
  }
  ~LineFolder() { fs::remove_all(path_); }
  LineFolder(const LineFolder&) = delete;
  LineFolder& operator=(const LineFolder&) = delete;

  fs::path write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ / name, std::ios::binary) << text;
    return path_ / name;
  }
  void picture(const std::string& name, int width, int height, std::uint8_t grey) const {
    write_png(path_ / name,
              Image(width, height, std::vector<std::uint8_t>(std::size_t(width) * height * 3, grey)));
  }
  // Writes lines of {image, prefix, suffix}.
  std::vector<TransferLine> lines(const std::vector<std::array<std::string, 3>>& examples) const {
    std::string text;
    for (const auto& [image, prefix, suffix] : examples)
      text += Json{{"image", image}, {"prefix", prefix}, {"suffix", suffix}}.dump() + "\n";
    LineProblems problems;
    auto lines = read_transfer_lines(write("data.jsonl", text), problems);
    REQUIRE(problems.empty());
    return lines;
  }
  FilterSettings filters(const std::string& text) const { return read_filters(text, path_ / "f.yaml"); }
  std::vector<std::string> problems_of(const std::string& text) const {
    try {
      filters(text);
    } catch (const SettingsError& error) {
      return error.problems();
    }
    return {};
  }

 private:
  fs::path path_;
};

// "LINE REASON" of each removed line.
std::vector<std::string> reasons(const FilteredLines& lines) {
  std::vector<std::string> all;
  for (const RemovedLine& line : lines.removed) all.push_back(format("{} {}", line.line, line.reason));
  return all;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE(
    "text goes for words, personal data and patterns, in prefix and suffix, and the report holds none of "
    "it") {
  const LineFolder folder;
  folder.picture("a.png", 8, 8, 0);
  folder.write("bad.txt", "# a list\nfoo\n");
  const auto lines = filtered(folder.lines({{"a.png", "caption en", "a car"},
                                            {"a.png", "caption en", "a FOO car"},
                                            {"a.png", "who is a@example.org?", "nobody"},
                                            {"a.png", "caption en", "badge PX-123456"},
                                            {"a.png", "caption en", "food"}}),
                              folder.filters("words: [bad.txt]\npersonal_data: [email, phone]\n"
                                             "patterns: {badge: 'PX-\\d{6}'}\n"));
  CHECK(reasons(lines) == Texts{"2 words: bad.txt", "3 personal_data: email", "4 patterns: badge"});
  REQUIRE(lines.kept.size() == 2);
  CHECK(lines.kept[1].number == 5);
  CHECK(lines.removed[0].detail == "suffix, bytes 2 to 5");
  CHECK(lines.removed[1].detail == "prefix, bytes 7 to 20");
  CHECK(summary_of(lines) ==
        "3 of 5 examples removed: patterns: badge 1, personal_data: email 1, words: bad.txt 1");
  const std::string report = removed_text(lines.removed);
  CHECK(report.find("example.org") == std::string::npos);
  const Json second = Json::parse(
      report.substr(report.find('\n') + 1, report.find('\n', report.find('\n') + 1) - report.find('\n') - 1));
  CHECK(second.at("line") == 3);
  CHECK(second.at("reason") == "personal_data: email");
  CHECK(second.at("file").get<std::string>().ends_with("data.jsonl"));
}

TEST_CASE("pictures go for their size and where they cannot be read") {
  const LineFolder folder;
  folder.picture("good.png", 40, 30, 1);
  folder.picture("small.png", 40, 19, 2);
  folder.picture("large.png", 101, 60, 3);
  folder.picture("long.png", 100, 24, 4);
  folder.write("broken.png", "no picture");
  const auto lines = filtered(folder.lines({{"good.png", "p", "s"},
                                            {"small.png", "p", "s"},
                                            {"large.png", "p", "s"},
                                            {"long.png", "p", "s"},
                                            {"broken.png", "p", "s"}}),
                              folder.filters("least_side: 20\nmost_side: 100\nmost_aspect: 4\n"));
  CHECK(reasons(lines) == Texts{"2 least_side", "3 most_side", "4 most_aspect", "5 unreadable"});
  CHECK(lines.removed[0].detail.starts_with("40 x 19 pixels: "));
}

TEST_CASE("duplicates go by their pixels, but several questions about one file stay") {
  const LineFolder folder;
  folder.picture("a.png", 8, 8, 1);
  folder.picture("again.png", 8, 8, 1);
  folder.picture("turned.png", 4, 16, 1);  // the same bytes in another shape
  const std::vector<std::array<std::string, 3>> examples = {
      {"a.png", "p", "s"}, {"a.png", "q", "s"},      {"again.png", "r", "s"},
      {"a.png", "p", "s"}, {"turned.png", "p", "s"}, {"again.png", "q", "s"}};
  CHECK(reasons(filtered(folder.lines(examples), folder.filters("duplicates: [examples]\n"))) ==
        Texts{"4 duplicates: examples", "6 duplicates: examples"});
  CHECK(reasons(filtered(folder.lines(examples), folder.filters("duplicates: [pictures]\n"))) ==
        Texts{"3 duplicates: pictures", "6 duplicates: pictures"});
  const auto both = filtered(folder.lines(examples), folder.filters("duplicates: [pictures, examples]\n"));
  CHECK(reasons(both) == Texts{"3 duplicates: pictures", "4 duplicates: examples", "6 duplicates: examples"});
  CHECK(both.removed[1].detail.ends_with("data.jsonl:1"));
}

TEST_CASE("an example that was removed is no earlier one") {
  const LineFolder folder;
  folder.picture("a.png", 8, 8, 1);
  folder.picture("again.png", 8, 8, 1);
  const auto lines = filtered(folder.lines({{"a.png", "p", "call 030 1234567"}, {"again.png", "p", "s"}}),
                              folder.filters("personal_data: [phone]\nduplicates: [pictures]\n"));
  CHECK(reasons(lines) == Texts{"1 personal_data: phone"});
}

TEST_CASE("a question about a file stays where the same question about its copy was removed") {
  const LineFolder folder;
  folder.picture("a.png", 8, 8, 1);
  folder.picture("again.png", 8, 8, 1);
  const auto lines =
      filtered(folder.lines({{"a.png", "p", "s"}, {"again.png", "q", "s"}, {"a.png", "q", "s"}}),
               folder.filters("duplicates: [examples, pictures]\n"));
  CHECK(reasons(lines) == Texts{"2 duplicates: pictures"});
}

TEST_CASE("filters without any remove nothing, and filters that leave nothing are told") {
  const LineFolder folder;
  folder.picture("a.png", 8, 8, 1);
  CHECK(filtered(folder.lines({{"a.png", "p", "s"}}), folder.filters("{}")).removed.empty());
  const fs::path all = folder.write("all.yaml", "least_side: 9\n");
  CHECK_THROWS_AS(filtered(folder.lines({{"a.png", "p", "s"}}), all), SettingsError);
}

TEST_CASE("a filter's mistakes are told with their place") {
  const LineFolder folder;
  folder.write("binary.txt", std::string("a\0b", 3));
  folder.write("huge.txt", std::string((1 << 20) + 1, 'a'));
  const auto first = [&](const std::string& text) {
    const auto problems = folder.problems_of(text);
    REQUIRE(!problems.empty());
    return problems[0];
  };
  CHECK(first("wrds: [a]\n").find("f.yaml:1:1: unknown key 'wrds'") != std::string::npos);
  CHECK(first("wrds: [a]\n").find("did you mean words?") != std::string::npos);
  CHECK(first("words: [nowhere.txt]\n").find("f.yaml:1:9") != std::string::npos);
  CHECK(first("words: [binary.txt]\n").find("binary.txt:1: a control character") != std::string::npos);
  CHECK(first("words: [huge.txt]\n").find("huge.txt") != std::string::npos);
  CHECK(first("words: [.]\n").find("f.yaml:1:9") != std::string::npos);
  CHECK(first("words: a.txt\n").find("is a list") != std::string::npos);
  CHECK(first("words: [[a.txt]]\n").find("lists text") != std::string::npos);
  CHECK(first("personal_data: [email, fax]\n").find("email, phone, card, plate, identity, not 'fax'") !=
        std::string::npos);
  CHECK(first("patterns: {a: '('}\n").find("f.yaml:1:15") != std::string::npos);
  CHECK(first("patterns: {a: 'b?'}\n").find("empty text") != std::string::npos);
  CHECK(first("patterns: [a]\n").find("a map") != std::string::npos);
  CHECK(first("patterns: {a: [b]}\n").find("text") != std::string::npos);
  CHECK(first("least_side: 50\nmost_side: 40\n").find("f.yaml:2:12") != std::string::npos);
  CHECK(first("most_aspect: 0.5\n").find("from 1 to") != std::string::npos);
  CHECK(first("duplicates: [all]\n").find("examples, pictures") != std::string::npos);
  CHECK(first("- words\n").find("a map") != std::string::npos);
  CHECK(first("a: &x 1\n").find("anchor") != std::string::npos);
  CHECK(!folder.problems_of(std::string(40, '[')).empty());
  CHECK(!folder.problems_of("words: \xff\n").empty());
}
