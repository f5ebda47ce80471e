#include "base/read_file.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <fstream>

#include "base/error.h"
#include "base/format.h"
#include "base/json.h"

using namespace palisade;

namespace {

namespace fs = std::filesystem;

struct SmallFile {
  fs::path path = fs::temp_directory_path() / format("palisade-read-file-{}", ::getpid());
  explicit SmallFile(const std::string& text) { std::ofstream(path, std::ios::binary) << text; }
  ~SmallFile() { fs::remove_all(path); }
};

}  // namespace

TEST_CASE("a file is read from any byte on, and says where it ends") {
  const SmallFile file("0123456789");
  const ReadFile read(file.path);
  CHECK(read.size() == 10);
  std::array<std::byte, 4> some{};
  read.read(3, some);
  CHECK(some[0] == std::byte('3'));
  read.require_unchanged();
  fs::resize_file(file.path, 5);
  CHECK_THROWS_WITH_AS(read.read(3, some),
                       doctest::Contains("ends at byte 5, and had 10 bytes when it was opened"), Error);
  CHECK_THROWS_WITH_AS(read.require_unchanged(), doctest::Contains("was changed while it was read"), Error);
}

TEST_CASE("what the disk refuses is named with file and byte") {
  // The first page of this process's memory is not mapped, so reading it gives EIO.
  const ReadFile memory("/proc/self/mem");
  std::array<std::byte, 4> some{};
  CHECK_THROWS_WITH_AS(memory.read(16, some), "/proc/self/mem: cannot be read at byte 16: Input/output error",
                       Error);
}

TEST_CASE("only a regular file is read, and nobody waits for a pipe") {
  CHECK_THROWS_WITH_AS(ReadFile("/nowhere/model"), "/nowhere/model: no such file", Error);
  CHECK_THROWS_WITH_AS(ReadFile("/tmp"), "/tmp: not a regular file but a folder", Error);
  CHECK_THROWS_WITH_AS(ReadFile("/dev/zero"), "/dev/zero: not a regular file", Error);
  const SmallFile place("");
  fs::remove(place.path);
  REQUIRE(::mkfifo(place.path.c_str(), 0600) == 0);
  CHECK_THROWS_WITH_AS(ReadFile(place.path), doctest::Contains("not a regular file"), Error);
  CHECK_THROWS_WITH_AS(read_text_file(place.path, 10), doctest::Contains("not a regular file"), Error);
}

TEST_CASE("a text file larger than it may be is refused with both figures") {
  const SmallFile file("0123456789");
  CHECK(read_text_file(file.path, 10) == "0123456789");
  CHECK_THROWS_WITH_AS(read_text_file(file.path, 9),
                       doctest::Contains("10 bytes are more than the 9 allowed"), Error);
}
