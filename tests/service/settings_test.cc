#include "service/settings/settings.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "base/format.h"
#include "service/streams/task_groups.h"

using namespace palisade;
using namespace std::chrono_literals;

namespace {

const std::string kStream = R"(streams:
  - name: front_door
    url: rtsp://camera/stream
    tasks: [{task: caption}]
)";

std::vector<std::string> problems_of(const std::string& text) {
  try {
    parse_settings(text, "f.yaml");
  } catch (const SettingsError& error) {
    return error.problems();
  }
  return {};
}

// Whether there is a problem at this place whose text contains these words.
bool has(const std::vector<std::string>& problems, const std::string& place, const std::string& words) {
  return std::ranges::any_of(problems, [&](const std::string& problem) {
    return problem.starts_with("f.yaml:" + place + ": ") && problem.find(words) != std::string::npos;
  });
}

}  // namespace

TEST_CASE("a small configuration has sensible defaults") {
  const Settings settings = parse_settings(kStream, "f.yaml");
  CHECK(settings.publish == local_endpoint("events"));
  CHECK(settings.model.empty());
  CHECK(settings.precision == Precision::kF32);
  CHECK(settings.engine.max_new_tokens == 64);
  REQUIRE(settings.streams.size() == 1);
  const TaskSettings& task = settings.streams[0].tasks.at(0);
  CHECK(task.name == "caption");
  CHECK(task.sampling.count == 16);
  CHECK(task.sampling.span == 4s);
  CHECK(task.sampling.stride == 4s);
}

TEST_CASE("every setting of a file arrives") {
  const Settings settings = parse_settings(R"(node: node-2
model: some/folder
resize: bv-bilinear
precision: int8
publish: ipc:///run/palisade/events
engine: {max_new_tokens: 32, deadline: 2m}
streams:
  - name: a
    url: street.mp4
    username: admin
    password: "0123"
    transport: udp
    open_timeout: 3s
    stall_timeout: 500ms
    pace: false
    loop: true
    tasks:
      - {task: pair, statement: "both", span: 10s, every: 20s}
      - {task: question, name: q, question: "why?", language: de, policy: stride, frame_step: 9, every: 5s}
)",
                                           "f.yaml");
  CHECK(settings.node == "node-2");
  CHECK(settings.model == "some/folder");
  CHECK(settings.resize == ResizePreset::kBvBilinear);
  CHECK(settings.precision == Precision::kInt8);
  CHECK(settings.engine.deadline == 2min);
  const StreamSettings& stream = settings.streams.at(0);
  CHECK(stream.source.username == "admin");
  CHECK(stream.source.password == "0123");
  CHECK(stream.source.transport == RtspTransport::kUdp);
  CHECK(stream.source.open_timeout == 3s);
  CHECK(stream.source.stall_timeout == 500ms);
  CHECK(stream.source.allow_launch);
  CHECK_FALSE(stream.pace);
  CHECK(stream.loop);
  CHECK(stream.tasks.at(0).sampling.count == 2);
  CHECK(stream.tasks.at(0).sampling.stride == 20s);
  CHECK(stream.tasks.at(1).name == "q");
  CHECK(stream.tasks.at(1).wording.language == "de");
  CHECK(stream.tasks.at(1).sampling.policy == SamplingPolicy::kStride);
  CHECK(stream.tasks.at(1).sampling.frame_step == 9);
}

TEST_CASE("a precision may be left to the CPU, and one that is not known is named") {
  CHECK(parse_settings("precision: auto\n" + kStream, "f.yaml").precision == std::nullopt);
  CHECK(has(problems_of("precision: fp8\n" + kStream), "1:12",
            "precision is f32, bf16, int8 or auto, not 'fp8'"));
  Settings other = parse_settings(kStream, "f.yaml");
  other.precision = Precision::kInt8;
  CHECK(needs_restart(parse_settings(kStream, "f.yaml"), other) == "precision");
  other = parse_settings("calibration: c.json\n" + kStream, "f.yaml");
  CHECK(other.calibration == "c.json");
  CHECK(needs_restart(parse_settings(kStream, "f.yaml"), other) == "calibration");
}

