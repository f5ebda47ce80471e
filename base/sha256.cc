#include "base/sha256.h"

#include <openssl/evp.h>

#include <array>
#include <new>
#include <stdexcept>

namespace palisade {
namespace {

void require(bool done) {
  if (!done) throw std::runtime_error("libcrypto refused a SHA-256");
}

}  // namespace

struct Sha256::State {
  EVP_MD_CTX* hash = EVP_MD_CTX_new();
  State() {
    if (hash == nullptr) throw std::bad_alloc();
  }
  ~State() { EVP_MD_CTX_free(hash); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
  require(EVP_DigestInit_ex(state_->hash, EVP_sha256(), nullptr) == 1);
}

Sha256::~Sha256() = default;

void Sha256::add(std::span<const std::byte> bytes) {
  require(EVP_DigestUpdate(state_->hash, bytes.data(), bytes.size()) == 1);
}

std::string Sha256::hex() {
  std::array<unsigned char, 32> hash{};
  require(EVP_DigestFinal_ex(state_->hash, hash.data(), nullptr) == 1);
  std::string text;
  for (const unsigned char byte : hash) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

std::string sha256_hex(std::span<const std::byte> bytes) {
  Sha256 hash;
  hash.add(bytes);
  return hash.hex();
}

}  // namespace palisade
