#include "ingest/source/source.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "ingest/open_source.h"
#include "tests/ingest/test_files.h"

namespace palisade {
namespace {

using test::golden;
using test::TestFolder;

struct Outcome {
  SourceFault fault = SourceFault::kInterrupted;
  std::string message;
};

// The error of opening and reading to the end.
Outcome failure_of(const SourceOptions& options) {
  try {
    const auto source = open_source(options, {});
    while (source->next([](const FrameStamp&) { return true; })) {
    }
  } catch (const SourceError& e) {
    return {e.fault(), e.what()};
  }
  FAIL("it was read without an error");
  return {};
}

TEST_CASE("an address of any other kind is refused before FFmpeg sees it") {
  for (const char* url : {"concat:/etc/hostname",
                          "subfile,,start,0,end,9,,:/etc/hostname",
                          "pipe:0",
                          "pipe:",
                          "data:text/plain,x",
                          "tee:x",
                          "gopher://h/x",
                          "unix:/run/x",
                          "ftp://h/x",
                          "udp://127.0.0.1:9",
                          "tcp://127.0.0.1:9",
                          "crypto:/etc/hostname",
                          "cache:/etc/hostname",
                          "async:/etc/hostname",
                          "lavfi:testsrc",
                          "hls+http://h/x",
                          "srt://h:1",
                          "rtmp://h/x",
                          "smb://h/x",
                          "zmq:tcp://h",
                          "rtp://127.0.0.1:5000",
                          "ipfs://x",
                          "mmsh://h/x",
                          "v4l2:/dev/video0",
                          "rtsp:/h/x"}) {
    CAPTURE(url);
    CHECK(failure_of({.url = url}).fault == SourceFault::kRefused);
  }
}

TEST_CASE("an address without a host, or with a space or line end in it, is refused") {
  for (const std::string url : {"rtsp:///live", "rtsp://", "rtsp://u:p@/x", "http:x", "rtsp://h/a b",
                                "rtsp://h/a\r\nX: y", "http://h/\x7f", "rtsp://h/?a -vf b"}) {
    CAPTURE(url);
    CHECK(failure_of({.url = url}).fault == SourceFault::kRefused);
  }
}

TEST_CASE("a refusal shows no password") {
  const Outcome outcome = failure_of({.url = "ftp://me:hunter2@h/x?pw=hunter2", .password = "hunter2"});
  CHECK(outcome.message.find("hunter2") == std::string::npos);
  CHECK(outcome.message.find("ftp://***@h/x") != std::string::npos);
}

TEST_CASE("a pipeline is refused unless launching is allowed") {
  CHECK(failure_of({.url = "gst:videotestsrc num-buffers=1"}).fault == SourceFault::kRefused);
}

TEST_CASE("only regular files are read as files: no FIFO, no device, no folder without pictures") {
  const TestFolder folder;
  const std::string fifo = (folder.path() / "fifo").string();
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  const auto start = std::chrono::steady_clock::now();
  for (const std::string& path : {fifo, std::string("/dev/zero"), std::string("/dev/null"),
                                  folder.path().string(), (folder.path() / "absent.mp4").string()}) {
    CAPTURE(path);
    CHECK(failure_of({.url = path}).fault == SourceFault::kUnreadable);
    CHECK(failure_of({.url = "file:" + path}).fault == SourceFault::kUnreadable);
  }
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(5));
}

TEST_CASE("a file that is no video is unreadable, whatever its name says") {
  const TestFolder folder;
  for (const std::string& path :
       {folder.write("empty.mp4", ""), folder.write("text.mp4", std::string(5000, 'x')),
        folder.write("zeros.ts", std::string(100'000, '\0')), golden("pictures/rgb.png"),
        golden("pictures/rgb_420.jpg")}) {
    CAPTURE(path);
    const Outcome outcome = failure_of({.url = path});
    CHECK(outcome.fault == SourceFault::kUnreadable);
    CHECK(outcome.message.starts_with(path));
  }
}

// A clip lies beside each playlist, so that there would be frames if the playlist were followed.
TEST_CASE("a playlist or description that names other files is refused and followed nowhere") {
  const TestFolder folder;
  const std::string clip = (folder.path() / "clip.ts").string();
  std::filesystem::copy_file(golden("clips/wrap.ts"), clip);
  const std::string hls =
      "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXTINF:1.0,\nclip.ts\n#EXT-X-ENDLIST\n";
  const std::vector<std::string> texts = {
      hls,
      "ffconcat version 1.0\nfile clip.ts\n",
      "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\na=rtpmap:96 "
      "H264/90000\n",
      "<?xml version=\"1.0\"?><MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" profiles=\"x\" "
      "type=\"static\"></MPD>",
  };
  for (const std::string& text : texts) {
    for (const char* name : {"x.m3u8", "x.ffconcat", "x.sdp", "x.mpd", "x.mp4"}) {
      CAPTURE(text);
      CAPTURE(name);
      CHECK(failure_of({.url = folder.write(name, text)}).fault == SourceFault::kUnreadable);
    }
  }
}

TEST_CASE("a cut or damaged clip gives frames or an error, never anything else") {
  const TestFolder folder;
  for (const char* name : {"street.mp4", "wrap.ts", "mpeg4.avi", "vp8.webm"}) {
    const std::vector<std::byte> good = test::bytes_of(golden(std::string("clips/") + name));
    for (std::size_t size = 1; size < good.size(); size += good.size() / 12) {
      std::string bytes(reinterpret_cast<const char*>(good.data()), size);
      for (std::size_t i = 50; i < bytes.size(); i += 997) bytes[i] = char(bytes[i] ^ 0x5a);
      CAPTURE(name);
      CAPTURE(size);
      try {
        const auto source = open_source({.url = folder.write("cut", bytes)}, {});
        while (source->next([](const FrameStamp&) { return true; })) {
        }
      } catch (const SourceError& e) {
        CHECK(e.fault() == SourceFault::kUnreadable);
      }
    }
  }
}

}  // namespace
}  // namespace palisade
