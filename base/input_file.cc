#include "base/input_file.h"

#include <algorithm>

#include "base/format.h"

namespace palisade {
namespace {

constexpr std::size_t kReadAtOnce = 1u << 16;

}  // namespace

std::size_t InputFile::read(std::span<char> into) {
  const std::size_t got = file_.read_some(at_, std::as_writable_bytes(into));
  at_ += got;
  return got;
}

LineReader::LineReader(const std::filesystem::path& path, std::size_t most_bytes)
    : file_(path), most_bytes_(most_bytes) {}

bool LineReader::next(std::string& line) {
  line.clear();
  ended_open_ = false;
  while (true) {
    const std::size_t end = buffer_.find('\n', used_);
    line.append(buffer_, used_, std::min(end, buffer_.size()) - used_);
    if (line.size() > most_bytes_)
      throw LineTooLong(
          format("{}:{}: the line is longer than {} bytes", file_.path().string(), number_ + 1, most_bytes_));
    if (end != std::string::npos) {
      used_ = end + 1;
      ++number_;
      return true;
    }
    buffer_.resize(kReadAtOnce);
    buffer_.resize(file_.read(buffer_));
    used_ = 0;
    if (!buffer_.empty()) continue;
    ended_open_ = !line.empty();
    number_ += ended_open_ ? 1 : 0;
    return ended_open_;
  }
}

}  // namespace palisade
