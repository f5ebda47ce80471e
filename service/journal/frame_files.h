#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "service/journal/frame_codec.h"

namespace palisade {

// Frames lie in SQLite files below FOLDER/frames: one for an hour (2026113009.db), more where that would grow
// too large (2026113009-1.db ...), and kept.db for those of kept events. A frame is in a file once, under the
// hash that events have of it, in each form that was asked for.

std::filesystem::path frames_folder(const std::filesystem::path& state_folder);
// "2026113009"
std::string hour_name(WallTime time);
// The files that frames go to in that hour, in the order in which they were begun.
std::vector<std::filesystem::path> files_of_hour(const std::filesystem::path& state_folder, WallTime time);

// One frames file that is written. One thread's. Throws StorageError.
class FrameFile {
 public:
  explicit FrameFile(const std::filesystem::path& file);
  ~FrameFile();
  FrameFile(FrameFile&&) noexcept;
  FrameFile& operator=(FrameFile&&) noexcept;

  const std::filesystem::path& path() const { return path_; }
  std::uint64_t bytes() const;
  struct Entry {
    std::string sha256;
    EncodedFrame frame;
  };
  // All in one transaction; a frame that is there already stays as it is.
  void add(const std::vector<Entry>& entries);

 private:
  struct Connection;
  std::filesystem::path path_;
  std::unique_ptr<Connection> connection_;
};

// The frames of an event by their hashes, in order; nothing in the place of one that is gone. `id` is the
// event's ULID, whose time says where they lie. The best form of each: without loss where there is one.
std::vector<std::optional<EncodedFrame>> stored_frames(const std::filesystem::path& state_folder,
                                                       std::string_view id,
                                                       const std::vector<std::string>& sha256s);
// An event and the frames that it saw.
struct EventFrames {
  std::string id;
  std::vector<std::string> sha256s;
};
// Removes the frames of these events for good, those that are kept too; nothing is left of their bytes.
void erase_frames(const std::filesystem::path& state_folder, const std::vector<EventFrames>& events);
// Copies an event's frames to those that are kept for ever; returns how many of them there are.
std::size_t keep_frames(const std::filesystem::path& state_folder, std::string_view id,
                        const std::vector<std::string>& sha256s);

}  // namespace palisade
