#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace palisade::fuzz {

// What a target is given: bytes of anybody's making.
using Input = std::span<const std::uint8_t>;

// One reader of untrusted bytes. `run` reads them as the product would; the errors that the reader promises
// end there, and everything else that is thrown, or goes wrong in memory, is a finding.
struct Target {
  std::string_view name;
  void (*run)(Input);
};
std::span<const Target> targets();

inline std::string_view text_of(Input input) {
  return {reinterpret_cast<const char*>(input.data()), input.size()};
}

// A folder of this process for readers that want files; gone at the end.
const std::filesystem::path& folder();
// The same file of it every time, holding these bytes now.
std::filesystem::path file_of(std::string_view name, Input input);

}  // namespace palisade::fuzz
