#include "service/asking/frame_folder.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <vector>

#include "base/format.h"
#include "base/time_text.h"
#include "ingest/pictures/picture.h"

namespace palisade {
namespace {

// Rounds f32 pixels, which one resize preset keeps.
Image in_8_bits(const Image& image) {
  if (!image.is_float()) return image;
  std::vector<std::uint8_t> rgb(image.f32().size());
  std::ranges::transform(image.f32(), rgb.begin(),
                         [](float sample) { return std::uint8_t(std::clamp(sample + 0.5f, 0.0f, 255.0f)); });
  return Image(image.width(), image.height(), std::move(rgb));
}

// False, with errno, where not everything was written.
bool write_all(int file, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes = bytes.subspan(std::size_t(written));
  }
  return true;
}

}  // namespace

std::string frame_file_name(std::uint64_t answer, std::size_t frame_number, const Frame& frame) {
  std::string stream = frame.stream.substr(0, 64);
  for (char& c : stream) {
    const bool allowed =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    if (!allowed) c = '_';
  }
  std::string wall = time_text(frame.stamp.wall);
  std::erase_if(wall, [](char c) { return c == '-' || c == ':'; });
  const double seconds = std::chrono::duration<double>(frame.stamp.pts).count();
  return format("{:06}-{:02}-{}-{:09.3f}s-{}.png", answer, frame_number, stream, seconds, wall);
}

// A trailing slash is removed, because behind one a link would be followed.
FrameFolder::FrameFolder(const std::filesystem::path& folder)
    : path_(folder.has_filename() ? folder : folder.parent_path()) {
  std::error_code error;
  std::filesystem::create_directories(path_, error);
  if (error)
    throw std::runtime_error("--frames-to " + path_.string() + ": cannot be made: " + error.message());
  folder_ = ::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (folder_ < 0) {
    const bool link = errno == ELOOP || std::filesystem::is_symlink(path_, error);
    throw std::runtime_error("--frames-to " + path_.string() + ": " +
                             (link ? "is a link; give the folder itself" : std::strerror(errno)));
  }
  if (::faccessat(folder_, ".", W_OK, 0) == 0) return;
  const std::string why = std::strerror(errno);
  ::close(folder_);
  throw std::runtime_error("--frames-to " + path_.string() + ": cannot be written to: " + why);
}

FrameFolder::~FrameFolder() {
  ::close(folder_);
}

void FrameFolder::write(const std::string& name, const Image& image) const {
  const std::string shown = (path_ / name).string();
  const std::vector<std::byte> png = encode_png(in_8_bits(image));
  const int file =
      ::openat(folder_, name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
  if (file < 0 && errno == EEXIST)
    throw std::runtime_error(shown + ": is there already; give --frames-to another folder");
  if (file < 0) throw std::runtime_error(shown + ": cannot be written: " + std::strerror(errno));
  bool whole = write_all(file, png);
  const int fault = errno;
  whole = ::close(file) == 0 && whole;
  if (whole) return;
  ::unlinkat(folder_, name.c_str(), 0);
  throw std::runtime_error(shown + ": cannot be written: " + std::strerror(fault));
}

void FrameFolder::write(const Clip& clip) {
  ++answers_;
  std::size_t number = 0;
  for (const Frame& frame : clip.frames) write(frame_file_name(answers_, ++number, frame), frame.image);
}

}  // namespace palisade
