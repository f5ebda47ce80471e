#include "service/transfer/pass_reader.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <numeric>
#include <string>

#include "base/error.h"
#include "base/format.h"
#include "ingest/pictures/picture.h"

using namespace palisade;

namespace {

namespace fs = std::filesystem;

constexpr int kPassSide = 8;

Image picture_of(int number, int width = 20, int height = 12) {
  std::vector<std::uint8_t> samples(std::size_t(width) * height * 3);
  for (std::size_t i = 0; i < samples.size(); ++i) samples[i] = std::uint8_t(number * 7 + i % 5);
  return Image(width, height, std::move(samples));
}

// Examples with a picture each, and what reads them.
class ExampleFolder {
 public:
  explicit ExampleFolder(int count, std::size_t most_bytes = 0)
      : path_(fs::temp_directory_path() / format("palisade-passes-{}", getpid())) {
    fs::remove_all(path_);
    fs::create_directories(path_);
    kept.begin(preprocessor, most_bytes);
    for (int i = 0; i < count; ++i) {
      write_png(picture(i), picture_of(i));
      records.push_back({.place = format("data.jsonl:{}", i + 1), .pictures = {picture(i)}});
      records.back().tokens = {.prompt = {2, i}, .suffix = {i, 1}};
    }
  }
  ~ExampleFolder() { fs::remove_all(path_); }
  ExampleFolder(const ExampleFolder&) = delete;
  ExampleFolder& operator=(const ExampleFolder&) = delete;

  fs::path picture(int number) const { return path_ / format("{:03}.png", number); }
  const fs::path& path() const { return path_; }
  std::vector<float> values(int number) const {
    const Matrix matrix = preprocessor.pixel_values(preprocessor.to_square(picture_of(number)));
    return {matrix.data(), matrix.data() + matrix.size()};
  }
  PassRecords pass(std::vector<int> numbers) const {
    PassRecords chosen{.records = {}, .seed = 1};
    for (const int number : numbers) chosen.records.push_back(&records[std::size_t(number)]);
    return chosen;
  }

  Preprocessor preprocessor{.image_size = kPassSide};
  TransferSettings settings{.frames = 4, .frame_step = 2};
  KeptPictures kept;
  PictureLoader loader{preprocessor, settings, kept};
  std::vector<TransferRecord> records;

 private:
  fs::path path_;
};

std::vector<float> values_of(const Matrix& matrix) {
  return {matrix.data(), matrix.data() + matrix.size()};
}

std::vector<std::uint8_t> first_samples(const std::vector<Image>& images) {
  std::vector<std::uint8_t> samples;
  for (const Image& image : images) samples.push_back(image.u8()[0]);
  return samples;
}

constexpr std::size_t kPlenty = 1u << 20;
constexpr std::size_t kSquareBytes = kPassSide * kPassSide * 3;

}  // namespace

TEST_CASE("passes come out in the order in which they were added, each with its own pictures") {
  ExampleFolder examples(30);
  PassReader reader(examples.loader);
  int added = 0;
  for (int taken = 0; taken < 30; taken += 3) {
    for (; added < 30 && reader.has_room(); added += 3)
      reader.add(examples.pass({added, added + 1, added + 2}));
    CHECK(added > taken + (taken < 27 ? 3 : 0));  // one at least is read while another is computed
    const ReadPass pass = reader.next();
    REQUIRE(pass.batch.pictures.size() == 3);
    for (int i = 0; i < 3; ++i) {
      CHECK(pass.chosen.records[std::size_t(i)] == &examples.records[std::size_t(taken + i)]);
      CHECK(pass.batch.examples[std::size_t(i)].pictures == std::vector{i});
      CHECK(pass.batch.examples[std::size_t(i)].prompt == std::vector<TokenId>{2, taken + i});
      CHECK(pass.batch.examples[std::size_t(i)].suffix == std::vector<TokenId>{taken + i, 1});
      CHECK(values_of(pass.batch.pictures[std::size_t(i)]) == examples.values(taken + i));
    }
  }
}

