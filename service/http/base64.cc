#include "service/http/base64.h"

#include <sodium.h>

namespace palisade {

std::string base64_of(std::string_view bytes) {
  // The length counts the NUL at the end.
  std::string text(sodium_base64_encoded_len(bytes.size(), sodium_base64_VARIANT_ORIGINAL), '\0');
  sodium_bin2base64(text.data(), text.size(), reinterpret_cast<const unsigned char*>(bytes.data()),
                    bytes.size(), sodium_base64_VARIANT_ORIGINAL);
  text.pop_back();
  return text;
}

std::optional<std::vector<unsigned char>> bytes_of_base64(std::string_view text) {
  std::vector<unsigned char> bytes(text.size() / 4 * 3 + 3);
  std::size_t size = 0;
  if (text.empty() || sodium_base642bin(bytes.data(), bytes.size(), text.data(), text.size(), nullptr, &size,
                                        nullptr, sodium_base64_VARIANT_ORIGINAL) != 0)
    return std::nullopt;
  bytes.resize(size);
  return bytes;
}

std::string jpeg_url(std::string_view jpeg) {
  return "data:image/jpeg;base64," + base64_of(jpeg);
}

}  // namespace palisade
