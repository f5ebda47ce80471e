#pragma once

#include <array>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"

namespace palisade {

// What a token lets its holder do; each includes those before it.
enum class HttpScope { kNobody, kView, kAsk, kEdit, kAdmin };
std::string_view name_of(HttpScope scope);  // "view"
std::optional<HttpScope> http_scope_of(std::string_view name);

// Who asks.
struct HttpHolder {
  std::string name;
  HttpScope scope = HttpScope::kNobody;
  std::vector<std::string> streams;  // that it may see; empty: all

  bool may_see(std::string_view stream) const;
};

class TokenTaken : public UsageError {
  using UsageError::UsageError;
};

// The tokens of a service: 256 random bits each, of which the state folder keeps a hash (BLAKE2b), so that
// nobody who reads the folder can use them. Any thread.
class HttpTokens {
 public:
  // Reads FOLDER/http_tokens.json. Where there is none the first token is made, of scope admin: it stands in
  // FOLDER/admin.token, for its owner alone. Throws Error.
  explicit HttpTokens(const std::filesystem::path& folder);

  // Nothing for a token that there is not. A file that `palisade tokens` has changed is read again.
  std::optional<HttpHolder> holder_of(std::string_view token);
  // The new token's text, which is never shown again. Throws TokenTaken, and UsageError for a name that is
  // none.
  std::string add(const HttpHolder& holder);
  bool remove(const std::string& name);
  std::vector<HttpHolder> all();

 private:
  struct Entry {
    HttpHolder holder;
    std::string hash;  // hex
  };
  void read();
  void read_again_where_changed();
  void write();

  const std::filesystem::path file_;
  std::mutex mutex_;
  std::vector<Entry> entries_;               // guarded by mutex_
  std::filesystem::file_time_type written_;  // guarded by mutex_: what was read of the file
  MonotonicTime looked_{};                   // guarded by mutex_
};

std::filesystem::path admin_token_file(const std::filesystem::path& state_folder);

// Counts failures by address: more than `most` in a minute are refused. One thread's.
class FailureLimit {
 public:
  explicit FailureLimit(int most = 10) : most_(most) {}
  bool is_over(const std::string& peer, MonotonicTime now) const;
  void count(const std::string& peer, MonotonicTime now);

 private:
  struct Failures {
    MonotonicTime since{};
    int count = 0;
  };
  const int most_;
  std::map<std::string, Failures> failures_;
};

}  // namespace palisade