TEST_CASE("a picture of several examples of a pass stands in its batch once") {
  ExampleFolder examples(3);
  PassReader reader(examples.loader);
  reader.add(examples.pass({1, 2, 1, 0, 2}));
  const ReadPass pass = reader.next();
  REQUIRE(pass.batch.pictures.size() == 3);
  std::vector<std::vector<int>> pictures;
  for (const TrainingExample& example : pass.batch.examples) pictures.push_back(example.pictures);
  CHECK(pictures == std::vector<std::vector<int>>{{0}, {1}, {0}, {2}, {1}});
  CHECK(values_of(pass.batch.pictures[2]) == examples.values(0));
}

TEST_CASE("a picture that cannot be read is told with file and line when its pass is due") {
  ExampleFolder examples(8);
  fs::resize_file(examples.picture(5), 40);
  PassReader reader(examples.loader);
  for (const int first : {0, 2, 4, 6}) reader.add(examples.pass({first, first + 1}));
  CHECK(reader.next().batch.pictures.size() == 2);
  CHECK(reader.next().batch.pictures.size() == 2);
  std::string told;
  try {
    reader.next();
  } catch (const Error& error) {
    told = error.what();
  }
  CHECK(told.starts_with("data.jsonl:6: "));
  CHECK(told.find("005.png") != std::string::npos);
  CHECK(values_of(reader.next().batch.pictures[1]) == examples.values(7));
}

TEST_CASE("no more is read ahead than there is memory for, but one pass always") {
  ExampleFolder examples(6);
  const std::size_t pass_bytes = 2 * kSquareBytes * sizeof(float);
  PassReader tight(examples.loader, pass_bytes - 1);
  REQUIRE(tight.has_room());
  tight.add(examples.pass({0, 1}));
  CHECK_FALSE(tight.has_room());
  tight.next();
  CHECK(tight.has_room());
  PassReader wider(examples.loader, 2 * pass_bytes);
  wider.add(examples.pass({0, 1}));
  REQUIRE(wider.has_room());
  wider.add(examples.pass({2, 3}));
  CHECK_FALSE(wider.has_room());
}

TEST_CASE("a reader that is given up in the middle ends") {
  ExampleFolder examples(40);
  for (int repeat = 0; repeat < 20; ++repeat) {
    PassReader reader(examples.loader);
    for (int first = 0; first < 40; first += 8)
      reader.add(examples.pass({first, first + 1, first + 2, first + 3, first + 4}));
    if (repeat % 2 == 1) reader.next();
  }
}

TEST_CASE("what is kept needs no file, and what is over the limit is read each time") {
  const std::size_t entry = kSquareBytes + 512;
  ExampleFolder examples(4, 2 * entry + 100);
  for (int i = 0; i < 4; ++i) CHECK(examples.loader.images(examples.records[std::size_t(i)], {}).size() == 1);
  CHECK(examples.kept.bytes() == 2 * entry);
  for (int i = 0; i < 4; ++i) fs::remove(examples.picture(i));
  for (int i = 0; i < 2; ++i)
    CHECK(values_of(examples.loader.load(examples.records[std::size_t(i)], {}).values[0]) ==
          examples.values(i));
  for (int i = 2; i < 4; ++i)
    CHECK_THROWS_AS(examples.loader.images(examples.records[std::size_t(i)], {}), Error);
  // Room that was given back is used again.
  examples.kept.forget(examples.picture(0));
  CHECK(examples.kept.bytes() == entry);
  CHECK_THROWS_AS(examples.loader.images(examples.records[0], {}), Error);
  examples.kept.keep_picture(examples.picture(3), picture_of(3));
  CHECK(values_of(examples.loader.load(examples.records[3], {}).values[0]) == examples.values(3));
}

