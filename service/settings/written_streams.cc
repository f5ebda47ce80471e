#include "service/settings/written_streams.h"

#include <algorithm>

#include "base/json.h"
#include "service/settings/settings_tree.h"

namespace palisade {
namespace {

std::filesystem::path folder_of_streams(const std::filesystem::path& state_folder) {
  return state_folder / "streams.d";
}

}  // namespace

std::filesystem::path written_stream_file(const std::filesystem::path& state_folder,
                                          const std::string& name) {
  return folder_of_streams(state_folder) / (name + ".yaml");
}

std::vector<WrittenStream> written_streams(const std::filesystem::path& state_folder) {
  std::vector<std::filesystem::path> files;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder_of_streams(state_folder), error), end;
       !error && entry != end; entry.increment(error)) {
    if (entry->path().extension() == ".yaml") files.push_back(entry->path());
  }
  std::ranges::sort(files);
  std::vector<WrittenStream> streams;
  for (const auto& file : files) streams.push_back({file.string(), read_text_file(file, kMaxYamlBytes)});
  return streams;
}

}  // namespace palisade
