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

// The bytes behind an http(s) address. Follows redirections after the rule (redirected()), at every request;
// gives user name and password to the configured origin alone; looks each host up once and then connects to
// those addresses only, so that a name that changes its meaning leads nowhere else. Used by one thread.
class HttpStream {
 public:
  explicit HttpStream(const SourceOptions& options, std::stop_token stop,
                      Resolve resolve = resolve_by_system);

  // Asks for the address from its beginning. Throws SourceError for whatever is no answer with a body.
  void open(MonotonicTime until);
  // Of the first request.
  const HttpAnswer& answer() const { return answer_; }
  // The first bytes, `wanted` of them or all there are; they are read once more by read().
  std::span<const std::byte> peek(std::size_t wanted, MonotonicTime until);
  // 0 at the end. What was lost on the way of something that has ranges is asked for again.
  std::size_t read(std::span<std::byte> out, MonotonicTime until);
  // All of a body of at most `limit` bytes; nothing where it is longer.
  std::optional<std::vector<std::byte>> read_all(std::size_t limit, MonotonicTime until);

  // Of the whole, where the server says it.
  std::optional<std::int64_t> size() const { return size_; }
  // Whether the server gives parts of it.
  bool seekable() const { return seekable_; }
  // Takes effect at the next read.
  void seek(std::int64_t offset);
  std::int64_t position() const { return position_; }

  const std::string& shown() const { return shown_; }

 private:
  const HttpAnswer& request(std::optional<std::int64_t> from, MonotonicTime until);
  const HttpAnswer& request_once(std::optional<std::int64_t> from, MonotonicTime until);
  const std::vector<std::string>& addresses_of(const std::string& host, MonotonicTime until);
  void reopen(std::int64_t at, MonotonicTime until);
  // Bytes from `at` on, over the wire; 0 at the end.
  std::size_t fetch(std::int64_t at, std::span<std::byte> out, MonotonicTime until);
  std::size_t fetch_once(std::int64_t at, std::span<std::byte> out, MonotonicTime until);
  [[noreturn]] void fail_in_time() const;

  const SourceOptions options_;
  const std::stop_token stop_;
  const Resolve resolve_;
  const std::string shown_;
  HttpAddress configured_;
  std::optional<Credentials> credentials_;
  HttpAddress reached_;  // behind all redirections so far
  std::map<std::string, std::vector<std::string>> pinned_;
  HttpTransfer transfer_;
  HttpAnswer answer_;
  std::vector<std::byte> start_;  // what peek() has read
  std::optional<std::int64_t> size_;
  bool seekable_ = false;
  std::int64_t position_ = 0;  // of the next byte for the reader
  std::int64_t arriving_ = 0;  // of the next byte of the transfer
};

// An http(s) address that has been opened, and judged to be a camera or a film.
struct OpenedHttp {
  std::unique_ptr<HttpStream> stream;
  MonotonicTime open_until;  // when opening it has taken too long
  std::optional<bool> live;  // nothing: where the container tells no duration
};

}  // namespace palisade
