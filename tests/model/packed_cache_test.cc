#include "model/weights/packed_cache.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "model/error.h"
#include "model/paligemma/paligemma.h"
#include "model/paligemma/prompt.h"
#include "tests/ingest/test_files.h"

using namespace palisade;

namespace {

namespace fs = std::filesystem;

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

std::string read(PackedCache& cache, const std::string& name, std::size_t size) {
  std::string text(size, '?');
  return cache.read(name, std::as_writable_bytes(std::span(text))) ? text : "damaged";
}

void keep_two(const fs::path& file, const std::string& origin) {
  PackedCache cache(file, origin);
  CHECK_FALSE(cache.serves());
  cache.keep("a", bytes_of("first"));
  cache.keep("b", bytes_of(std::string(300'000, 'x')));
  CHECK(cache.finish().starts_with("packed weights written to"));
}

void change_byte(const fs::path& file, std::streamoff at) {
  std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
  stream.seekp(at, at < 0 ? std::ios::end : std::ios::beg);
  stream.put('!');
}

TEST_CASE("packed weights are read again where they belong, and made anew where they do not") {
  const test::TestFolder folder;
  const fs::path file = folder.path() / "below" / "packed.safetensors";
  keep_two(file, "mine");
  {
    PackedCache cache(file, "mine");
    REQUIRE(cache.serves());
    CHECK(read(cache, "a", 5) == "first");
    CHECK(read(cache, "b", 300'000) == std::string(300'000, 'x'));
    CHECK(cache.finish().starts_with("packed weights read from"));
  }
  SUBCASE("of another origin") {
    PackedCache cache(file, "another's");
    CHECK_FALSE(cache.serves());
  }
  SUBCASE("a byte of a tensor changed") {
    change_byte(file, -1'000);
    PackedCache cache(file, "mine");
    CHECK(read(cache, "b", 300'000) == "damaged");
    CHECK(read(cache, "a", 5) == "first");
    CHECK(cache.finish().find("1 damaged") != std::string::npos);
    CHECK_FALSE(fs::exists(file));
  }
  SUBCASE("a tensor of another size, or none of the name") {
    PackedCache cache(file, "mine");
    CHECK(read(cache, "a", 4) == "damaged");
    CHECK(read(cache, "c", 4) == "damaged");
    CHECK(cache.finish().find("2 damaged") != std::string::npos);
    CHECK_FALSE(fs::exists(file));
  }
  SUBCASE("cut short while it is read") {
    PackedCache cache(file, "mine");
    fs::resize_file(file, fs::file_size(file) - 1);
    CHECK(read(cache, "b", 300'000) == "damaged");
  }
  SUBCASE("its header changed") {
    change_byte(file, 20);
  }
  SUBCASE("cut short") {
    fs::resize_file(file, fs::file_size(file) - 1);
  }
  SUBCASE("empty") {
    fs::resize_file(file, 0);
  }
  SUBCASE("a folder of that name") {
    fs::remove(file);
    fs::create_directory(file);
    PackedCache cache(file, "mine");
    CHECK_FALSE(cache.serves());
    cache.keep("a", bytes_of("first"));
    CHECK(cache.finish().starts_with("packed weights are not kept"));
    fs::remove(file);
  }
  keep_two(file, "again");
  CHECK(PackedCache(file, "again").serves());
}

TEST_CASE("what was not finished is not there") {
  const test::TestFolder folder;
  const fs::path file = folder.path() / "packed.safetensors";
  {
    PackedCache cache(file, "mine");
    cache.keep("a", bytes_of("first"));
  }
  CHECK(fs::is_empty(folder.path()));
}

TEST_CASE("a model from packed weights is the model, and changed weights are packed anew") {
  const test::TestFolder folder;
  const fs::path source = PALISADE_SOURCE_DIR "/tests/golden/reference/models/paligemma1-tiny";
  const fs::path copy = folder.path() / "model";
  fs::copy(source, copy, fs::copy_options::recursive);
  const auto logits = [](const PaliGemma& model) {
    const std::vector<TokenId> prompt = model.prompt_ids("caption en");
    const Sequence sequence = model.prefill({}, prompt, 1);
    const auto row = sequence.logits();
    return std::vector<float>(row.begin(), row.end());
  };
  for (const Precision precision : precisions_here()) {
    const auto load = [&](const fs::path& cache) {
      return std::make_unique<PaliGemma>(copy, SlidingWindow::kTransformers, precision,
                                         WeightOptions{.packed_cache = cache});
    };
    const std::vector<float> plain = logits(*load({}));
    const auto first = load(folder.path() / "cache"), second = load(folder.path() / "cache");
    CHECK(first->packed_cache_note().starts_with("packed weights written"));
    CHECK(second->packed_cache_note().starts_with("packed weights read"));
    CHECK(logits(*first) == plain);
    CHECK(logits(*second) == plain);
  }
  fs::last_write_time(copy / "model.safetensors", fs::file_time_type::clock::now() + std::chrono::hours(1));
  const PaliGemma third(copy, SlidingWindow::kTransformers, Precision::kF32,
                        {.packed_cache = folder.path() / "cache"});
  CHECK(third.packed_cache_note().find("made of other weights") != std::string::npos);
}

TEST_CASE("a tensor that is damaged in the cache is packed from the checkpoint") {
  const test::TestFolder folder;
  const fs::path model = PALISADE_SOURCE_DIR "/tests/golden/reference/models/paligemma1-tiny";
  const auto load = [&] {
    return std::make_unique<PaliGemma>(model, SlidingWindow::kTransformers, Precision::kF32,
                                       WeightOptions{.packed_cache = folder.path()});
  };
  const auto whole = load();
  const fs::path file = fs::directory_iterator(folder.path())->path();
  change_byte(file, -1'000);
  const auto damaged = load(), again = load();
  CHECK(damaged->packed_cache_note().find("1 damaged") != std::string::npos);
  CHECK(again->packed_cache_note().starts_with("packed weights written"));
  const std::vector<TokenId> prompt = whole->prompt_ids("caption en");
  const Sequence expected = whole->prefill({}, prompt, 1), actual = damaged->prefill({}, prompt, 1);
  CHECK(std::ranges::equal(actual.logits(), expected.logits()));
}

}  // namespace
