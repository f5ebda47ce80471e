#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>

namespace palisade {

// Recognises a local file of an unsupported format by its first bytes (a few hundred are best) and says what
// to do: "a HEIC picture: make it a JPEG, PNG or WebP". Nothing if the format is unknown or may be a
// supported one.
std::optional<std::string> refused_file(std::span<const std::byte> start);
// The same for the file at `path`; nothing if it cannot be read.
std::optional<std::string> refused_file(const std::filesystem::path& path);

// The same where only a picture will do: films are refused as well.
std::optional<std::string> refused_picture(std::span<const std::byte> start);

}  // namespace palisade
