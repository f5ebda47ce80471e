// fuzz_corpus TARGET FOLDER...: runs the target once for every file of the folders, as a test in ordinary
// builds.
#include <cstdio>
#include <fstream>
#include <iterator>
#include <vector>

#include "tests/fuzz/targets.h"

namespace {

using namespace palisade::fuzz;

int run_over(const Target& target, std::span<char*> folders) {
  int files = 0;
  for (const char* const corpus : folders) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(corpus)) {
      if (!entry.is_regular_file()) continue;
      std::ifstream stream(entry.path(), std::ios::binary);
      const std::vector<char> bytes((std::istreambuf_iterator<char>(stream)), {});
      target.run(Input(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()));
      ++files;
    }
  }
  std::printf("%s: %d files\n", std::string(target.name).c_str(), files);
  return files > 0 ? 0 : 1;
}

}  // namespace

int main(int count, char** arguments) {
  if (count == 2 && std::string_view(arguments[1]) == "--list") {
    for (const Target& target : targets()) std::printf("%s\n", std::string(target.name).c_str());
    return 0;
  }
  for (const Target& target : targets()) {
    if (count > 2 && target.name == arguments[1])
      return run_over(target, {arguments + 2, std::size_t(count - 2)});
  }
  std::fprintf(stderr, "usage: fuzz_corpus --list | TARGET FOLDER...\n");
  return 2;
}
