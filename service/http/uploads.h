#pragma once

#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/ulid.h"

namespace palisade {

// A picture or film that a client has sent to ask about it.
struct HttpUpload {
  std::string id;     // "upload:..."
  std::string owner;  // name of the token
  bool film = false;  // else a picture
  std::filesystem::path file;
  std::uint64_t bytes = 0;
  WallTime expires{};
};

// Files that clients have sent, below STATE/uploads, each for its owner alone. They go after a day, when
// there are too many, and when the service starts again. Any thread.
class HttpUploads {
 public:
  static constexpr std::size_t kMaxBytes = 64u << 20;      // of one
  static constexpr std::uint64_t kMaxTogether = 2u << 30;  // bytes; the oldest go first
  static constexpr std::chrono::hours kStay{24};

  explicit HttpUploads(const std::filesystem::path& state_folder);
  ~HttpUploads();  // removes all
  HttpUploads(const HttpUploads&) = delete;
  HttpUploads& operator=(const HttpUploads&) = delete;

  // Throws Error where it cannot be written.
  HttpUpload add(const std::string& owner, std::string_view bytes, WallTime now);
  // Nothing where there is none of that owner, or no longer.
  std::optional<HttpUpload> find(const std::string& owner, const std::string& id, WallTime now);
  bool remove(const std::string& owner, const std::string& id);

 private:
  void remove_old(WallTime now);
  void erase(std::map<std::string, HttpUpload>::iterator upload);

  const std::filesystem::path folder_;
  std::mutex mutex_;
  std::map<std::string, HttpUpload> uploads_;  // guarded by mutex_; by id, in the order in which they came
  std::uint64_t bytes_ = 0;                    // guarded by mutex_
  UlidSource ids_;                             // guarded by mutex_
};

}  // namespace palisade
