#include "service/transfer/data_filter.h"

#include <algorithm>
#include <optional>

#include "base/format.h"
#include "base/json.h"
#include "service/settings/settings.h"
#include "service/terminal/progress.h"
#include "service/transfer/file_content.h"

namespace palisade {
namespace {

namespace fs = std::filesystem;

// Checks line by line, and remembers the lines that stay.
class LineFilter {
 public:
  explicit LineFilter(const FilterSettings& filters) : filters_(filters) {}

  // Why a line is removed; nothing where it stays.
  std::optional<RemovedLine> reason(const TransferLine& line) {
    if (auto found = by_text(line)) return found;
    const bool sized = filters_.least_side > 0 || filters_.most_side > 0 || filters_.most_aspect > 0;
    if (!sized && !filters_.same_examples && !filters_.same_pictures) return std::nullopt;
    try {
      if (auto found = by_size(line)) return found;
    } catch (const std::exception& error) {
      return removed(line, "unreadable", error.what());
    }
    return by_duplicate(line);
  }

 private:
  struct EarlierPicture {
    std::string place;
    std::vector<fs::path> names;
  };

  static RemovedLine removed(const TransferLine& line, const std::string& reason, const std::string& detail) {
    return {line.file, line.number, reason, detail};
  }

  static std::vector<fs::path> names_of(const TransferLine& line) {
    return line.video.empty() ? line.pictures : std::vector{line.video};
  }

  std::optional<RemovedLine> by_text(const TransferLine& line) const {
    for (const auto& [part, text] : {std::pair("prefix", std::string_view(line.prefix)),
                                     std::pair("suffix", std::string_view(line.suffix))}) {
      const auto found = filters_.text.find(text);
      if (!found.empty())
        return removed(
            line, std::string(found[0].pattern),
            format("{}, bytes {} to {}", part, found[0].offset, found[0].offset + found[0].length));
    }
    return std::nullopt;
  }

  std::optional<RemovedLine> by_size(const TransferLine& line) {
    for (const fs::path& name : names_of(line)) {
      const FileContent& content = content_at(name, !line.video.empty());
      const auto [less, more] = std::minmax(content.width, content.height);
      const char* const reason = less < filters_.least_side                            ? "least_side"
                                 : filters_.most_side > 0 && more > filters_.most_side ? "most_side"
                                 : filters_.most_aspect > 0 && more > filters_.most_aspect * less
                                     ? "most_aspect"
                                     : nullptr;
      if (reason)
        return removed(line, reason,
                       format("{} x {} pixels: ", content.width, content.height) + name.string());
    }
    return std::nullopt;
  }

  std::optional<RemovedLine> by_duplicate(const TransferLine& line) {
    const std::vector<fs::path> names = names_of(line);
    std::string pictures;
    for (const fs::path& name : names) {
      const FileContent& content = contents_.at(name);
      pictures += format("{} {} {}\n", content.width, content.height, content.sha256);
    }
    const std::string example = pictures + Json{line.prefix, line.suffix}.dump();
    const auto same_example = examples_.find(example);
    if (filters_.same_examples && same_example != examples_.end())
      return removed(line, "duplicates: examples", "as " + same_example->second);
    // The same file in several lines is no duplicate: several questions may be asked about one picture.
    const auto same_pictures = pictures_.find(pictures);
    if (filters_.same_pictures && same_pictures != pictures_.end() && same_pictures->second.names != names)
      return removed(line, "duplicates: pictures", "as " + same_pictures->second.place);
    examples_.emplace(example, line.place());
    pictures_.emplace(pictures, EarlierPicture{line.place(), names});
    return std::nullopt;
  }

  const FileContent& content_at(const fs::path& name, bool video) {
    const auto known = contents_.find(name);
    if (known != contents_.end()) return known->second;
    return contents_.emplace(name, content_of(name, video)).first->second;
  }

  const FilterSettings& filters_;
  std::map<fs::path, FileContent> contents_;
  std::map<std::string, EarlierPicture> pictures_;
  std::map<std::string, std::string> examples_;  // value: "FILE:LINE"
};

}  // namespace

FilteredLines filtered(std::vector<TransferLine> lines, const FilterSettings& filters) {
  Progress progress("filters");
  LineFilter filter(filters);
  FilteredLines result;
  const double total = double(lines.size());
  for (TransferLine& line : lines) {
    if (auto removed = filter.reason(line)) {
      result.removed.push_back(*std::move(removed));
    } else {
      result.kept.push_back(std::move(line));
    }
    const std::size_t seen = result.kept.size() + result.removed.size();
    progress.show(double(seen) / total,
                  format("{} of {:.0f} examples, {} removed", seen, total, result.removed.size()));
  }
  return result;
}

FilteredLines filtered(std::vector<TransferLine> lines, const fs::path& filters) {
  const FilterSettings settings = read_filters(read_text_file(filters, 1u << 20), filters);
  FilteredLines result = filtered(std::move(lines), settings);
  if (result.kept.empty())
    throw SettingsError({filters.string() + ": leaves no example; " + summary_of(result)});
  return result;
}

std::string removed_text(const std::vector<RemovedLine>& removed) {
  std::string text;
  for (const RemovedLine& line : removed) {
    const Json json = {
        {"file", line.file.string()}, {"line", line.line}, {"reason", line.reason}, {"detail", line.detail}};
    text += json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  }
  return text;
}

std::map<std::string, int> counts_of(const std::vector<RemovedLine>& removed) {
  std::map<std::string, int> counts;
  for (const RemovedLine& line : removed) ++counts[line.reason];
  return counts;
}

std::string summary_of(const FilteredLines& lines) {
  std::string text =
      format("{} of {} examples removed", lines.removed.size(), lines.kept.size() + lines.removed.size());
  const char* separator = ": ";
  for (const auto& [reason, count] : counts_of(lines.removed)) {
    text += format("{}{} {}", separator, reason, count);
    separator = ", ";
  }
  return text;
}

}  // namespace palisade
