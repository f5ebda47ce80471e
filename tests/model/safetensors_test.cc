#include "model/weights/safetensors.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <fstream>
#include <random>

#include "base/format.h"
#include "model/error.h"
#include "model/weights/checkpoint.h"
#include "tests/model/golden.h"

using namespace palisade;

namespace {

namespace fs = std::filesystem;

// A temporary file.
struct TemporaryFolder {
  fs::path path = fs::temp_directory_path() / format("palisade-tensors-{}", ::getpid());
  TemporaryFolder() { fs::create_directories(path); }
  ~TemporaryFolder() { fs::remove_all(path); }
  fs::path write(const std::string& name, const std::string& bytes) const {
    std::ofstream(path / name, std::ios::binary) << bytes;
    return path / name;
  }
};

std::string with_header(const std::string& header, const std::string& data,
                        std::uint64_t claimed = UINT64_MAX) {
  const std::uint64_t size = claimed == UINT64_MAX ? header.size() : claimed;
  std::string bytes(reinterpret_cast<const char*>(&size), 8);
  return bytes + header + data;
}

std::string file_error(const std::string& bytes) {
  const TemporaryFolder folder;
  try {
    SafetensorsFile file(folder.write("model.safetensors", bytes));
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

bool says(const std::string& error, const char* part) {
  return error.find(part) != std::string::npos;
}

std::string read_all(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST_CASE("f32, bf16 and f16 become the same f32") {
  const TemporaryFolder folder;
  const std::string header = R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                             R"("b":{"dtype":"BF16","shape":[2],"data_offsets":[8,12]},)"
                             R"("c":{"dtype":"F16","shape":[2],"data_offsets":[12,16]}})";
  const float values[] = {1.5f, -0.25f};
  std::string data(reinterpret_cast<const char*>(values), 8);
  const std::uint16_t bf16[] = {0x3fc0, 0xbe80}, f16[] = {0x3e00, 0xb400};
  data.append(reinterpret_cast<const char*>(bf16), 4).append(reinterpret_cast<const char*>(f16), 4);
  const SafetensorsFile file(folder.write("model.safetensors", with_header(header, data)));
  for (const char* name : {"a", "b", "c"})
    CHECK(file.at(name).to_floats() == std::vector<float>{1.5f, -0.25f});
}

TEST_CASE("f16 denormals, infinities and signs survive") {
  const TemporaryFolder folder;
  const std::uint16_t f16[] = {0x0001, 0x8000, 0x7c00, 0xfbff};
  const SafetensorsFile file(folder.write(
      "model.safetensors", with_header(R"({"c":{"dtype":"F16","shape":[4],"data_offsets":[0,8]}})",
                                       std::string(reinterpret_cast<const char*>(f16), 8))));
  const auto floats = file.at("c").to_floats();
  CHECK(floats[0] == 0x1p-24f);
  CHECK(std::signbit(floats[1]));
  CHECK(std::isinf(floats[2]));
  CHECK(floats[3] == -65504.0f);
}

TEST_CASE("a header that lies is refused before anything is allocated") {
  CHECK(says(file_error(""), "too short"));
  CHECK(says(file_error(with_header("{}", "", std::uint64_t(1) << 63)), "over the limit"));
  CHECK(says(file_error(with_header("{}", "", 90'000'000)), "over the limit"));
  CHECK(says(file_error(with_header("{}", "", 1000)), "truncated"));
  CHECK(says(file_error(with_header("[]", "")), "no JSON object"));
  CHECK(says(file_error(with_header(std::string(100'000, '['), "")), "64 levels"));
}

TEST_CASE("offsets, shapes and types are checked against each other and named") {
  const auto one = [](const std::string& entry, const std::string& data) {
    return file_error(with_header("{\"w\":" + entry + "}", data));
  };
  CHECK(says(one(R"({"dtype":"F32","shape":[1],"data_offsets":[0,400]})", "1234"), "outside the file"));
  CHECK(says(one(R"({"dtype":"F32","shape":[1],"data_offsets":[4,0]})", "1234"), "outside the file"));
  CHECK(says(one(R"({"dtype":"F32","shape":[2],"data_offsets":[0,4]})", "1234"), "do not match"));
  CHECK(says(one(R"({"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,4]})", "1234"),
             "do not match"));
  CHECK(says(one(R"({"dtype":"F32","shape":[-1],"data_offsets":[0,4]})", "1234"), "shape"));
  CHECK(says(one(R"({"dtype":"Q4","shape":[1],"data_offsets":[0,4]})", "1234"), "\"Q4\" is not known"));
  CHECK(says(one(R"({"dtype":"F32","shape":[1],"data_offsets":[0,4]})", "12345"), "belong to no tensor"));
  CHECK(says(one(R"({"dtype":"F32","shape":[1],"data_offsets":[1,5]})", "12345"), "belong to no tensor"));
  CHECK(says(one(R"([])", ""), "tensor \"w\""));
  CHECK(says(file_error(with_header(R"({"v":{"dtype":"U8","shape":[3],"data_offsets":[0,3]},)"
                                    R"("w":{"dtype":"U8","shape":[3],"data_offsets":[2,5]}})",
                                    "12345")),
             "overlap"));
}

TEST_CASE("a truncated or mutated checkpoint never crashes") {
  const std::string whole = read_all(kModels / "paligemma1-bf16-sharded/model-00002-of-00002.safetensors");
  const unsigned seed = 20261123;
  MESSAGE("seed " << seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 300; ++round) {
    std::string bytes = whole.substr(0, round % 3 == 0 ? random() % whole.size() : whole.size());
    for (int change = 0; change < 3 && bytes.size() > 8; ++change)
      bytes[random() % std::min<std::size_t>(bytes.size(), 6000)] = char(random());
    file_error(bytes);
  }
  CHECK(says(file_error(whole.substr(0, whole.size() / 2)), "truncated"));
}

TEST_CASE("a folder's missing shard, missing tensor and wrong shape are named") {
  CHECK_THROWS_WITH_AS(Checkpoint("/nowhere"), doctest::Contains("neither model.safetensors nor"),
                       ModelError);
  const TemporaryFolder folder;
  fs::copy(kModels / "paligemma1-bf16-sharded/model.safetensors.index.json", folder.path);
  fs::copy(kModels / "paligemma1-bf16-sharded/model-00001-of-00002.safetensors", folder.path);
  CHECK_THROWS_WITH_AS(Checkpoint{folder.path},
                       doctest::Contains("model-00002-of-00002.safetensors: shard is missing"), ModelError);
  const Checkpoint whole(kModels / "paligemma1-tiny");
  CHECK_THROWS_WITH_AS(whole.read("language_model.model.norm.bias", {64}),
                       doctest::Contains("\"language_model.model.norm.bias\" is missing"), ModelError);
  CHECK_THROWS_WITH_AS(whole.read("language_model.model.norm.weight", {65}),
                       doctest::Contains("has shape [64], config.json asks for [65]"), ModelError);
}

TEST_CASE("an index that points outside its folder is refused") {
  const TemporaryFolder folder;
  for (const char* shard : {"../secret.safetensors", "/etc/passwd", "..", "a/b"}) {
    folder.write("model.safetensors.index.json", std::string(R"({"weight_map":{"w":")") + shard + "\"}}");
    CHECK_THROWS_WITH_AS(Checkpoint{folder.path}, doctest::Contains("names no file of this folder"),
                         ModelError);
  }
}

TEST_CASE("transformers' newer tensor names are read as the released ones") {
  const TemporaryFolder folder;
  folder.write(
      "model.safetensors",
      with_header(
          R"({"model.language_model.norm.weight":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
          R"("model.multi_modal_projector.linear.bias":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}})",
          "ab"));
  const Checkpoint checkpoint(folder.path);
  CHECK(checkpoint.has("language_model.model.norm.weight"));
  CHECK(checkpoint.has("multi_modal_projector.linear.bias"));
}

TEST_CASE("a file that becomes shorter while it is read is an error, in whichever thread") {
  const TemporaryFolder folder;
  constexpr int kRows = 1000, kCols = 512;
  const std::string header = R"({"w":{"dtype":"BF16","shape":[1000,512],"data_offsets":[0,1024000]}})";
  const fs::path path =
      folder.write("model.safetensors", with_header(header, std::string(2 * kRows * kCols, '\0')));
  const Checkpoint checkpoint(folder.path);
  std::atomic<int> rows = 0;
  const auto read = [&] {
    checkpoint.rows({"w"}, {kRows}, kCols).for_each([&](int, std::span<const float>) { ++rows; });
  };
  read();
  CHECK(rows == kRows);
  CHECK(checkpoint.bytes_read() == 2 * kRows * kCols);
  fs::resize_file(path, 200'000);
  // Other threads may notice the change first.
  try {
    read();
    FAIL("a file cut short is read");
  } catch (const Error& error) {
    const std::string what = error.what();
    CHECK_MESSAGE((says(what, "model.safetensors: ends at byte 200000, and had 10240") ||
                   says(what, "model.safetensors: was changed while it was read")),
                  what);
  }
}

TEST_CASE("a checkpoint that is written to while it is read is an error; one whose name is taken is not") {
  const TemporaryFolder folder;
  const std::string header = R"({"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
  const std::string bytes = with_header(header, std::string(8, '\0'));
  const fs::path path = folder.write("model.safetensors", bytes);
  const Checkpoint checkpoint(folder.path);
  folder.write("other", bytes + "longer");
  fs::rename(folder.path / "other", path);  // what was opened is still there
  CHECK(checkpoint.read("w", {2}).size() == 2);

  folder.write("model.safetensors", bytes);
  const Checkpoint again(folder.path);
  fs::last_write_time(path, fs::last_write_time(path) + std::chrono::seconds(2));
  CHECK_THROWS_WITH_AS(again.read("w", {2}), doctest::Contains("was changed while it was read"), Error);
}
