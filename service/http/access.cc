#include "service/http/access.h"

#include <sodium.h>

#include <algorithm>

#include "base/error.h"
#include "base/format.h"
#include "base/json.h"
#include "base/log.h"
#include "base/whole_file.h"

namespace palisade {
namespace {

constexpr std::size_t kTokenBytes = 32;
constexpr std::size_t kMaxTokens = 1000, kMaxTokenText = 128, kMaxPeers = 4096;
constexpr std::chrono::minutes kFailuresCount{1};
constexpr std::chrono::seconds kBetweenFileLooks{1};
constexpr std::string_view kPrefix = "pal_";  // so that scanners of secrets know what it is
constexpr std::array<std::string_view, 5> kScopes{"nobody", "view", "ask", "edit", "admin"};

std::string hex_of(const unsigned char* bytes, std::size_t size) {
  std::string hex(2 * size + 1, '\0');
  sodium_bin2hex(hex.data(), hex.size(), bytes, size);
  hex.resize(2 * size);
  return hex;
}

std::string hash_of(std::string_view token) {
  std::array<unsigned char, crypto_generichash_BYTES> hash{};
  crypto_generichash(hash.data(), hash.size(), reinterpret_cast<const unsigned char*>(token.data()),
                     token.size(), nullptr, 0);
  return hex_of(hash.data(), hash.size());
}

std::string new_token() {
  std::array<unsigned char, kTokenBytes> bytes{};
  randombytes_buf(bytes.data(), bytes.size());
  return std::string(kPrefix) + hex_of(bytes.data(), bytes.size());
}

bool is_short_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

}  // namespace

std::string_view name_of(HttpScope scope) {
  return kScopes[std::size_t(scope)];
}

std::optional<HttpScope> http_scope_of(std::string_view name) {
  const auto found = std::ranges::find(kScopes, name);
  if (found == kScopes.end() || found == kScopes.begin()) return std::nullopt;
  return HttpScope(found - kScopes.begin());
}

bool HttpHolder::may_see(std::string_view stream) const {
  return streams.empty() || std::ranges::find(streams, stream) != streams.end();
}

std::filesystem::path admin_token_file(const std::filesystem::path& state_folder) {
  return state_folder / "admin.token";
}

HttpTokens::HttpTokens(const std::filesystem::path& folder) : file_(folder / "http_tokens.json") {
  if (sodium_init() < 0) throw Error("libsodium cannot be used: no source of random numbers");
  if (std::filesystem::exists(file_)) {
    const std::lock_guard lock(mutex_);
    read();
    return;
  }
  std::filesystem::create_directories(folder);
  const std::string token = add({.name = "admin", .scope = HttpScope::kAdmin, .streams = {}});
  write_private_file(admin_token_file(folder), token + "\n");
}

// The caller holds mutex_.
void HttpTokens::read() {
  written_ = std::filesystem::last_write_time(file_);
  const Json json = read_json(file_);
  std::vector<Entry> entries;
  try {
    for (const Json& token : json.at("tokens")) {
      const auto scope = http_scope_of(token.at("scope").get_ref<const std::string&>());
      if (!scope || entries.size() >= kMaxTokens)
        throw Error(format("{}: not a file of tokens", file_.string()));
      entries.push_back({.holder = {.name = token.at("name").get<std::string>(),
                                    .scope = *scope,
                                    .streams = token.value("streams", std::vector<std::string>())},
                         .hash = token.at("hash").get<std::string>()});
    }
  } catch (const Json::exception& error) {
    throw Error(format("{}: not a file of tokens: {}", file_.string(), error.what()));
  }
  entries_ = std::move(entries);
}

// The caller holds mutex_. A file that cannot be read changes nothing.
void HttpTokens::read_again_where_changed() {
  const auto now = std::chrono::steady_clock::now();
  if (now - looked_ < kBetweenFileLooks) return;
  looked_ = now;
  std::error_code error;
  const auto changed = std::filesystem::last_write_time(file_, error);
  if (error || changed == written_) return;
  try {
    read();
  } catch (const Error& fault) {
    log_error(format("http: the tokens stay as they were: {}", fault.what()));
  }
}

std::optional<HttpHolder> HttpTokens::holder_of(std::string_view token) {
  if (token.empty() || token.size() > kMaxTokenText) return std::nullopt;
  const std::string hash = hash_of(token);
  std::optional<HttpHolder> holder;
  const std::lock_guard lock(mutex_);
  read_again_where_changed();
  for (const Entry& entry : entries_) {
    if (entry.hash.size() == hash.size() && sodium_memcmp(entry.hash.data(), hash.data(), hash.size()) == 0)
      holder = entry.holder;
  }
  return holder;
}

std::string HttpTokens::add(const HttpHolder& holder) {
  if (!is_short_name(holder.name))
    throw UsageError(format("a token's name is 1 to 64 of a-z, 0-9, _ and -, not '{}'", holder.name));
  if (!std::ranges::all_of(holder.streams, is_short_name))
    throw UsageError("a token's streams are names of streams: a-z, 0-9, _ and -");
  const std::string token = new_token();
  const std::lock_guard lock(mutex_);
  if (std::ranges::any_of(entries_, [&](const Entry& entry) { return entry.holder.name == holder.name; }))
    throw TokenTaken(
        format("there is a token '{}' already; remove it first, or choose another name", holder.name));
  if (entries_.size() >= kMaxTokens) throw UsageError(format("there are {} tokens already", kMaxTokens));
  entries_.push_back({.holder = holder, .hash = hash_of(token)});
  write();
  return token;
}

bool HttpTokens::remove(const std::string& name) {
  const std::lock_guard lock(mutex_);
  if (std::erase_if(entries_, [&](const Entry& entry) { return entry.holder.name == name; }) == 0)
    return false;
  write();
  return true;
}

std::vector<HttpHolder> HttpTokens::all() {
  const std::lock_guard lock(mutex_);
  read_again_where_changed();
  std::vector<HttpHolder> holders;
  for (const Entry& entry : entries_) holders.push_back(entry.holder);
  return holders;
}

// The caller holds mutex_.
void HttpTokens::write() {
  Json tokens = Json::array();
  for (const auto& [holder, hash] : entries_) {
    Json token = {{"name", holder.name}, {"scope", name_of(holder.scope)}, {"hash", hash}};
    if (!holder.streams.empty()) token["streams"] = holder.streams;
    tokens.push_back(std::move(token));
  }
  write_private_file(file_, Json{{"tokens", std::move(tokens)}}.dump(1) + "\n");
  written_ = std::filesystem::last_write_time(file_);
}

bool FailureLimit::is_over(const std::string& peer, MonotonicTime now) const {
  const auto found = failures_.find(peer);
  return found != failures_.end() && now - found->second.since < kFailuresCount &&
         found->second.count >= most_;
}

void FailureLimit::count(const std::string& peer, MonotonicTime now) {
  if (failures_.size() >= kMaxPeers)
    std::erase_if(failures_, [&](const auto& one) { return now - one.second.since >= kFailuresCount; });
  if (failures_.size() >= kMaxPeers) failures_.clear();
  Failures& failures = failures_[peer];
  if (failures.count == 0 || now - failures.since >= kFailuresCount) failures = {.since = now};
  ++failures.count;
}

}  // namespace palisade
