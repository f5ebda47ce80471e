#include "model/weights/read_ahead.h"

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <utility>

namespace palisade {
namespace {

constexpr std::size_t kMaxAhead = std::size_t(128) << 20;
// What Linux reads of one demand even where a disk's own settings are the least.
constexpr std::size_t kPiece = std::size_t(128) << 10;
constexpr std::chrono::milliseconds kPause{5};

}  // namespace

ReadAhead::ReadAhead(std::vector<std::filesystem::path> files, std::function<std::size_t()> taken)
    : thread_([files = std::move(files), taken = std::move(taken)](const std::stop_token& stop) {
        std::size_t demanded = 0;
        for (const std::filesystem::path& file : files) {
          const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
          if (descriptor < 0) continue;
          const off_t size = ::lseek(descriptor, 0, SEEK_END);
          for (off_t at = 0; at < size && !stop.stop_requested(); at += off_t(kPiece), demanded += kPiece) {
            while (demanded > taken() + kMaxAhead && !stop.stop_requested())
              std::this_thread::sleep_for(kPause);
            ::posix_fadvise(descriptor, at, off_t(kPiece), POSIX_FADV_WILLNEED);
          }
          ::close(descriptor);
        }
      }) {}

}  // namespace palisade
