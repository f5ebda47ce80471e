// The dashboard: its files stand in the program. They need no token, because they hold nothing of the
// service's.
#include <zlib.h>

#include <map>

#include "base/format.h"
#include "base/sha256.h"
#include "service/http/api.h"
#include "service/http/ui_files.h"

namespace palisade {
namespace {

// Scripts and styles of the program alone, pictures of the service alone, and text never becomes markup: with
// Trusted Types a browser refuses what lit-html has not made.
constexpr std::string_view kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; media-src blob:; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; "
    "require-trusted-types-for 'script'; trusted-types lit-html";

// A browser asks each time whether a file is the newest. Pictures may be older, and are there while the
// service is not.
constexpr const char *kOthers = "no-cache", *kPictures = "max-age=60, stale-while-revalidate=86400";

std::string_view media_type_of(std::string_view path) {
  static constexpr std::pair<std::string_view, std::string_view> kTypes[] = {
      {".html", "text/html; charset=utf-8"},
      {".css", "text/css; charset=utf-8"},
      {".js", "text/javascript; charset=utf-8"},
      {".svg", "image/svg+xml"}};
  for (const auto& [ending, type] : kTypes) {
    if (path.ends_with(ending)) return type;
  }
  return "text/plain; charset=utf-8";
}

// A file, also packed: a third of the size. By its tag a browser knows that it has it already.
struct ServedFile {
  std::string_view bytes;
  std::string packed, tag;
};

std::string gzip_of(std::string_view bytes) {
  constexpr int kGzipWindow = 15 + 16;  // 16 more: with gzip's head
  z_stream stream{};
  if (deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, kGzipWindow, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::bad_alloc();
  std::string packed(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = uInt(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = uInt(packed.size());
  deflate(&stream, Z_FINISH);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

const std::map<std::string_view, ServedFile>& served_files() {
  static const std::map<std::string_view, ServedFile> kFiles = [] {
    std::map<std::string_view, ServedFile> files;
    for (const UiFile& file : ui_files()) {
      const auto hash = sha256_hex(std::as_bytes(std::span(file.bytes)));
      files[file.path] = {file.bytes, gzip_of(file.bytes), hash.substr(0, 32)};
    }
    return files;
  }();
  return kFiles;
}

void send_file(const std::shared_ptr<HttpExchange>& exchange, const std::string& path) {
  const auto found = served_files().find(path);
  if (found == served_files().end())
    return exchange->fail(
        {.status = 404, .message = "there is nothing at " + exchange->request().path, .code = "not_found"});
  const ServedFile& file = found->second;
  const bool packed = exchange->request().header("accept-encoding").find("gzip") != std::string::npos;
  const std::string tag = format("\"{}{}\"", file.tag, packed ? "-gzip" : "");
  HttpResponse response{.type = std::string(media_type_of(path)),
                        .headers = {{"ETag", tag},
                                    {"Cache-Control", path.ends_with(".svg") ? kPictures : kOthers},
                                    {"Vary", "Accept-Encoding"},
                                    {"Content-Security-Policy", std::string(kPolicy)}}};
  if (exchange->request().header("if-none-match") == tag) {
    response.status = 304;
  } else if (packed) {
    response.headers.emplace_back("Content-Encoding", "gzip");
    response.body = file.packed;
  } else {
    response.body = file.bytes;
  }
  exchange->respond(std::move(response));
}

}  // namespace

void add_ui_routes(HttpRouter& router) {
  router.add({.pattern = "/", .scope = HttpScope::kNobody, .handler = [](const auto& exchange) {
                send_file(exchange, "index.html");
              }});
  router.add({.pattern = "/ui/{path...}", .scope = HttpScope::kNobody, .handler = [](const auto& exchange) {
                send_file(exchange, exchange->request().parts.at("path"));
              }});
}

}  // namespace palisade
