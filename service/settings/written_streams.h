#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace palisade {

// A stream that was added while the service ran: STATE/streams.d/NAME.yaml, one map as those of `streams`. It
// takes the place of a stream of that name in the configuration.
struct WrittenStream {
  std::string file;
  std::string text;
};

std::filesystem::path written_stream_file(const std::filesystem::path& state_folder, const std::string& name);
// All of them, by name. Throws Error where one cannot be read.
std::vector<WrittenStream> written_streams(const std::filesystem::path& state_folder);

}  // namespace palisade