TEST_CASE("what is kept is forgotten where pictures are resized in another way, or the limit is lower") {
  ExampleFolder examples(2, kPlenty);
  examples.loader.images(examples.records[0], {});
  examples.kept.begin(examples.preprocessor, kPlenty);
  CHECK(examples.kept.bytes() > 0);
  examples.kept.begin({.image_size = kPassSide, .resize = ResizePreset::kBvBilinear}, kPlenty);
  CHECK(examples.kept.bytes() == 0);
  CHECK(examples.kept.find({examples.picture(0)}).empty());
  examples.kept.keep_picture(examples.picture(0), picture_of(0));
  examples.kept.begin({.image_size = kPassSide, .resize = ResizePreset::kBvBilinear}, 100);
  CHECK(examples.kept.bytes() == 0);
  examples.kept.keep_picture(examples.picture(0), picture_of(0));
  CHECK(examples.kept.bytes() == 0);
}

TEST_CASE("what a tower that is not trained makes of pictures is kept instead of them, within the limit") {
  ExampleFolder examples(4, kPlenty);
  examples.settings.freeze_vit = true;
  PictureLoader loader(examples.preprocessor, examples.settings, examples.kept);
  REQUIRE(loader.keeps_states());
  CHECK_FALSE(examples.loader.keeps_states());
  Matrix states(2, 3);
  std::iota(states.data(), states.data() + states.size(), 0.0f);
  CHECK(loader.load(examples.records[0], {}).states[0] == nullptr);
  const std::size_t square = examples.kept.bytes();
  loader.keep_states({examples.picture(0)}, states);
  CHECK(examples.kept.bytes() < square);
  CHECK(examples.kept.find({examples.picture(0)}).empty());
  const LoadedPictures loaded = loader.load(examples.records[0], {});
  REQUIRE(loaded.states[0] != nullptr);
  CHECK(values_of(*loaded.states[0]) == values_of(states));
  CHECK(loaded.values[0].size() == 0);
  CHECK(loaded.names[0].file == examples.picture(0));
  // A run that trains the tower reads the picture.
  CHECK(values_of(examples.loader.load(examples.records[0], {}).values[0]) == examples.values(0));
  examples.kept.forget(examples.picture(0));

  // Room for one of each: the square gives way to states, and those stay.
  loader.load(examples.records[1], {});
  examples.kept.begin(examples.preprocessor, square + 100);
  CHECK_FALSE(examples.kept.find({examples.picture(1)}).empty());
  loader.keep_states({examples.picture(2)}, states);
  CHECK(examples.kept.find({examples.picture(1)}).empty());
  CHECK(examples.kept.find_states({examples.picture(2)}) != nullptr);
  loader.keep_states({examples.picture(3)}, states);
  CHECK(examples.kept.find_states({examples.picture(3)}) == nullptr);
  // Another tower's are forgotten.
  examples.kept.begin(examples.preprocessor, square + 100, "another model");
  CHECK(examples.kept.bytes() == 0);
}

TEST_CASE("frames of a film are the same whether they are kept or read, from any start") {
  for (const int length : {1, 3, 7, 12}) {
    // A folder of pictures is a film.
    ExampleFolder kept(length, kPlenty);
    const TransferRecord film{.place = "data.jsonl:1", .video = kept.path()};
    KeptPictures none;
    PictureLoader reading(kept.preprocessor, kept.settings, none);
    std::vector<std::vector<std::uint8_t>> starts;
    for (std::uint64_t seed = 0; seed < 40; ++seed) {
      const auto frames = first_samples(reading.images(film, seed));
      REQUIRE(frames.size() == 4);
      CHECK(first_samples(kept.loader.images(film, seed)) == frames);
      CHECK(first_samples(kept.loader.images(film, seed)) == frames);
      starts.push_back(frames);
    }
    std::ranges::sort(starts);
    const auto different = std::unique(starts.begin(), starts.end()) - starts.begin();
    CHECK(different == std::max(length - 6, 1));  // four frames, two apart, are seven
    CHECK(first_samples(kept.loader.images(film, {})) == first_samples(reading.images(film, {})));
    CHECK(none.bytes() == 0);
    // All that was drawn is kept by now.
    fs::remove_all(kept.path());
    CHECK(first_samples(kept.loader.images(film, {})).size() == 4);
  }
}
