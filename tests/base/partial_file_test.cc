#include "base/partial_file.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <string>

using namespace palisade;
namespace fs = std::filesystem;

namespace {

class PartialFolder {
 public:
  PartialFolder() {
    std::string name = (fs::temp_directory_path() / "palisade-partial-XXXXXX").string();
    path = mkdtemp(name.data());
    std::ofstream(path / "precious") << "precious";
  }
  ~PartialFolder() { fs::remove_all(path); }
  std::string text(const char* name) const {
    std::string all;
    std::getline(std::ifstream(path / name), all);
    return all;
  }
  fs::path path;
};

bool write_new(const fs::path& path) {
  PartialFile file;
  if (file.open(path) < 0) return false;
  REQUIRE(::write(file.descriptor, "new", 3) == 3);
  return file.commit();
}

}  // namespace

TEST_CASE("a file is written whole, for its owner and group, whatever the umask") {
  const PartialFolder folder;
  const mode_t before = umask(0);
  CHECK(write_new(folder.path / "file"));
  const int lines = open_to_append(folder.path / "lines");
  CHECK(lines >= 0);
  close(lines);
  umask(before);
  CHECK(folder.text("file") == "new");
  for (const char* const name : {"file", "lines"}) {
    struct stat status {};
    CHECK(stat((folder.path / name).c_str(), &status) == 0);
    CHECK((status.st_mode & 0777) == 0640);
  }
  CHECK_FALSE(fs::exists(folder.path / "file.partial"));
  PartialFile left;
  CHECK(left.open(folder.path / "left") >= 0);
  left.discard();
  CHECK_FALSE(fs::exists(folder.path / "left"));
  CHECK_FALSE(fs::exists(folder.path / "left.partial"));
}

TEST_CASE("no symbolic link is followed where a file is written, whichever of its names is one") {
  const PartialFolder folder;
  fs::create_symlink("precious", folder.path / "link");
  fs::create_symlink("nothing", folder.path / "dangling");
  CHECK_FALSE(write_new(folder.path / "link"));
  CHECK(errno == ELOOP);
  CHECK_FALSE(write_new(folder.path / "dangling"));
  CHECK(open_to_append(folder.path / "link") < 0);
  CHECK(open_to_append(folder.path / "dangling") < 0);
  CHECK_FALSE(fs::exists(folder.path / "nothing"));
  // A link at the partial file's name is replaced, and not the file that it points to.
  fs::create_symlink("precious", folder.path / "file.partial");
  CHECK(write_new(folder.path / "file"));
  CHECK(folder.text("file") == "new");
  CHECK(folder.text("precious") == "precious");
}

TEST_CASE("only a regular file is replaced") {
  const PartialFolder folder;
  fs::create_directory(folder.path / "folder");
  REQUIRE(mkfifo((folder.path / "fifo").c_str(), 0600) == 0);
  for (const char* const name : {"folder", "fifo"}) {
    CHECK_FALSE(write_new(folder.path / name));
    CHECK(open_to_append(folder.path / name) < 0);
  }
  CHECK(fs::is_fifo(folder.path / "fifo"));
  CHECK(write_new(folder.path / "precious"));
  CHECK(folder.text("precious") == "new");
}

TEST_CASE("of two who write the same file one finishes, and neither puts half a file there") {
  const PartialFolder folder;
  PartialFile first, second;
  REQUIRE(first.open(folder.path / "file") >= 0);
  REQUIRE(second.open(folder.path / "file") >= 0);
  CHECK_FALSE(first.commit());
  CHECK(errno == EBUSY);
  CHECK(second.commit());
  CHECK(fs::exists(folder.path / "file"));
}
