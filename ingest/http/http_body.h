#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "ingest/http/http_lookup.h"
#include "ingest/http/http_transfer.h"
#include "ingest/source/source.h"

namespace palisade {

// The bytes behind an http(s) address. Every request follows redirections as redirected() allows. Credentials
// are sent to the configured origin only. Each host is looked up once, and only these addresses are connected
// to, so that a changed DNS entry cannot lead elsewhere. Not thread-safe.
class HttpBody {
 public:
  explicit HttpBody(const SourceOptions& options, std::stop_token stop, Resolve resolve = resolve_by_system);

  // Sends the first request. Throws SourceError unless the answer has a body.
  void open(MonotonicTime until);
  // The answer to the first request.
  const HttpReply& answer() const { return answer_; }
  // The first `wanted` bytes, or all if there are fewer. read() returns them again.
  std::span<const std::byte> peek(std::size_t wanted, MonotonicTime until);
  // Reads the next bytes; 0 at the end. After a lost connection the rest is requested again, if the server
  // serves ranges.
  std::size_t read(std::span<std::byte> out, MonotonicTime until);
  // The whole body; nothing if it is longer than `limit` bytes.
  std::optional<std::vector<std::byte>> read_all(std::size_t limit, MonotonicTime until);

  // Size of the whole body, if the server states it.
  std::optional<std::int64_t> size() const { return size_; }
  // Whether the server serves ranges.
  bool seekable() const { return seekable_; }
  // Takes effect at the next read.
  void seek(std::int64_t offset);
  std::int64_t position() const { return position_; }

  const std::string& shown() const { return shown_; }

 private:
  const HttpReply& request(std::optional<std::int64_t> from, MonotonicTime until);
  const HttpReply& request_once(std::optional<std::int64_t> from, MonotonicTime until);
  const std::vector<std::string>& addresses_of(const std::string& host, MonotonicTime until);
  void reopen(std::int64_t at, MonotonicTime until);
  // Reads bytes from `at` on from the connection; 0 at the end.
  std::size_t fetch(std::int64_t at, std::span<std::byte> out, MonotonicTime until);
  std::size_t fetch_once(std::int64_t at, std::span<std::byte> out, MonotonicTime until);
  [[noreturn]] void fail_in_time() const;

  const SourceOptions options_;
  const std::stop_token stop_;
  const Resolve resolve_;
  const std::string shown_;
  HttpAddress configured_;
  std::optional<Credentials> credentials_;
  HttpAddress reached_;  // target of all redirections so far
  std::map<std::string, std::vector<std::string>> pinned_;
  HttpTransfer transfer_;
  HttpReply answer_;
  std::vector<std::byte> start_;  // what peek() has read
  std::optional<std::int64_t> size_;
  bool seekable_ = false;
  std::int64_t position_ = 0;  // offset of the next byte that read() returns
  std::int64_t arriving_ = 0;  // offset of the next byte of the transfer
};

// An http(s) address that is open and whose kind is known.
struct OpenedHttp {
  std::unique_ptr<HttpBody> stream;
  MonotonicTime open_until;  // deadline for opening the container
  std::optional<bool> live;  // nothing: live if the container states no duration
};

}  // namespace palisade
