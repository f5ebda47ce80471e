// Measures what reading many cameras costs: opens each URL like the service, passes the clips through the
// service's queue to an engine that answers at once, and prints what was received, what was lost and how many
// cores were busy, those of the cameras' processes included (--processes). To be run with simulated cameras:
//   palisade-camera --cameras 16 --port 0 > urls & camera_load --policy keyframes --seconds 30 $(cat urls)
#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/format.h"
#include "ingest/feed.h"
#include "ingest/feed_process.h"
#include "service/engine/request_queue.h"

namespace {

using namespace palisade;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

struct Arguments {
  std::vector<std::string> urls;
  std::string reader = "ffmpeg";
  std::string policy = "uniform";
  int frames = 16;
  int window_ms = 4000;
  int seconds = 20;
  std::string program;  // of the cameras' processes; empty: they are read here
};

FeedOptions feed_of(const Arguments& arguments, std::size_t index) {
  FeedOptions options;
  options.stream = format("camera{}", index);
  options.source.url = arguments.urls[index];
  options.source.reader = arguments.reader == "ffmpeg" ? RtspReader::kFfmpeg : RtspReader::kGstreamer;
  options.samplings = {
      {.count = arguments.frames,
       .span = milliseconds(arguments.window_ms),
       .stride = milliseconds(arguments.window_ms),
       .policy = arguments.policy == "uniform" ? SamplingPolicy::kUniform : SamplingPolicy::kKeyframes}};
  return options;
}

// Counts the clips of each camera and the windows that are missing between them.
class Account {
 public:
  void enter(const Clip& clip, milliseconds stride) {
    const std::lock_guard lock(mutex_);
    const Frame& first = clip.frames.front();
    Camera& camera = cameras_[first.stream];
    // The start may differ by half a keyframe interval.
    if (camera.clips > 0) {
      camera.lost += (first.stamp.pts - camera.start + MediaTime(stride) / 2) / MediaTime(stride) - 1;
    }
    camera.start = first.stamp.pts;
    ++camera.clips;
    late_.push_back(wall_now() - latest(clip).stamp.wall);
  }
  // From when its newest frame was taken to when a clip came, of every hundredth clip in order.
  double late_ms(std::size_t percent) {
    if (late_.empty()) return 0;
    std::ranges::sort(late_);
    return double(late_[(late_.size() - 1) * percent / 100].count()) * 1e-3;
  }
  int clips() const { return sum(&Camera::clips); }
  int lost() const { return sum(&Camera::lost); }
  std::size_t cameras() const { return cameras_.size(); }

 private:
  struct Camera {
    MediaTime start{0};
    int clips = 0;
    int lost = 0;
  };
  int sum(int Camera::*what) const {
    int all = 0;
    for (const auto& [name, camera] : cameras_) all += camera.*what;
    return all;
  }
  mutable std::mutex mutex_;
  std::map<std::string, Camera> cameras_;
  std::vector<WallTime::duration> late_;
};

double seconds_of(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return double(time.tv_sec) + double(time.tv_nsec) * 1e-9;
}

// Memory that nobody else has, in MB.
double private_mb(int pid) {
  std::ifstream maps("/proc/" + std::to_string(pid) + "/smaps_rollup");
  double kb = 0;
  for (std::string line; std::getline(maps, line);) {
    if (line.starts_with("Private_")) kb += std::strtod(line.c_str() + line.find(':') + 1, nullptr);
  }
  return kb / 1024;
}

struct Feeds {
  std::vector<std::unique_ptr<ClipFeed>> all;
  std::vector<const FeedProcess*> processes;

