#include "service/bench/memory.h"

#include <doctest/doctest.h>

#include <unistd.h>
#include <filesystem>
#include <fstream>

#include "base/error.h"
#include "base/format.h"
#include "model/config/model_shapes.h"

using namespace palisade;
namespace fs = std::filesystem;

namespace {

// An artificial /proc and /sys.
class Root {
 public:
  Root() : path(fs::temp_directory_path() / format("palisade_root_{}", getpid())) {
    write("proc/meminfo", "MemTotal: 32000000 kB\nMemAvailable: 20000000 kB\n");
  }
  ~Root() { fs::remove_all(path); }
  void write(const std::string& file, const std::string& text) const {
    fs::create_directories((path / file).parent_path());
    std::ofstream(path / file) << text;
  }
  const fs::path path;
};

constexpr std::uint64_t kMachine = 20000000ull * 1024;

}  // namespace

TEST_CASE("available is what the machine has, and less where a control group or one above it allows less") {
  const Root root;
  CHECK(available_memory(root.path) == kMachine);
  root.write("proc/self/cgroup", "0::/service/one\n");
  root.write("sys/fs/cgroup/service/one/memory.max", "max\n");
  root.write("sys/fs/cgroup/service/one/memory.current", "1000\n");
  CHECK(available_memory(root.path) == kMachine);
  root.write("sys/fs/cgroup/service/memory.max", "5000000000\n");
  root.write("sys/fs/cgroup/service/memory.current", "3000000000\n");
  CHECK(available_memory(root.path) == 2000000000);
  // Cached files count as free memory.
  root.write("sys/fs/cgroup/service/memory.stat", "anon 1\ninactive_file 1000000000\n");
  CHECK(available_memory(root.path) == 3000000000);
  // In a container the control group's own path does not exist, and its limit is at the top.
  root.write("proc/self/cgroup", "0::/elsewhere\n");
  root.write("sys/fs/cgroup/memory.max", "700\n");
  root.write("sys/fs/cgroup/memory.current", "900\n");
  CHECK(available_memory(root.path) == 0);
}

TEST_CASE("control groups of the first version count as well") {
  const Root root;
  root.write("proc/self/cgroup", "4:memory:/docker\n3:cpu:/docker\n");
  root.write("sys/fs/cgroup/memory/docker/memory.limit_in_bytes", "4000\n");
  root.write("sys/fs/cgroup/memory/docker/memory.usage_in_bytes", "1500\n");
  CHECK(available_memory(root.path) == 2500);
}

TEST_CASE("a shape that does not fit is refused with both numbers") {
  const ModelConfig config = config_of_shape("paligemma-3b-224").value();
  const std::uint64_t needed = memory_needed(config, 4112, 4);
  CHECK(needed > 13'800'000'000);  // weights, and the embedding twice
  CHECK(needed < 15'500'000'000);
  const std::uint64_t in_int8 = memory_needed(config, 4112, 1);
  CHECK(in_int8 > 3'970'000'000);  // weights, and the embedding once more in bf16
  CHECK(in_int8 < 5'300'000'000);
  CHECK_NOTHROW(require_memory("x", needed, needed));
  CHECK_THROWS_WITH_AS(
      require_memory("--shape x in f32", 14'800'000'000, 9'000'000'000),
      "--shape x in f32 needs 14.8 GB of memory, and 9.0 GB are available; take --precision int8 "
      "or a smaller model, or make room",
      UsageError);
}

TEST_CASE("this process has memory, and has had no less") {
  CHECK(resident_memory() > 0);
  CHECK(peak_memory() >= resident_memory() / 2);
}