TEST_CASE("how a stream is read and decoded arrives, and decoded keyframes are what uniform windows take") {
  const Settings settings = parse_settings(R"(streams:
  - name: a
    url: rtsp://camera/stream
    reader: gstreamer
    decode: keyframes
    hardware: auto
    tasks: [{task: caption}, {task: caption, name: b, policy: keyframes}]
  - name: b
    url: folder:/srv/pictures
    frame_interval: 200ms
    loop: true
    decode: all
    tasks: [{task: caption, policy: keyframes}]
)",
                                           "f.yaml");
  const StreamSettings& a = settings.streams.at(0);
  CHECK(a.source.reader == RtspReader::kGstreamer);
  CHECK(a.source.decode == Decode::kKeyframes);
  CHECK(a.source.hardware == Hardware::kAuto);
  for (const TaskSettings& task : a.tasks) CHECK(task.sampling.policy == SamplingPolicy::kKeyframes);
  const StreamSettings& b = settings.streams.at(1);
  CHECK(b.source.frame_interval == 200ms);
  CHECK(b.source.decode == Decode::kAll);
  CHECK(b.source.hardware == Hardware::kNone);
  CHECK(summary_of(settings).find("keyframes only") != std::string::npos);
  const Settings plain = parse_settings(kStream, "f.yaml");
  CHECK(plain.streams.at(0).source.decode == Decode::kAsNeeded);
  CHECK(plain.streams.at(0).source.reader == RtspReader::kFfmpeg);
}

TEST_CASE("a way of reading that does not fit the stream is a problem, with its remedy") {
  const auto problems = problems_of(R"(streams:
  - name: a
    url: http://camera/stream
    reader: gstreamer
    decode: some
    hardware: vaapi
    frame_interval: 1s
    tasks: [{task: caption}]
  - name: b
    url: rtsp://camera/stream
    reader: vlc
    decode: keyframes
    tasks: [{task: caption, policy: stride, frame_step: 9}]
)");
  CHECK(has(problems, "4:13", "rtsp://"));
  CHECK(has(problems, "5:13", "decode is all or keyframes"));
  CHECK(has(problems, "6:15", "hardware is none or auto"));
  CHECK(has(problems, "7:21", "folders"));
  CHECK(has(problems, "11:13", "reader is ffmpeg or gstreamer"));
  CHECK(has(problems, "12:13", "needs every frame"));
  CHECK(problems.size() == 6);
}

TEST_CASE("all problems are listed, each with line and column, in the order of the file") {
  const auto problems = problems_of(R"(node: No de
engin: {}
engine: {max_new_tokens: 064, deadline: 5}
streams:
  - name: a
    url: street.mp4
    pace: no
    tasks:
      - {task: capton}
      - {task: question}
      - {task: pair, statement: x, frames: 3}
  - name: a
    tasks: []
)");
  CHECK(has(problems, "1:7", "node"));
  CHECK(has(problems, "2:1", "did you mean engine?"));
  CHECK(has(problems, "3:26", "max_new_tokens"));
  CHECK(has(problems, "3:41", "duration"));
  CHECK(has(problems, "7:11", "true or false"));
  CHECK(has(problems, "9:16", "unknown task 'capton'"));
  CHECK(has(problems, "10:9", "question is missing"));
  CHECK(has(problems, "11:44", "2 frames"));
  CHECK(has(problems, "12:5", "url"));
  CHECK(has(problems, "12:5", "second stream 'a'"));
  CHECK(has(problems, "13:12", "1 to 16 tasks"));
  CHECK(problems.size() == 11);
}

TEST_CASE("R-21 more streams than can be served are an error that says how many can") {
  const auto streams = [](int count) {
    std::string text = "streams:\n";
    for (int i = 0; i < count; ++i) {
      text += format("  - {{name: s{}, url: x.mp4, tasks: [{{task: caption}}]}}\n", i);
    }
    return text;
  };
  CHECK(parse_settings(streams(64), "f.yaml").streams.size() == 64);
  for (const int count : {65, 200}) CHECK(has(problems_of(streams(count)), "2:3", "1 to 64 streams"));
}

TEST_CASE("a camera's reader is one of two, and for cameras only") {
  const std::string tasks = ", tasks: [{task: caption}]}]";
  const Settings settings = parse_settings(
      "streams: [{name: a, url: rtsp://h/x, reader: gstreamer, keyframe_timeout: 5s" + tasks, "f.yaml");
  CHECK(settings.streams[0].source.reader == RtspReader::kGstreamer);
  CHECK(settings.streams[0].source.keyframe_timeout == 5s);
  CHECK(has(problems_of("streams: [{name: a, url: rtsp://h/x, reader: vlc" + tasks), "1:46",
            "ffmpeg or gstreamer"));
  CHECK(has(problems_of("streams: [{name: a, url: x.mp4, reader: ffmpeg" + tasks), "1:41", "rtsp://"));
}

TEST_CASE("a duplicate key is an error wherever it stands") {
  CHECK(
      has(problems_of("node: a\nnode: b\n" + kStream), "2:1", "duplicate key 'node', first given in line 1"));
  CHECK(has(problems_of("engine: {deadline: 1s, deadline: 1s}\n" + kStream), "1:24", "duplicate"));
}