  double cpu_seconds() const {
    double sum = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
    for (const FeedProcess* const each : processes) {
      clockid_t clock{};
      if (clock_getcpuclockid(each->child(), &clock) == 0) sum += seconds_of(clock);
    }
    return sum;
  }
  double largest_private_mb() const {
    double largest = 0;
    for (const FeedProcess* const each : processes) largest = std::max(largest, private_mb(each->child()));
    return largest;
  }
};

struct Load {
  std::uint64_t dropped = 0;
  std::uint64_t decoded = 0;
  double cores = 0;
  double private_mb = 0;  // of the largest process of a camera
};

Load run(const Arguments& arguments, Account& account, std::atomic<int>& losses) {
  RequestQueue queue;
  std::jthread engine([&] {
    while (queue.pop()) {
    }
  });
  std::atomic<int> online{0};
  std::atomic<std::uint64_t> dropped{0};
  const auto on_clip = [&](Clip clip, std::size_t) {
    account.enter(clip, clip.sampling.stride);
    const std::string stream = clip.frames.front().stream;
    dropped += queue.push(stream, 0, {.clip = std::move(clip)});
  };
  const auto on_report = [&](const FeedReport& report) {
    online += report.state == FeedState::kOnline;
    losses += report.state == FeedState::kReconnecting || report.state == FeedState::kUnreadable;
    if (!report.reason.empty())
      std::fprintf(stderr, "%s: %s\n", report.stream.c_str(), report.reason.c_str());
  };
  Feeds feeds;
  for (std::size_t i = 0; i < arguments.urls.size(); ++i) {
    if (arguments.program.empty()) {
      feeds.all.push_back(std::make_unique<Feed>(feed_of(arguments, i), on_clip, on_report));
      continue;
    }
    auto process = std::make_unique<FeedProcess>(feed_of(arguments, i), on_clip, on_report,
                                                 FeedProcessOptions{.program = arguments.program});
    feeds.processes.push_back(process.get());
    feeds.all.push_back(std::move(process));
  }
  while (online < int(feeds.all.size()) && losses == 0) std::this_thread::sleep_for(milliseconds(50));
  const double before = feeds.cpu_seconds();
  const auto start = steady_clock::now();
  std::this_thread::sleep_for(std::chrono::seconds(arguments.seconds));
  Load load;
  load.cores =
      (feeds.cpu_seconds() - before) / std::chrono::duration<double>(steady_clock::now() - start).count();
  load.private_mb = feeds.largest_private_mb();
  for (const auto& feed : feeds.all) load.decoded += feed->frames_seen();
  for (const auto& feed : feeds.all) feed->request_stop();
  feeds.all.clear();
  queue.close();
  load.dropped = dropped;
  return load;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  CLI::App app("Reads cameras and tells what was lost and what it cost.");
  app.add_option("urls", arguments.urls, "rtsp://...")->required();
  app.add_option("--reader", arguments.reader)->check(CLI::IsMember({"ffmpeg", "gstreamer"}));
  app.add_option("--policy", arguments.policy)->check(CLI::IsMember({"uniform", "keyframes"}));
  app.add_option("--frames", arguments.frames, "A window's")->check(CLI::Range(1, 16));
  app.add_option("--window-ms", arguments.window_ms)->check(CLI::Range(100, 60'000));
  app.add_option("--seconds", arguments.seconds, "To measure, from when all are online");
  app.add_option("--processes", arguments.program, "palisade, which then reads each camera by itself");
  CLI11_PARSE(app, argc, argv);
  Account account;
  std::atomic<int> losses{0};
  const Load load = run(arguments, account, losses);
  std::printf(
      "{\"cameras\":%zu,\"reader\":\"%s\",\"policy\":\"%s\",\"clips\":%d,\"lost_windows\":%d,"
      "\"dropped_in_queue\":%llu,\"connections_lost\":%d,\"frames_decoded\":%llu,\"cores\":%.3f,"
      "\"private_mb\":%.1f,\"late_ms\":[%.2f,%.2f]}\n",
      account.cameras(), arguments.reader.c_str(), arguments.policy.c_str(), account.clips(), account.lost(),
      static_cast<unsigned long long>(load.dropped), losses.load(),
      static_cast<unsigned long long>(load.decoded), load.cores, load.private_mb, account.late_ms(50),
      account.late_ms(95));
  const bool whole = account.cameras() == arguments.urls.size() && account.lost() == 0 && load.dropped == 0;
  return whole && losses == 0 ? 0 : 1;
}
