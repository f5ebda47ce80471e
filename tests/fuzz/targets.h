#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace palisade::fuzz {

// The input of a target: arbitrary bytes.
using Input = std::span<const std::uint8_t>;

// One reader of untrusted bytes. `run` reads them like the product and catches the errors that the reader
// promises. Every other exception and every memory error is a finding.
struct Target {
  std::string_view name;
  void (*run)(Input);
};
std::span<const Target> targets();

inline std::string_view text_of(Input input) {
  return {reinterpret_cast<const char*>(input.data()), input.size()};
}

// A temporary folder of this process for readers that need files.
const std::filesystem::path& folder();
// Writes the bytes to a file in this folder, always the same one.
std::filesystem::path file_of(std::string_view name, Input input);

}  // namespace palisade::fuzz
