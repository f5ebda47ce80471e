#include "service/settings/secret_file.h"

#include "base/error.h"
#include "base/input_file.h"
#include "base/log.h"

namespace palisade {
namespace {

constexpr std::size_t kMaxSecretBytes = 64u << 10;

}  // namespace

std::string read_secret_file(const std::filesystem::path& path) {
  InputFile file(path);
  std::string text(kMaxSecretBytes + 1, '\0');
  text.resize(file.read(text));
  const auto fail = [&](const char* why) { throw Error(path.string() + ": " + why); };
  if (text.size() > kMaxSecretBytes) fail("is larger than 64 KiB: it holds one line");
  if (text.find('\0') != std::string::npos) fail("holds zero bytes: save it as UTF-8 text");
  if (text.starts_with("\xef\xbb\xbf")) text.erase(0, 3);
  text.resize(std::min(text.find('\n'), text.size()));
  if (text.ends_with('\r')) text.pop_back();
  if (text.empty()) fail("its first line is empty: it holds the secret in one line");
  if (text.find('\r') != std::string::npos) fail("holds a carriage return: write one line");
  if (file.readable_by_everybody())
    log_warning(path.string() + ": everybody on this machine may read it; chmod 600 keeps it secret");
  return text;
}

}  // namespace palisade
