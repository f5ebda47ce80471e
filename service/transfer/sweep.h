#pragma once

#include <filesystem>
#include <stop_token>
#include <vector>

#include "service/transfer/sweep_report.h"
#include "service/transfer/sweep_settings.h"

namespace palisade {

// What a sweep leaves on the disk:
//   sweep.yaml       what it tries, complete
//   run001/ ...      a folder a run, as transfer() leaves it; weights are kept of the best one so far alone,
//                    the others' come again from their recipes
//   scores.jsonl     a line a finished run
//   report.md        the table, and report.svg as a picture, anew after each run
class SweepFolder {
 public:
  explicit SweepFolder(const std::filesystem::path& path) : path_(path) {}

  // Throws UsageError where something else is there, or where it was begun and `resumed` is false.
  void require_fit(bool resumed) const;
  void begin(const SweepSettings& sweep) const;
  // Undoes begin() where no run has begun.
  void forget() const;
  SweepSettings settings() const;  // throws SettingsError too
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path run(const std::string& name) const { return path_ / name; }

  // The runs that were begun, with the scores of those that are finished.
  std::vector<SweepRun> runs() const;
  void report(const std::vector<SweepRun>& runs, const std::vector<std::string>& keys) const;

 private:
  std::filesystem::path path_;
};

struct SweepResult {
  std::vector<SweepRun> runs;
  std::vector<std::string> keys;  // the hyper-parameters that were tried
  bool stopped = false;           // before all was tried
};

// Runs what the settings say and the folder does not hold finished, each by transfer(). A run that fails is
// told and the next one comes; but where the very first one finds recipe or data wrong, its SettingsError is
// thrown and the folder is left as it was.
SweepResult sweep(const SweepSettings& settings, const SweepFolder& folder, const std::stop_token& stop);

}  // namespace palisade
