#include "model/weights/read_ahead.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "tests/ingest/test_files.h"

using namespace palisade;
using namespace std::chrono_literals;

namespace {

namespace fs = std::filesystem;

// A file that is on disk and, if the file system can drop its pages, not in memory.
void write_out(const fs::path& path, std::size_t size) {
  std::ofstream(path, std::ios::binary) << std::string(size, 'x');
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  ::fsync(file);
  ::posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED);
  ::close(file);
}

// The number of a file's pages in the page cache.
std::size_t pages_in_memory(const fs::path& path) {
  const std::size_t size = fs::file_size(path);
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  void* const mapped = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file, 0);
  ::close(file);
  REQUIRE(mapped != MAP_FAILED);
  std::vector<unsigned char> pages((size + 4095) / 4096);
  CHECK(::mincore(mapped, size, pages.data()) == 0);
  ::munmap(mapped, size);
  return std::size_t(std::ranges::count_if(pages, [](unsigned char page) { return page & 1; }));
}

}  // namespace

TEST_CASE("files are in memory before anyone reads them") {
  const test::TestFolder folder;
  constexpr std::size_t kSize = 3u << 20;
  const fs::path first = folder.path() / "first", second = folder.path() / "second";
  write_out(first, kSize);
  write_out(second, kSize + 1);
  const ReadAhead ahead({first, folder.path() / "missing", second}, [] { return std::size_t(0); });
  const auto patience = std::chrono::steady_clock::now() + 60s;
  while (pages_in_memory(second) < kSize / 4096 + 1 && std::chrono::steady_clock::now() < patience)
    std::this_thread::sleep_for(5ms);
  CHECK(pages_in_memory(first) == kSize / 4096);
  CHECK(pages_in_memory(second) == kSize / 4096 + 1);
}

TEST_CASE("what nobody takes is not read on and on, and the end does not wait for it") {
  const test::TestFolder folder;
  const fs::path large = folder.path() / "large";
  constexpr std::size_t kSize = std::size_t(1) << 30;
  std::ofstream(large).put('x');
  fs::resize_file(large, kSize);  // of holes
  std::atomic<int> asked = 0;
  {
    const ReadAhead ahead({large}, [&] {
      ++asked;
      return std::size_t(0);
    });
    // Far enough ahead of the reader it waits and asks repeatedly.
    const auto patience = std::chrono::steady_clock::now() + 60s;
    while (asked < 1200 && std::chrono::steady_clock::now() < patience) std::this_thread::sleep_for(5ms);
    CHECK(asked >= 1200);
  }
  CHECK(pages_in_memory(large) < kSize / 4096 / 2);
}
