// Thousands of reconnects leave nothing behind: R-22 of the fault list.
#include <doctest/doctest.h>

#include <dirent.h>

#include <chrono>
#include <fstream>
#include <thread>

#include "base/format.h"
#include "ingest/open_source.h"
#include "tests/fault/tcp_relay.h"
#include "tests/fault/watched.h"
#include "tests/ingest/loopback_server.h"
#include "tests/ingest/read_source.h"
#include "tests/ingest/rtsp_camera.h"

namespace palisade {
namespace {

using test::kReaders;

int entries_of(const char* path) {
  int count = 0;
  DIR* folder = ::opendir(path);
  while (::readdir(folder) != nullptr) ++count;
  ::closedir(folder);
  return count;
}

struct Held {
  int files = entries_of("/proc/self/fd");
  int threads = entries_of("/proc/self/task");
  long memory_kb = resident_kb();

  static long resident_kb() {
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with("VmRSS:")) return std::stol(line.substr(6));
    }
    return 0;
  }
};

// The first repetitions fill caches and pools; afterwards nothing may grow.
template <typename Once>
void check_nothing_grows(int times, long allowed_kb, const Once& once) {
  for (int i = 0; i < times / 5; ++i) once();
  const Held before;
  for (int i = 0; i < times; ++i) once();
  Held after;
  // GStreamer's thread pool keeps idle threads for a while, and the test's servers need a moment to end
  // theirs.
  const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while ((after.files > before.files + 1 || after.threads > before.threads + 1) &&
         std::chrono::steady_clock::now() < patience) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    after = Held();
  }
  CAPTURE(before.memory_kb);
  CAPTURE(after.memory_kb);
  CHECK(after.files <= before.files + 1);
  CHECK(after.threads <= before.threads + 1);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  CHECK(after.memory_kb - before.memory_kb <= allowed_kb);  // sanitizers keep what is freed for a while
#endif
}

TEST_CASE("R-22 two thousand connections that are closed at once leave no memory, file or thread behind") {
  const test::LoopbackServer server([](test::LoopbackPeer&) {});
  for (const RtspReader reader : kReaders) {
    CAPTURE(test::name_of(reader));
    SourceOptions options = test::impatient(format("rtsp://127.0.0.1:{}/x", server.port()), reader).source;
    check_nothing_grows(1'000, 2'048,
                        [&] { CHECK(test::error_of(options).fault() == SourceFault::kUnreachable); });
  }
}

TEST_CASE("R-22 a hundred connections to a camera, each with a picture and a reset, leave nothing behind") {
  const test::RtspCamera camera;
  test::TcpRelay relay(camera.port());
  for (const RtspReader reader : kReaders) {
    CAPTURE(test::name_of(reader));
    const SourceOptions options = test::impatient(relay.url("/quick"), reader).source;
    int number = 0;
    check_nothing_grows(100, 4'096, [&] {
      const auto source = open_source(options, {});
      REQUIRE(source->next(test::all).has_value());
      if (++number % 2 == 0) relay.reset = true;
    });
  }
}

}  // namespace
}  // namespace palisade