TEST_CASE("no and yes are no booleans, and a quoted true is none either") {
  for (const char* const word : {"no", "yes", "on", "True", "1", "\"true\"", "~"}) {
    CAPTURE(word);
    const auto problems = problems_of("streams: [{name: a, url: x.mp4, loop: " + std::string(word) +
                                      ", tasks: [{task: caption}]}]");
    CHECK(has(problems, "1:39", "true or false"));
  }
}

TEST_CASE("a word stays the word that was written") {
  const Settings settings = parse_settings("node: no\n" + kStream, "f.yaml");
  CHECK(settings.node == "no");
}

TEST_CASE("aliases, anchors, tags and second documents are refused") {
  CHECK(has(problems_of("node: &a x\n" + kStream), "1:7", "anchor"));
  CHECK(has(problems_of("node: *a\n" + kStream), "1:7", ""));
  CHECK(has(problems_of("node: !!int 3\n" + kStream), "1:7", "tag"));
  CHECK_FALSE(problems_of(kStream + "---\nnode: b\n").empty());
}

TEST_CASE("an alias bomb is refused before it grows") {
  std::string bomb = "a: &a [x,x,x,x,x,x,x,x]\n";
  for (char c = 'b'; c < 'k'; ++c) {
    const char before = char(c - 1);
    bomb += std::string(1, c) + ": &" + c + " [*" + before + ",*" + before + ",*" + before + ",*" + before +
            "]\n";
  }
  CHECK(problems_of(bomb).size() == 1);
}

TEST_CASE("bytes that have no place in a configuration are named") {
  CHECK(has(problems_of("\xef\xbb\xbfnode: a\n"), "1:1", "byte order mark"));
  CHECK(has(problems_of("engine:\n\tdeadline: 1s\n"), "2:1", "tab"));
  CHECK(has(problems_of("node: a\x01\n"), "1:8", "control character"));
  CHECK(has(problems_of("node: \xff\n"), "1:7", "UTF-8"));
  CHECK(has(problems_of(std::string("node: a\0b\n", 10)), "1:8", "control character"));
}

