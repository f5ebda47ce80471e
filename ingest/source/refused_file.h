#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>

namespace palisade {

// What a file of this machine is that Palisade reads nothing of, and what to do, told by its first bytes
// (some hundreds serve best): "a HEIC picture: make it a JPEG, PNG or WebP". Nothing where they might be a
// picture or a film that is read, or are none that is known.
std::optional<std::string> refused_file(std::span<const std::byte> start);
// The same of a file's own first bytes; nothing where it cannot be read.
std::optional<std::string> refused_file(const std::filesystem::path& path);

// The same where a picture is wanted: films are refused as well.
std::optional<std::string> refused_picture(std::span<const std::byte> start);

}  // namespace palisade
