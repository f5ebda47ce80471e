#include "ingest/backlog.h"

#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <random>
#include <utility>

namespace palisade {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using Seconds = std::chrono::duration<double>;

constexpr milliseconds kInterval{40};
constexpr milliseconds kAllowed{10'000};

MediaTime media_time(double time) {
  return std::chrono::duration_cast<MediaTime>(Seconds(time));
}

// A camera of 25 frames a second with a keyframe every second, ten times as large as other frames. `arrives`
// says when a byte that was sent arrives; times and bytes count from the beginning.
struct SimulatedCamera {
  struct Sent {
    double taken = 0;     // seconds, by our clock
    double stamp = 0;     // by the camera's
    std::uint64_t bytes;  // of this frame and all before
  };
  std::function<double(const Sent&)> arrives = [](const Sent& sent) { return sent.taken; };
  double clock = 1;  // the camera's seconds in one of ours
  bool keyframes = true;
  bool measured = true;  // whether bytes are known
  Backlog backlog;
  MonotonicTime start{std::chrono::hours(5)};
  int frames = 0;
  std::uint64_t bytes = 0;
  std::minstd_rand random{5};
  double paused = 0;        // ours, that its clock has not counted
  double last_arrival = 0;  // frames stay in order

  // For how many seconds the camera stays online, at most `until`.
  double online(double until) {
    while (true) {
      const double taken = Seconds(kInterval).count() * frames + paused;
      if (taken >= until) return until;
      bytes += std::uint64_t(keyframes ? (frames % 25 == 0 ? 10'000 : 900 + random() % 200) : 2'000);
      const Sent sent{taken, (taken - paused) * clock, bytes};
      ++frames;
      last_arrival = std::max(last_arrival, arrives(sent));
      try {
        backlog.check(media_time(sent.stamp),
                      start + std::chrono::floor<MonotonicTime::duration>(media_time(last_arrival)),
                      {.bytes = measured ? bytes : 0, .waited = {}}, kAllowed);
      } catch (const SourceError& e) {
        CHECK(e.fault() == SourceFault::kStalled);
        return taken;
      }
    }
  }
  // From a moment on the link carries only so many bytes a second.
  void through_link(double bytes_per_second, double from) {
    arrives = [this, bytes_per_second, from, before = std::uint64_t(0)](const Sent& sent) mutable {
      const std::uint64_t size = sent.bytes - std::exchange(before, sent.bytes);
      if (sent.taken < from) return sent.taken;
      return std::max(sent.taken, last_arrival) + double(size) / bytes_per_second;
    };
  }
};

constexpr double kBytesPerSecond = 24 * 1'000 + 10'000;  // of the camera

TEST_CASE("R-08 frames that come later and later are a stall once they are later than allowed") {
  Backlog backlog;
  MonotonicTime now{};
  MediaTime pts{0};
  int frames = 0;
  const auto one = [&] {
    now += kInterval * 3;  // a third of what the camera sends gets through
    pts += kInterval;
    ++frames;
    backlog.check(pts, now, {}, milliseconds(800));
  };
  CHECK_THROWS_AS(while (frames < 100) one(), SourceError);
  CHECK(frames == 12);  // 80 ms later each
}

TEST_CASE("a camera whose clock runs fast or slow has no backlog, however long it runs") {
  for (const bool keyframes : {true, false}) {
    for (const bool measured : {true, false}) {
      for (const double clock : {0.55, 0.7, 0.84, 0.99, 1.0, 1.01, 1.2, 1.5}) {
        CAPTURE(clock);
        CAPTURE(keyframes);
        CAPTURE(measured);
        SimulatedCamera camera{.clock = clock, .keyframes = keyframes, .measured = measured};
        CHECK(camera.online(1'000) == 1'000);
      }
    }
  }
}

TEST_CASE("the same where frames come with jitter, in bursts, or keyframes take their time") {
  for (const double clock : {0.7, 0.84, 1.0, 1.2}) {
    CAPTURE(clock);
    SimulatedCamera jitter{.clock = clock};
    jitter.arrives = [&](const SimulatedCamera::Sent& sent) {
      return sent.taken + double(jitter.random() % 100) / 1e3;
    };
    CHECK(jitter.online(500) == 500);
    SimulatedCamera bursts{.clock = clock};
    bursts.arrives = [](const SimulatedCamera::Sent& sent) { return std::ceil(sent.taken / 2) * 2; };
    CHECK(bursts.online(500) == 500);
    SimulatedCamera link{.clock = clock};
    link.through_link(kBytesPerSecond * 4, 0);
    CHECK(link.online(500) == 500);
  }
}

TEST_CASE("a clock that changes its pace, as of a camera that sends fewer frames at night, is no backlog") {
  SimulatedCamera camera;
  CHECK(camera.online(100) == 100);
  const double day = camera.paused;
  // From here on it counts as by day what it takes at half the rate.
  camera.arrives = [&](const SimulatedCamera::Sent& sent) {
    return sent.taken + (sent.taken - 100) * 0.7 + day;
  };
  CHECK(camera.online(400) == 400);
}

TEST_CASE("a camera that pauses is online again as before, whether its clock has counted the pause or not") {
  for (const double pause : {1.0, 3.0, 6.0, 9.0}) {
    for (const double every : {2.0, 5.0, 20.0}) {
      CAPTURE(pause);
      CAPTURE(every);
      SimulatedCamera camera;
      double until = 0;
      for (int i = 0; i < 20; ++i) {
        until += every;
        REQUIRE(camera.online(until) == until);
        camera.paused += pause;
        until += pause;
      }
    }
  }
  SimulatedCamera counted;
  for (double until = 5; until < 200; until += 5) {
    REQUIRE(counted.online(until) == until);
    counted.frames += 25 * 4;
    until += 4;
  }
}

TEST_CASE("R-08 a network that has become too slow is told by a camera's frames coming as its bytes do") {
  for (const double share : {0.4, 0.6, 0.75, 0.9}) {
    for (const double from : {0.0, 60.0}) {
      CAPTURE(share);
      CAPTURE(from);
      SimulatedCamera camera;
      camera.through_link(kBytesPerSecond * share, from);
      const double late = from + 10 / (1 / share - 1);  // by when its frames come ten seconds late
      CHECK(camera.online(1'000) <= late * 1.2 + 10);
    }
  }
}

TEST_CASE("R-08 so is one whose frames are all of one size, once it has been quick enough") {
  SimulatedCamera camera{.keyframes = false};
  camera.through_link(50'000 * 0.7, 60);
  CHECK(camera.online(1'000) < 120);
}

TEST_CASE("R-08 who reads without ever waiting for the camera does not keep up, whatever frames look like") {
  Backlog backlog;
  MonotonicTime now{};
  MediaTime pts{0};
  Intake intake{.bytes = 0, .waited = std::chrono::nanoseconds(0)};
  const auto minute = [&](milliseconds decoding, milliseconds waiting) {
    for (const auto end = now + minutes(1); now < end; pts += kInterval) {
      now += decoding + waiting;
      *intake.waited += waiting;
      intake.bytes += pts.count() % 1'000'000'000 == 0 ? 10'000 : 1'000;
      backlog.check(pts, now, intake, kAllowed);
    }
  };
  CHECK_NOTHROW(minute(milliseconds(30), milliseconds(20)));  // a slow clock
  CHECK_THROWS_AS(minute(milliseconds(50), milliseconds(0)), SourceError);
}

TEST_CASE("what has piled up in a hold-up and comes at once is no backlog any more; what stays is") {
  SimulatedCamera camera;
  camera.arrives = [](const SimulatedCamera::Sent& sent) {
    return sent.taken > 50 && sent.taken < 59 ? 59 : sent.taken;
  };
  CHECK(camera.online(200) == 200);
  SimulatedCamera late;
  late.arrives = [](const SimulatedCamera::Sent& sent) {
    return sent.taken > 50 ? sent.taken + 12 : sent.taken;
  };
  CHECK(late.online(200) < 52);
}

}  // namespace
}  // namespace palisade
