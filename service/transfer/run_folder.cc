#include "service/transfer/run_folder.h"

#include <algorithm>
#include <fstream>

#include "model/safetensors_writer.h"
#include "model/whole_file.h"
#include "service/command_line.h"

namespace palisade {
namespace {

namespace fs = std::filesystem;

constexpr char kRecipe[] = "recipe.yaml", kMetrics[] = "metrics.jsonl", kRemoved[] = "removed.jsonl",
               kCheckpoint[] = "checkpoint.safetensors";
constexpr char kFirst[] = "optimizer.first_moments", kSecond[] = "optimizer.second_moments";

std::string metadata_of(const SafetensorsFile& file, const char* key) {
  const auto found = file.metadata().find(key);
  if (found == file.metadata().end())
    throw ModelError(file.path().string() + ": no checkpoint of a transfer");
  return found->second;
}

void copy_tensor(const SafetensorsFile& file, const std::string& name, std::span<float> target) {
  const TensorView& tensor = file.at(name);
  if (tensor.type != DataType::kF32 || std::size_t(tensor.element_count()) != target.size())
    throw ModelError(file.path().string() + ": tensor \"" + name + "\" is of another model");
  tensor.copy_to(target);
}

}  // namespace

std::string RunFolder::name() const {
  return fs::weakly_canonical(path_).filename().string();
}

void RunFolder::require_fit(bool resumed) const {
  std::error_code error;
  if (resumed && !fs::exists(path_ / kRecipe, error))
    throw UsageError(path_.string() + ": no transfer was begun there; begin one with --run");
  if (!resumed && fs::exists(path_, error) && !fs::is_empty(path_, error))
    throw UsageError(path_.string() + ": is not empty; name another folder, or go on with --resume");
}

void RunFolder::begin(const TransferSettings& settings) const {
  std::error_code error;
  fs::create_directories(path_, error);
  if (error) throw ModelError(path_.string() + ": cannot be made: " + error.message());
  write_whole_file(path_ / kRecipe, recipe_text(settings));
  // Of an attempt that did not come to its first checkpoint.
  fs::remove(path_ / kMetrics, error);
}

void RunFolder::tell_removed(const std::vector<RemovedLine>& removed) const {
  write_whole_file(path_ / kRemoved, removed_text(removed));
}

TransferSettings RunFolder::settings() const {
  const fs::path file = path_ / kRecipe;
  TransferSettings settings;
  read_recipe(read_text_file(file, 1u << 20), file, settings);
  return settings;
}

bool RunFolder::has_checkpoint() const {
  return fs::exists(path_ / kCheckpoint);
}

void RunFolder::save(const Parameters& parameters, Optimizer& optimizer, const std::string& data) const {
  std::vector<NamedFloats> tensors;
  for (const Parameters::Tensor& tensor : parameters.tensors()) {
    if (tensor.trained) tensors.push_back({tensor.spec.name, tensor.spec.shape, tensor.value});
  }
  const auto size = std::int64_t(optimizer.first_moments().size());
  tensors.push_back({kFirst, {size}, optimizer.first_moments()});
  tensors.push_back({kSecond, {size}, optimizer.second_moments()});
  write_safetensors(path_ / kCheckpoint, tensors,
                    {{"steps", std::to_string(optimizer.steps())}, {"data", data}});
}

void RunFolder::resume(Parameters& parameters, Optimizer& optimizer, const std::string& data) const {
  const SafetensorsFile file(path_ / kCheckpoint);
  if (metadata_of(file, "data") != data)
    throw ModelError(file.path().string() +
                     ": was made with other examples or another model than there are now");
  for (const Parameters::Tensor& tensor : parameters.tensors()) {
    if (tensor.trained) copy_tensor(file, tensor.spec.name, tensor.value);
  }
  copy_tensor(file, kFirst, optimizer.first_moments());
  copy_tensor(file, kSecond, optimizer.second_moments());
  const int steps = std::stoi(metadata_of(file, "steps"));
  optimizer.resume_at(steps);
  std::string kept;
  for (const Json& line : metrics()) {
    if (line.at("step").get<int>() <= steps) kept += line.dump() + "\n";
  }
  write_whole_file(path_ / kMetrics, kept);
}

void RunFolder::take_checkpoint(const RunFolder& other) const {
  // The checkpoint last, and whole: with it the run has what it goes on from.
  const fs::path partial = path_ / (std::string(kCheckpoint) + ".partial");
  for (const char* const name : {kMetrics, kRemoved}) {
    if (fs::exists(other.path_ / name))
      fs::copy_file(other.path_ / name, path_ / name, fs::copy_options::overwrite_existing);
  }
  fs::copy_file(other.path_ / kCheckpoint, partial, fs::copy_options::overwrite_existing);
  fs::rename(partial, path_ / kCheckpoint);
}

void RunFolder::remove_weights() const {
  std::error_code error;
  fs::remove(path_ / kCheckpoint, error);
  fs::remove_all(model(), error);
}

void RunFolder::append(const Json& metrics) const {
  append_line(path_ / kMetrics, metrics.dump());
}

std::vector<Json> RunFolder::metrics() const {
  std::vector<Json> all;
  std::ifstream file(path_ / kMetrics);
  for (std::string line; std::getline(file, line);) {
    // A killed process may have left half a line.
    Json json = Json::parse(line, nullptr, false);
    if (json.is_object() && json.contains("step") && json["step"].is_number_integer())
      all.push_back(std::move(json));
  }
  return all;
}

void RunFolder::draw_curves() const {
  write_whole_file(path_ / "curves.svg", curves_of(metrics()));
}

}  // namespace palisade
