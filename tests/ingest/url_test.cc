#include "ingest/source/url.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <string>

#include "ingest/rtsp/rtsp_address.h"
#include "tests/ingest/test_files.h"

namespace palisade {
namespace {

TEST_CASE("a login of any characters goes into the address percent-encoded, and comes out of it as it was") {
  const std::string password = "@:/#%[]!?<> \xc3\xbc";
  const RtspAddress address{
      .host = "fe80::1", .port = 8554, .target = "/a@b", .username = "u:1", .password = password};
  const std::string url = address.url_with_credentials();
  CHECK(url == "rtsp://u%3A1:%40%3A%2F%23%25[]!%3F%3C%3E%20\xc3\xbc@[fe80::1]:8554/a@b");
  const RtspAddress again = rtsp_address({.url = url});
  CHECK(again.username == "u:1");
  CHECK(again.password == password);
  CHECK(again.url() == "rtsp://[fe80::1]:8554/a@b");
}

TEST_CASE("a scheme is a word before //, or one that is known; everything else is a path") {
  CHECK(scheme_of("RTSP://cam") == "rtsp");
  CHECK(scheme_of("file:/a") == "file");
  CHECK(scheme_of("V4L2:/dev/video0") == "v4l2");
  CHECK(scheme_of("rtmp://host/app") == "rtmp");
  CHECK(scheme_of("concat:/etc/hostname") == "concat");
  CHECK(scheme_of("subfile,,start,0,end,9,,:/etc/hostname") == "subfile");
  for (const char* const path :
       {"./a:b.mp4", "/a/b.mp4", "clip.mp4", "", "a:b.mp4", "C:\\films\\x.mp4", "C:x.mp4",
        "2026-11-30T10:00:00.mp4", "10:00.mp4", "12://x", ":x", "yard (1):2.mp4"}) {
    CAPTURE(std::string(path));
    CHECK(scheme_of(path) == "");
    CHECK(names_file(path));
    CHECK(redact_url(path) == path);
  }
  CHECK(is_read("rtsps"));
  CHECK(is_read(""));
  CHECK_FALSE(is_read("rtmp"));
}

TEST_CASE("a file whose name could be an address of FFmpeg's is read where it is there") {
  const test::TestFolder folder;
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  CHECK(scheme_of("data:1.mp4") == "data");
  folder.write("data:1.mp4", "x");
  CHECK(scheme_of("data:1.mp4") == "");
  std::filesystem::current_path(before);
}

TEST_CASE("what may hide a password is not shown, whether it is an address or not") {
  for (const char* const url : {"rtmp:admin:hunter2@host/x", "camera:hunter2@host",
                                "RTSP://admin:hunter2@host", "films/rtsp://admin:hunter2@host/x"})
    CHECK(redact_url(url).find("hunter2") == std::string::npos);
}

TEST_CASE("the host and the path of a URL are found") {
  CHECK(host_of("rtsp://u:p@Cam.Local:554/x@y") == "cam.local");
  CHECK(host_of("http://[FE80::1]:80/x") == "fe80::1");
  CHECK(host_of("rtsp:///x") == "");
  CHECK(host_of("/a/b") == "");
  CHECK(path_of("file:///a/b%20c.mp4") == "/a/b c.mp4");
  CHECK(path_of("file://localhost/a") == "/a");
  CHECK(path_of("file:a%2.mp4") == "a%2.mp4");
  CHECK(path_of("/a%20b") == "/a%20b");
  CHECK(path_of("street:/a%20b.mp4") == "/a%20b.mp4");
  CHECK(names_file("street:/a.mp4"));
  CHECK(scheme_of(kStreetUrl) == "street");
}

}  // namespace
}  // namespace palisade
