#include "ingest/http/http_body.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/format.h"
#include "base/redaction.h"
#include "ingest/http/http_faults.h"
#include "ingest/source/url.h"

namespace palisade {
namespace {

constexpr int kMaxRedirects = 5;
// So many resumptions in a row that bring no byte are a fault.
constexpr int kMaxResumptions = 3;
// Seeking forward by at most so many bytes reads and drops them, which is cheaper than a request.
constexpr std::int64_t kShortStep = 256 << 10;

}  // namespace

HttpBody::HttpBody(const SourceOptions& options, std::stop_token stop, Resolve resolve)
    : options_(options),
      stop_(stop),
      resolve_(std::move(resolve)),
      shown_(redact_text(redact_url(options.url), options.password)),
      transfer_(shown_, {options.tls_ca, options.tls_verify}, stop) {
  Credentials in_url;
  configured_ = http_address(options.url, in_url);
  reached_ = configured_;
  const Credentials beside{options.username, options.password};
  const Credentials used = beside == Credentials{} ? in_url : beside;
  if (used != Credentials{}) credentials_ = used;
}

void HttpBody::fail_in_time() const {
  const std::string time = format("{} ms", options_.open_timeout.count());
  const HttpTransfer::Progress progress = transfer_.progress();
  std::string text = "no answer within " + time + ": is it on, and are address, port and path right?";
  if (reached_.secure && progress == HttpTransfer::Progress::kConnected) {
    text =
        "takes the connection, but speaks no TLS within " + time + ": is the port right, or is it http://?";
  } else if (progress != HttpTransfer::Progress::kNone) {
    text = "takes the connection, but gives no answer within " + time +
           ": is the path right, and is it http(s)?";
  }
  throw SourceError(SourceFault::kUnreachable, shown_ + ": " + text);
}

const std::vector<std::string>& HttpBody::addresses_of(const std::string& host, MonotonicTime until) {
  static const std::vector<std::string> kNone;
  if (is_numeric_host(host)) return kNone;
  if (const auto known = pinned_.find(host); known != pinned_.end()) return known->second;
  const Lookup lookup = look_up(host, resolve_, stop_, until);
  if (stop_.stop_requested()) throw SourceError(SourceFault::kInterrupted, shown_ + ": stopped");
  if (lookup.addresses.empty()) {
    throw SourceError(SourceFault::kUnreachable, shown_ + ": " + lookup.failure +
                                                     (options_.url.find('@') == std::string::npos
                                                          ? ""
                                                          : " A password with @ / : # % or ? belongs in "
                                                            "password: beside the url"));
  }
  return pinned_.emplace(host, lookup.addresses).first->second;
}

const HttpReply& HttpBody::request_once(std::optional<std::int64_t> from, MonotonicTime until) {
  // Redirections may differ at every request, so each is checked anew, before its host is looked up.
  for (int redirects = 0; redirects <= kMaxRedirects; ++redirects) {
    const bool ours = reached_.same_origin(configured_);
    const HttpReply& answer = transfer_.request({.address = reached_,
                                                 .pinned = addresses_of(reached_.host, until),
                                                 .credentials = ours ? credentials_ : std::nullopt,
                                                 .from = from},
                                                until);
    if (!answer.redirects() || answer.location.empty()) {
      if (answer.status == 401 && !ours && credentials_) {
        throw SourceError(
            SourceFault::kAuthFailed,
            shown_ + ": redirects to " + (reached_.secure ? "https://" : "http://") + reached_.name() +
                ", which asks for a password; it is sent to the configured address alone: if that "
                "is right, give that address instead");
      }
      return answer;
    }
    reached_ = redirected(reached_, answer.location, options_.redirect_hosts, shown_);
  }
  throw SourceError(SourceFault::kUnreachable,
                    shown_ + ": redirects in a circle: give the stream's own address");
}

const HttpReply& HttpBody::request(std::optional<std::int64_t> from, MonotonicTime until) {
  const HttpReply* answer = &request_once(from, until);
  // Whether a server serves ranges is best seen by requesting one; a few refuse such a request altogether.
  const bool refuses_parts = answer->status == 416 || answer->status == 400 || answer->status == 501;
  if (from == 0 && refuses_parts) answer = &request_once({}, until);
  if (answer->status != 200 && answer->status != 206) {
    throw fault_of(*answer, credentials_.has_value(), shown_);
  }
  if (answer->encoded()) {
    throw SourceError(
        SourceFault::kUnreadable,
        shown_ + ": is sent compressed, which was not asked for: let the server send it as it is");
  }
  return *answer;
}

void HttpBody::open(MonotonicTime until) {
  reached_ = configured_;
  start_.clear();
  position_ = arriving_ = 0;
  try {
    answer_ = request(0, until);
  } catch (const SourceError& e) {
    if (e.fault() == SourceFault::kStalled) fail_in_time();
    throw;
  }
  const bool part = answer_.status == 206;
  if (part && answer_.range && answer_.range->first != 0) {
    throw SourceError(SourceFault::kUnreadable, shown_ +
                                                    ": sends another part than its beginning: what it serves "
                                                    "cannot be read in order");
  }
  size_ = part && answer_.range ? answer_.range->total : answer_.length;
  seekable_ = size_.has_value() && (answer_.accepts_ranges || (part && answer_.range));
}

std::span<const std::byte> HttpBody::peek(std::size_t wanted, MonotonicTime until) {
  std::vector<std::byte> part(wanted);
  while (start_.size() < wanted) {
    const std::size_t got =
        fetch(std::int64_t(start_.size()), std::span(part).first(wanted - start_.size()), until);
    if (got == 0) break;
    start_.insert(start_.end(), part.begin(), part.begin() + std::ptrdiff_t(got));
  }
  return std::span(start_).first(std::min(wanted, start_.size()));
}

void HttpBody::seek(std::int64_t offset) {
  position_ = offset;
}

void HttpBody::reopen(std::int64_t at, MonotonicTime until) {
  const HttpReply& answer = request(at, until);
  const bool from_here = answer.status == 206 && answer.range && answer.range->first == at;
  if (!from_here && !(answer.status == 200 && at == 0)) {
    throw SourceError(SourceFault::kUnreadable, shown_ +
                                                    ": said that it serves ranges, and does not: mend the "
                                                    "server, or copy the film here");
  }
  if (answer.range && answer.range->total && answer.range->total != size_) {
    throw SourceError(SourceFault::kUnreadable,
                      shown_ + ": changed while it was read: read it once it is complete");
  }
  arriving_ = at;
}

std::size_t HttpBody::fetch_once(std::int64_t at, std::span<std::byte> out, MonotonicTime until) {
  if (at > arriving_ && at - arriving_ <= kShortStep && arriving_ >= 0 && !transfer_.ended()) {
    std::vector<std::byte> dropped(std::size_t(at - arriving_));
    while (arriving_ < at) {
      const std::size_t got = transfer_.read(std::span(dropped).first(std::size_t(at - arriving_)), until);
      if (got == 0) break;
      arriving_ += std::int64_t(got);
    }
  }
  if (at != arriving_) reopen(at, until);
  const std::size_t got = transfer_.read(out, until);
  arriving_ += std::int64_t(got);
  return got;
}

std::size_t HttpBody::fetch(std::int64_t at, std::span<std::byte> out, MonotonicTime until) {
  if (size_ && at >= *size_) return 0;
  for (int lost = 0;; ++lost) {
    try {
      const std::size_t got = fetch_once(at, out, until);
      if (got > 0 || !size_) return got;
      throw SourceError(SourceFault::kUnreachable,
                        format("{}: the connection was lost after {} of {} bytes: is the network well?",
                               shown_, at, *size_));
    } catch (const SourceError& e) {
      if (e.fault() != SourceFault::kUnreachable || !seekable_ || lost == kMaxResumptions) throw;
      arriving_ = -1;
    }
  }
}

std::size_t HttpBody::read(std::span<std::byte> out, MonotonicTime until) {
  const auto kept = std::int64_t(start_.size());
  std::size_t got = 0;
  if (position_ < kept) {
    got = std::min(out.size(), std::size_t(kept - position_));
    std::memcpy(out.data(), start_.data() + position_, got);
  } else {
    got = fetch(position_, out, until);
  }
  position_ += std::int64_t(got);
  return got;
}

std::optional<std::vector<std::byte>> HttpBody::read_all(std::size_t limit, MonotonicTime until) {
  if (size_ && *size_ > std::int64_t(limit)) return std::nullopt;
  std::vector<std::byte> all;
  std::vector<std::byte> part(64u << 10);
  while (const std::size_t got = read(part, until)) {
    all.insert(all.end(), part.begin(), part.begin() + std::ptrdiff_t(got));
    if (all.size() > limit) return std::nullopt;
  }
  return all;
}

}  // namespace palisade
