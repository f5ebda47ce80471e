#include "ingest/pictures/folder_source.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "base/natural_order.h"
#include "ingest/pictures/picture.h"
#include "ingest/source/url.h"

namespace palisade {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 6> kPictureEndings = {".jpg",  ".jpeg", ".jpe",
                                                             ".jfif", ".png",  ".webp"};
// Endings of pictures that Palisade does not read, which are reported as skipped.
constexpr std::array<std::string_view, 19> kOtherEndings = {
    ".heic", ".heif", ".avif", ".gif", ".bmp", ".tif", ".tiff", ".jxl", ".jp2", ".svg",
    ".dng",  ".cr2",  ".cr3",  ".nef", ".arw", ".orf", ".raf",  ".rw2", ".psd"};

bool ends_as(const fs::path& path, std::span<const std::string_view> endings) {
  std::string ending = path.extension().string();
  std::ranges::transform(ending, ending.begin(), [](unsigned char c) { return char(std::tolower(c)); });
  return std::ranges::find(endings, ending) != endings.end();
}

struct Listing {
  std::vector<std::string> names;
  SkippedPictures others;  // pictures of kinds that are not read
};

Listing listing_of(const fs::path& folder) {
  Listing listing;
  std::error_code error;
  fs::directory_iterator entry(folder, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    std::error_code gone;
    std::string name = entry->path().filename().string();
    if (name.starts_with('.') || entry->is_directory(gone)) continue;
    if (ends_as(entry->path(), kPictureEndings)) {
      listing.names.push_back(std::move(name));
    } else if (ends_as(entry->path(), kOtherEndings)) {
      listing.others.add(
          {1, entry->path().string() + ": pictures of this kind are not read: make it a JPEG or PNG"});
    }
  }
  if (error) {
    throw SourceError(SourceFault::kUnreadable, folder.string() + ": cannot be listed: " + error.message());
  }
  if (listing.names.empty()) {
    const std::string others = listing.others.pictures > 0 ? " (" + listing.others.text() + ")" : "";
    throw SourceError(
        SourceFault::kUnreadable,
        folder.string() + ": holds no picture that is read: put .jpg, .png or .webp files there" + others);
  }
  std::ranges::sort(listing.names, comes_before);
  return listing;
}

class FolderSource : public Source {
 public:
  FolderSource(const SourceOptions& options, std::stop_token stop)
      : options_(options),
        stop_(std::move(stop)),
        folder_(path_of(options.url)),
        listing_(listing_of(folder_)),
        skipped_(listing_.others) {}

  std::optional<Frame> next(const Wanted& wanted) override {
    while (next_ < listing_.names.size()) {
      if (stop_.stop_requested())
        throw SourceError(SourceFault::kInterrupted, folder_.string() + ": stopped");
      if (!opens_as_picture(next_)) continue;
      const FrameStamp stamp = stamp_of(next_);
      const fs::path path = folder_ / listing_.names[next_++];
      if (!wanted(stamp)) {
        any_ = true;  // counts as read
        continue;
      }
      if (const std::optional<Image> image = read(path)) {
        any_ = true;
        return Frame{stamp, "", image->width(), image->height(), *image};
      }
    }
    if (any_ || broken_ == 0) return std::nullopt;
    throw SourceError(SourceFault::kUnreadable,
                      folder_.string() + ": not one picture of it can be read; the last: " + skipped_.last);
  }
  SkippedPictures take_skipped() override { return std::exchange(skipped_, {}); }

  bool live() const override { return false; }
  std::optional<MediaTime> duration() const override {
    return MediaTime(options_.frame_interval) * std::int64_t(listing_.names.size());
  }

 private:
  FrameStamp stamp_of(std::size_t index) const {
    FrameStamp stamp;
    stamp.number = index;
    stamp.pts = MediaTime(options_.frame_interval) * std::int64_t(index);
    stamp.time_source = TimeSource::kFile;
    std::error_code gone;  // reported when it is read
    const auto changed = fs::last_write_time(folder_ / listing_.names[index], gone);
    if (!gone)
      stamp.wall = std::chrono::floor<std::chrono::microseconds>(std::chrono::file_clock::to_sys(changed));
    stamp.keyframe = true;
    return stamp;
  }

  // Checks the first bytes before the picture is offered; otherwise a window would use the next picture
  // twice. A file of another kind is skipped.
  bool opens_as_picture(std::size_t index) {
    const fs::path path = folder_ / listing_.names[index];
    std::error_code gone;
    std::array<char, 32> start{};
    std::ifstream file;
    if (fs::is_regular_file(path, gone)) file.open(path, std::ios::binary);
    file.read(start.data(), start.size());
    const auto bytes = std::as_bytes(std::span(start)).first(std::size_t(file.gcount()));
    if (looks_like_picture(bytes) && fs::file_size(path, gone) <= PictureLimits().max_bytes) return true;
    read(path);  // throws the reason
    ++next_;
    return false;
  }

  // Nothing where the picture is broken, too large, or gone since the folder was listed.
  std::optional<Image> read(const fs::path& path) {
    try {
      return read_picture(path, {.max_pixels = options_.max_pixels});
    } catch (const PictureError& e) {
      ++broken_;
      skipped_.add({1, e.what()});
      return std::nullopt;
    }
  }

  const SourceOptions options_;
  const std::stop_token stop_;
  const fs::path folder_;
  const Listing listing_;
  std::size_t next_ = 0;
  SkippedPictures skipped_;  // not reported yet
  std::uint64_t broken_ = 0;
  bool any_ = false;  // a picture has been read, or was not wanted
};

}  // namespace

std::unique_ptr<Source> open_folder_source(const SourceOptions& options, std::stop_token stop) {
  return std::make_unique<FolderSource>(options, std::move(stop));
}

}  // namespace palisade