TEST_CASE("what is too large, too deep or too much is refused") {
  CHECK(problems_of(std::string(2u << 20, '#')).at(0).find("1 MiB") != std::string::npos);
  CHECK(problems_of("node: " + std::string(100, '[')).size() == 1);
  CHECK(problems_of("node: " + std::string(100'000, '[')).size() == 1);
  std::string many = "streams: [";
  for (int i = 0; i < 100'001; ++i) many += "1,";
  CHECK(problems_of(many + "]").at(0).find("100000") != std::string::npos);
}

TEST_CASE("text that is no YAML, and YAML that is no map, are one problem each") {
  for (const char* const text :
       {"", "[", "node: [", "just words", "- a\n- b\n", "\"", "node: 'a", "{", "? ", "%YAML 9"}) {
    CAPTURE(text);
    CHECK(problems_of(text).size() >= 1);
  }
}

TEST_CASE("two tasks of a stream never share a topic") {
  const auto problems = problems_of(R"(streams:
  - name: a
    url: x.mp4
    tasks:
      - {task: question, question: "one?"}
      - {task: question, question: "two?"}
)");
  CHECK(has(problems, "6:9", "give it a name of its own"));
}

TEST_CASE("names that Palisade's own topics need are refused") {
  const std::string tasks = ", url: x.mp4, tasks: [{task: caption, name: ";
  CHECK_FALSE(problems_of("streams: [{name: service" + tasks + "x}]}]").empty());
  CHECK_FALSE(problems_of("streams: [{name: a" + tasks + "state}]}]").empty());
  CHECK_FALSE(problems_of("streams: [{name: ../etc" + tasks + "x}]}]").empty());
  CHECK(problems_of("streams: [{name: a" + tasks + "x}]}]").empty());
}

TEST_CASE("pace and loop are for files") {
  CHECK_FALSE(
      problems_of("streams: [{name: a, url: 'rtsp://c/x', loop: true, tasks: [{task: caption}]}]").empty());
}

TEST_CASE("a sampling that would hold too many windows at once is refused") {
  CHECK_FALSE(
      problems_of("streams: [{name: a, url: x.mp4, tasks: [{task: caption, span: 1h, every: 1s}]}]").empty());
}

TEST_CASE("events are published on loopback or ipc only") {
  for (const char* const good : {"tcp://127.0.0.1:5557", "tcp://localhost:1", "tcp://[::1]:5557",
                                 "tcp://127.0.0.1:*", "ipc:///run/palisade/events"}) {
    CAPTURE(good);
    CHECK_FALSE(endpoint_fault(good));
  }
  for (const char* const bad :
       {"tcp://*:5557", "tcp://0.0.0.0:5557", "tcp://192.168.1.2:5557", "tcp://[::]:5557", "tcp://127.0.0.1",
        "tcp://127.0.0.1:99999", "udp://127.0.0.1:1", "", "tcp://", "ipc://", "tcp://127.evil.org:5557",
        "inproc://x"}) {
    CAPTURE(bad);
    CHECK(endpoint_fault(bad));
  }
}

TEST_CASE("the sample configurations can be used") {
  CHECK(read_settings(PALISADE_SOURCE_DIR "/configs/palisade.yaml").streams.size() == 2);
  CHECK(read_settings(PALISADE_SOURCE_DIR "/configs/demo.yaml").streams.size() == 2);
}

TEST_CASE("a missing configuration is named") {
  CHECK_THROWS_AS(read_settings("/nowhere/at-all.yaml"), SettingsError);
  CHECK_THROWS_AS(read_settings("/"), SettingsError);
}

TEST_CASE("a task's static frames are left out where it says so, at a threshold or the usual one") {
  const auto tasks_of = [](const std::string& prune) {
    return parse_settings("streams: [{name: a, url: rtsp://camera/x, tasks: [{task: caption" + prune + "}]}]",
                          "f.yaml")
        .streams[0]
        .tasks[0];
  };
  CHECK_FALSE(tasks_of("").prune);
  CHECK_FALSE(tasks_of(", prune: off").prune);
  CHECK(tasks_of(", prune: static").prune == kStaticThreshold);
  CHECK(tasks_of(", prune: static:0.95").prune == 0.95);
}

TEST_CASE("a task's adapter arrives, and tasks of other adapters do not share their questions") {
  const Settings settings = parse_settings(
      "streams: [{name: a, url: rtsp://camera/x, tasks: [{task: caption, adapter: runs/a/adapter}, "
      "{task: caption, name: other}, {task: caption, name: third, adapter: runs/a/adapter}]}]",
      "f.yaml");
  const auto& tasks = settings.streams[0].tasks;
  CHECK(tasks[0].adapter == "runs/a/adapter");
  CHECK(tasks[1].adapter.empty());
  CHECK(groups_of(tasks) == std::vector<std::vector<std::size_t>>{{0, 2}, {1}});
  CHECK(summary_of(settings).find("with adapter runs/a/adapter") != std::string::npos);
  CHECK_THROWS_AS(
      parse_settings("streams: [{name: a, url: rtsp://camera/x, tasks: [{task: caption, adapter: ''}]}]",
                     "f.yaml"),
      SettingsError);
}

TEST_CASE("a prune that is none, or of fewer frames than a video has, is told with its place and remedy") {
  const auto problem_of = [](const std::string& keys) -> std::string {
    try {
      parse_settings("streams:\n  - name: a\n    url: rtsp://camera/x\n    tasks: [{" + keys + "}]",
                     "f.yaml");
    } catch (const SettingsError& error) {
      return error.what();
    }
    return "";
  };
  for (const char* const prune : {"static:1", "static:0.4", "static:0.9x", "static:1e-1", "statics", "Static",
                                  "0.9", "static:nan", "on"}) {
    CAPTURE(prune);
    const std::string problem = problem_of(std::string("task: caption, prune: ") + prune);
    CHECK(problem.find("f.yaml:4:") != std::string::npos);
    CHECK(problem.find("prune is off, static, or static:0.5 to static:0.9999, not '" + std::string(prune)) !=
          std::string::npos);
  }
  for (const char* const task : {"task: caption, frames: 1", "task: pair, statement: x"}) {
    CAPTURE(task);
    CHECK(problem_of(std::string(task) + ", prune: static").find("it needs frames: 16") != std::string::npos);
  }
}

TEST_CASE("a stream has a process of its own unless it says otherwise, with as much memory as it says") {
  const auto stream_of = [](const std::string& more) {
    return parse_settings(kStream + more, "f.yaml").streams.at(0);
  };
  CHECK(stream_of("").process);
  CHECK(stream_of("").process_memory_mb == 1536);
  CHECK_FALSE(stream_of("    process: false\n").process);
  CHECK(stream_of("    process_memory_mb: 4096\n").process_memory_mb == 4096);
  CHECK(has(problems_of(kStream + "    process_memory_mb: 100\n"), "5:24", "process_memory_mb"));
  CHECK(has(problems_of(kStream + "    process: false\n    process_memory_mb: 2048\n"), "6:24", "remove it"));
}
