#include "ingest/http/http_kind.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "base/format.h"
#include "ingest/http/mp4_outline.h"
#include "tests/ingest/http_server.h"
#include "tests/ingest/test_files.h"

namespace palisade {
namespace {

using std::chrono::seconds;
using test::golden;
using test::HttpServer;
using test::text_of;

constexpr const char* kNames[] = {"pictures", "picture", "film", "camera", "as its container says"};

// The kind of an answer with these headers and this body, or the reason why it is refused.
std::string judged(const std::string& headers, const std::string& body) {
  const HttpServer server([&](const std::string&, const HttpServer::Send& send) {
    send("HTTP/1.1 200 OK\r\nConnection: close\r\n" + headers + "\r\n" + body);
  });
  HttpBody stream({.url = server.url("/x")}, {});
  const auto until = std::chrono::steady_clock::now() + seconds(20);
  try {
    stream.open(until);
    return kNames[int(kind_of(stream, until))];
  } catch (const SourceError& e) {
    CHECK(e.fault() == SourceFault::kUnreadable);
    return e.what();
  }
}

std::string sized(const std::string& body) {
  return format("Content-Length: {}\r\n", body.size());
}

std::string box(const std::string& type, const std::string& body) {
  const std::size_t size = body.size() + 8;
  return std::string{'\0', '\0', char(size >> 8), char(size & 255)} + type + body;
}

// An mvhd box with this duration.
std::string movie(char duration) {
  return box("mvhd", std::string(19, '\0') + duration + std::string(80, '\0'));
}

const std::string kFileType = box("ftyp", "isom0000isom");

TEST_CASE("what an address gives is judged by what is said and by the first bytes") {
  const std::string jpeg = text_of(golden("pictures/rgb_420.jpg"));
  const std::string stream = text_of(golden("clips/wrap.ts"));
  const std::string webm = text_of(golden("clips/vp8.webm"));
  const std::string extends = box("mvex", box("trex", std::string(24, '\0')));
  const std::string total =
      box("mvex", box("mehd", std::string(7, '\0') + '\x09') + box("trex", std::string(24, '\0')));
  const std::string endless = kFileType + box("moov", movie(0) + extends) + box("moof", "");
  const std::string whole = kFileType + box("moov", movie(9) + total) + box("moof", "");
  const std::string film =
      kFileType + box("free", "") + box("moov", movie(9)) + box("mdat", std::string(99, 'x'));
  const struct {
    std::string headers;
    std::string body;
    std::string is;
  } cases[] = {
      {"Content-Type: multipart/x-mixed-replace; boundary=b\r\n", "", "pictures"},
      {"Content-Type: Multipart/X-Mixed-Replace;boundary=\"b\"\r\n" + sized("12345"), "12345", "pictures"},
      {"Content-Type: video/x-motion-jpeg\r\n", jpeg, "pictures"},
      {"", "--b\r\nContent-Type: image/jpeg\r\n\r\n" + jpeg, "pictures"},
      {"Content-Type: text/plain\r\n", "\r\n--b\nContent-type: image/jpeg\n\n" + jpeg, "pictures"},
      {"Content-Type: image/jpeg\r\n" + sized(jpeg), jpeg, "picture"},
      {"Content-Type: application/octet-stream\r\n", jpeg, "picture"},
      {"Content-Type: text/html\r\n", text_of(golden("pictures/rgb.png")), "picture"},
      {sized(stream), stream, "film"},
      {"Content-Length: 2147483647\r\n", stream, "as its container says"},
      {"Content-Length: 9223372036854775807\r\n", stream, "as its container says"},
      {"Content-Length: 9223372036854775807\r\nAccept-Ranges: bytes\r\n", stream, "film"},
      {"Content-Type: video/mp2t\r\n", stream, "as its container says"},
      {"Content-Type: video/mp4\r\n", endless, "camera"},
      {sized(endless), endless, "film"},
      {"", whole, "film"},
      {"", film, "film"},
      {"", webm, "as its container says"},
  };
  for (const auto& one : cases) {
    CAPTURE(one.headers);
    CAPTURE(one.is);
    CHECK(judged(one.headers, one.body) == one.is);
  }
}

TEST_CASE(
    "an MP4 whose index stands behind is read where the server gives parts of it, and refused where not") {
  const std::string film = kFileType + box("mdat", std::string(99, 'x')) + box("moov", movie(9));
  CHECK(judged(sized(film) + "Accept-Ranges: bytes\r\n", film) == "film");
  for (const std::string& headers : {sized(film), std::string()}) {
    const std::string error = judged(headers, film);
    CHECK(error.find("index at the end") != std::string::npos);
    CHECK(error.find("faststart") != std::string::npos);
  }
}

TEST_CASE("what is neither film nor picture is named, with what to do") {
  const std::pair<std::string, const char*> cases[] = {
      {"GIF89a" + std::string(30, '\1'), "a GIF picture: make it a JPEG"},
      {std::string("BM\x36\x10\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0", 18) + std::string(30, '\0'),
       "a BMP picture"},
      {std::string("\0\0\0\x18"
                   "ftypheic\0\0\0\0",
                   16) +
           std::string(20, '\0'),
       "a HEIC picture"},
      {std::string("\0\0\0\x18"
                   "ftypavif\0\0\0\0",
                   16) +
           std::string(20, '\0'),
       "an AVIF picture"},
      {"II*" + std::string(40, '\0'), "a TIFF"},
      {"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9" + std::string(30, '\0'), "a WMV or ASF film"},
      {"#EXTM3U\n#EXT-X-VERSION:3\n", "a playlist (HLS or M3U)"},
      {"\xef\xbb\xbf#EXTM3U\n#EXTINF:1\na.ts\n", "a playlist"},
      {"[playlist]\nFile1=http://x/y\n", "a playlist (PLS)"},
      {"<?xml version=\"1.0\"?>\n<MPD profiles=\"x\"></MPD>", "a DASH manifest"},
      {"<!DOCTYPE html><html><form>login</form></html>", "a web page"},
      {"\n\n  <HTML><body>camera</body></HTML>", "a web page"},
      {"{\"error\": \"no such stream\"}", "a JSON text"},
      {"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nm=video 5004 RTP/AVP 96\r\n",
       "a session description (SDP)"},
      {"no such camera\n", "a text: give the address of the stream itself"},
      {"ID3\4" + std::string(40, '\0'), "sound without pictures"},
      {"PK\3\4" + std::string(40, '\0'), "a ZIP archive"},
      {"\x1f\x8b\x08" + std::string(40, '\0'), "compressed by gzip"},
      {"", "sends nothing"},
  };
  for (const auto& [body, named] : cases) {
    CAPTURE(named);
    CHECK(judged(sized(body), body).find(named) != std::string::npos);
    CHECK(judged("", body).find(named) != std::string::npos);
  }
}

TEST_CASE("an outline of a hostile MP4 ends, and asks for no more than a header may have") {
  const std::string bodies[] = {
      std::string("\0\0\0\1moov\xff\xff\xff\xff\xff\xff\xff\xff", 16),
      std::string("\0\0\0\0ftyp", 8),
      std::string("\0\0\0\7ftyp", 8),
      std::string("\0\0\0\1ftyp\0\0\0\0\0\0\0\1", 16),
      std::string("\0\0\0\x08"
                  "free\0\0\0\x08"
                  "free\0\0",
                  18),
      std::string("\xff\xff\xff\xff"
                  "free",
                  8),
      kFileType + box("moov", std::string("\0\0\0\0mvex\0\0\0\2mehd", 16)),
      kFileType + std::string("\x7f\xff\xff\xffmoov", 8),
  };
  for (const std::string& body : bodies) {
    const Mp4Outline outline = outline_mp4(std::as_bytes(std::span(body)));
    CHECK(outline.wanted <= body.size() + (1u << 20));
  }
  std::string fillers = kFileType;
  for (int i = 0; i < 100'000; ++i) fillers += box("free", "");
  CHECK(outline_mp4(std::as_bytes(std::span(fillers))).wanted == 0);
  fillers = kFileType;
  for (int i = 0; i < 100; ++i) fillers += box("free", std::string(60'000, 'x'));
  CHECK(outline_mp4(std::as_bytes(std::span(fillers))).wanted == 0);
}

}  // namespace
}  // namespace palisade
