#include "service/verify/verify.h"

#include <algorithm>
#include <functional>

#include "base/error.h"

namespace palisade {
namespace {

namespace fs = std::filesystem;

struct Case {
  std::string name;  // path below root without its ending
  std::function<void(VerificationReport&)> run;
};

std::vector<fs::path> files_below(const fs::path& folder, std::string_view ending) {
  std::vector<fs::path> files;
  if (!fs::is_directory(folder)) return files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file() && entry.path().extension() == ending) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string name_below(const fs::path& root, fs::path file) {
  return fs::relative(file.replace_extension(), root).string();
}

// Finds the cases; each file of the reference data is one.
std::vector<Case> cases_of(const fs::path& root, const VerifiedModel& verified) {
  std::vector<Case> cases;
  const auto add = [&](const fs::path& file, auto verify_file) {
    cases.push_back({name_below(root, file), [root, file, verify_file](VerificationReport& report) {
                       verify_file(root, file, report);
                     }});
  };
  if (fs::exists(root / "resize" / "cases.json")) {
    cases.push_back({"resize", [root](VerificationReport& report) { verify_resize(root, report); }});
  }
  for (const fs::path& file : files_below(root / "images", ".safetensors")) add(file, verify_pixels);
  for (const fs::path& file : files_below(root / "tokenizer", ".json")) {
    if (file.stem() == "cases") add(file, verify_tokenizer);
    if (file.stem() == "processor") add(file, verify_processor);
  }
  for (const fs::path& file : files_below(root / "cases", ".json")) {
    add(file, [verified](const fs::path& below, const fs::path& one, VerificationReport& report) {
      verify_model_case(below, one, verified, report);
    });
  }
  for (const fs::path& file : files_below(root / "adapters" / "expected", ".json")) {
    if (file.stem() == "cases" || file.stem() == "batch") continue;
    add(file, [verified](const fs::path& below, const fs::path& one, VerificationReport& report) {
      verify_adapter_case(below, one, verified, report);
    });
  }
  for (const fs::path& file : files_below(root / "train", ".json")) add(file, verify_train_case);
  for (const fs::path& file : files_below(root / "segmentation", ".json")) add(file, verify_segmentation);
  return cases;
}

bool chosen(const std::string& name, const std::string& wanted) {
  return name == wanted || name.starts_with(wanted + "/") || name.ends_with("/" + wanted);
}

}  // namespace

void verify(const fs::path& root, const std::vector<std::string>& wanted, const VerifiedModel& verified,
            VerificationReport& report) {
  if (!fs::is_directory(root)) throw Error(root.string() + ": no such folder of golden data");
  const std::vector<Case> cases = cases_of(root, verified);
  if (cases.empty()) {
    throw Error(root.string() + ": holds no golden data (expected resize/, images/, tokenizer/ or cases/)");
  }
  for (const std::string& name : wanted) {
    if (std::none_of(cases.begin(), cases.end(), [&](const Case& one) { return chosen(one.name, name); })) {
      throw Error(root.string() + ": has no case \"" + name + "\"");
    }
  }
  for (const Case& one : cases) {
    const auto is_chosen = [&](const std::string& name) { return chosen(one.name, name); };
    if (!wanted.empty() && std::none_of(wanted.begin(), wanted.end(), is_chosen)) continue;
    report.begin(one.name);
    try {
      one.run(report);
    } catch (const std::exception& error) {
      report.fail("all", error.what());
    }
  }
}

}  // namespace palisade
