#include "ingest/folder_source.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "ingest/picture.h"
#include "ingest/url.h"

namespace palisade {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 4> kEndings = {".jpg", ".jpeg", ".png", ".webp"};

bool ends_as_picture(const fs::path& path) {
  std::string ending = path.extension().string();
  std::ranges::transform(ending, ending.begin(), [](unsigned char c) { return char(std::tolower(c)); });
  return std::ranges::find(kEndings, ending) != kEndings.end();
}

std::vector<std::string> picture_names(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  fs::directory_iterator entry(folder, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    std::string name = entry->path().filename().string();
    if (!name.starts_with('.') && ends_as_picture(entry->path())) names.push_back(std::move(name));
  }
  if (error) {
    throw SourceError(SourceFault::kUnreadable, folder.string() + ": cannot be listed: " + error.message());
  }
  if (names.empty()) {
    throw SourceError(SourceFault::kUnreadable,
                      folder.string() + ": holds no picture: put .jpg, .png or .webp files there");
  }
  std::ranges::sort(names);
  return names;
}

class FolderSource : public Source {
 public:
  FolderSource(const SourceOptions& options, std::stop_token stop)
      : options_(options),
        stop_(std::move(stop)),
        folder_(path_of(options.url)),
        names_(picture_names(folder_)) {}

  std::optional<Frame> next(const Wanted& wanted) override {
    while (next_ < names_.size()) {
      if (stop_.stop_requested())
        throw SourceError(SourceFault::kInterrupted, folder_.string() + ": stopped");
      const FrameStamp stamp = stamp_of(next_);
      const fs::path path = folder_ / names_[next_++];
      if (!wanted(stamp)) continue;
      Image image = read(path);
      return Frame{stamp, "", image.width(), image.height(), image};
    }
    return std::nullopt;
  }

  bool live() const override { return false; }
  std::optional<MediaTime> duration() const override {
    return MediaTime(options_.frame_interval) * std::int64_t(names_.size());
  }

 private:
  FrameStamp stamp_of(std::size_t index) const {
    FrameStamp stamp;
    stamp.number = index;
    stamp.pts = MediaTime(options_.frame_interval) * std::int64_t(index);
    stamp.time_source = TimeSource::kFile;
    std::error_code gone;  // told when it is read
    const auto changed = fs::last_write_time(folder_ / names_[index], gone);
    if (!gone)
      stamp.wall = std::chrono::floor<std::chrono::microseconds>(std::chrono::file_clock::to_sys(changed));
    stamp.keyframe = true;
    return stamp;
  }

  Image read(const fs::path& path) const {
    try {
      return read_picture(path, {.max_pixels = options_.max_pixels});
    } catch (const PictureError& e) {
      throw SourceError(SourceFault::kUnreadable, e.what());
    }
  }

  const SourceOptions options_;
  const std::stop_token stop_;
  const fs::path folder_;
  const std::vector<std::string> names_;
  std::size_t next_ = 0;
};

}  // namespace

std::unique_ptr<Source> open_folder_source(const SourceOptions& options, std::stop_token stop) {
  return std::make_unique<FolderSource>(options, std::move(stop));
}

}  // namespace palisade
