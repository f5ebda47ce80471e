#include "base/input_file.h"

#include <doctest/doctest.h>

#include <sys/stat.h>
#include <unistd.h>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/format.h"

using namespace palisade;
namespace fs = std::filesystem;

namespace {

struct TemporaryFile {
  explicit TemporaryFile(const std::string& content) { std::ofstream(path, std::ios::binary) << content; }
  ~TemporaryFile() { fs::remove(path); }
  const fs::path path = fs::temp_directory_path() / format("palisade_input_file{}", getpid());
};

std::vector<std::string> lines_of(const std::string& content, std::size_t most_bytes = 1u << 20) {
  const TemporaryFile file(content);
  LineReader reader(file.path, most_bytes);
  std::vector<std::string> lines;
  for (std::string line; reader.next(line);) lines.push_back(line);
  CHECK(reader.number() == int(lines.size()));
  return lines;
}

}  // namespace

TEST_CASE("lines end with line feeds, and the last one may do without") {
  CHECK(lines_of("").empty());
  CHECK(lines_of("\n") == std::vector<std::string>{""});
  CHECK(lines_of("a\n\nb") == std::vector<std::string>{"a", "", "b"});
  CHECK(lines_of("a\r\nb\n") == std::vector<std::string>{"a\r", "b"});
  CHECK(lines_of(std::string("a\0b\n", 4)) == std::vector<std::string>{std::string("a\0b", 3)});
}

TEST_CASE("lines are whole wherever the pieces in which a file is read end") {
  constexpr std::size_t kPiece = 1u << 16;
  for (const std::size_t length : {kPiece - 2, kPiece - 1, kPiece, kPiece + 1, 2 * kPiece, 3 * kPiece + 7}) {
    CAPTURE(length);
    const std::string line(length, 'x');
    CHECK(lines_of(line + "\nb\n" + line) == std::vector<std::string>{line, "b", line});
  }
}

TEST_CASE("a line that is too long is told with its number before it has been read to its end") {
  CHECK(lines_of("1234\n1234", 4).size() == 2);
  const TemporaryFile file("1234\n12345\n");
  LineReader reader(file.path, 4);
  std::string line;
  CHECK(reader.next(line));
  CHECK_THROWS_WITH_AS(reader.next(line), doctest::Contains(":2: "), LineTooLong);
}

TEST_CASE("what cannot be read is an error and never the end") {
  // This opens like a file, has no length, and fails at the first read.
  char one = 0;
  InputFile memory("/proc/self/mem");
  CHECK_THROWS_WITH_AS(memory.read({&one, 1}), doctest::Contains("cannot be read"), Error);
  const fs::path pipe = fs::temp_directory_path() / format("palisade_input_pipe{}", getpid());
  REQUIRE(mkfifo(pipe.c_str(), 0600) == 0);
  for (const fs::path& path : {pipe, fs::path("/"), fs::path("/dev/zero"), fs::path("/nowhere/at/all")})
    CHECK_THROWS_AS(InputFile{path}, Error);
  fs::remove(pipe);
}
