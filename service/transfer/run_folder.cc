#include "service/transfer/run_folder.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <fstream>
#include <sstream>

#include "base/error.h"
#include "base/format.h"
#include "base/input_file.h"
#include "base/joined.h"
#include "base/whole_file.h"
#include "model/weights/safetensors_writer.h"
#include "service/transfer/resumed_settings.h"

namespace palisade {
namespace {

namespace fs = std::filesystem;

constexpr char kRecipe[] = "recipe.yaml", kMetrics[] = "metrics.jsonl", kRemoved[] = "removed.jsonl",
               kCheckpoint[] = "checkpoint.safetensors", kBest[] = "best.safetensors",
               kInputs[] = "inputs.sha256";
constexpr char kFirst[] = "optimizer.first_moments", kSecond[] = "optimizer.second_moments",
               kGradients[] = "optimizer.gradients";
constexpr std::size_t kMaxMetric = 1u << 20;

std::string metadata_of(const SafetensorsFile& file, const char* key) {
  const auto found = file.metadata().find(key);
  if (found == file.metadata().end()) throw Error(file.path().string() + ": no checkpoint of a transfer");
  return found->second;
}

void copy_tensor(const SafetensorsFile& file, const std::string& name, std::span<float> target) {
  const TensorView& tensor = file.at(name);
  if (tensor.type != DataType::kF32 || std::size_t(tensor.element_count()) != target.size())
    throw Error(file.path().string() + ": tensor \"" + name + "\" is of another model");
  tensor.copy_to(target);
}

std::uint64_t number_of(const SafetensorsFile& file, const char* key) {
  const std::string text = metadata_of(file, key);
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size())
    throw Error(file.path().string() + ": its \"" + key + "\" is no number: it is damaged");
  return number;
}

// "LOSS_BITS EXAMPLES" of each part.
std::string part_losses_text(const std::vector<RunFolder::PartLoss>& parts) {
  std::string text;
  for (const RunFolder::PartLoss& part : parts)
    text += format("{} {} ", std::bit_cast<std::uint64_t>(part.sum), part.examples);
  return text;
}

std::vector<RunFolder::PartLoss> part_losses_of(const SafetensorsFile& file) {
  std::vector<RunFolder::PartLoss> parts;
  std::istringstream text(file.metadata().contains("part_losses") ? metadata_of(file, "part_losses") : "");
  std::uint64_t bits = 0;
  for (int examples = 0; text >> bits >> examples;) parts.push_back({std::bit_cast<double>(bits), examples});
  if (!text.eof()) throw Error(file.path().string() + ": its \"part_losses\" are no numbers: it is damaged");
  return parts;
}

std::vector<NamedFloats> trained_tensors(const Parameters& parameters) {
  std::vector<NamedFloats> tensors;
  for (const Parameters::Tensor& tensor : parameters.tensors()) {
    if (tensor.trained) tensors.push_back({tensor.spec.name, tensor.spec.shape, tensor.value});
  }
  return tensors;
}

void copy_trained_tensors(const SafetensorsFile& file, const Parameters& parameters) {
  for (const Parameters::Tensor& tensor : parameters.tensors()) {
    if (tensor.trained) copy_tensor(file, tensor.spec.name, tensor.value);
  }
}

void require_origin(const SafetensorsFile& file, const RunFolder::Origin& origin) {
  if (metadata_of(file, "data") != origin.data)
    throw Error(file.path().string() + ": was made with other examples or another model than there are now");
  if (!file.metadata().contains("recipe")) return;  // written by an earlier version
  const auto keys = differing_keys(metadata_of(file, "recipe"), origin.recipe);
  if (!keys.empty())
    throw Error(file.path().string() + ": was made with another recipe than recipe.yaml is now (" +
                joined(keys) + "); undo that, or begin another run");
}

// Makes what was written survive a power cut.
void sync_file(const fs::path& file) {
  const int descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return;
  const bool good = ::fsync(descriptor) == 0;
  ::close(descriptor);
  if (!good) throw Error(file.string() + ": cannot be written to the disk; is it full?");
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

void RunFolder::make() const {
  std::error_code error;
  fs::create_directories(path_, error);
  if (error) throw Error(path_.string() + ": cannot be made: " + error.message());
}

void RunFolder::begin(const TransferSettings& settings) const {
  make();
  std::error_code error;
  write_whole_file(path_ / kRecipe, recipe_text(settings));
  // Left by an attempt that did not reach its first checkpoint.
  fs::remove(path_ / kMetrics, error);
  fs::remove(path_ / kBest, error);
}

void RunFolder::tell_removed(const std::vector<RemovedLine>& removed) const {
  write_whole_file(path_ / kRemoved, removed_text(removed));
}

bool RunFolder::exists() const {
  std::error_code error;
  return fs::is_directory(path_, error);
}

bool RunFolder::was_begun() const {
  std::error_code error;
  return fs::exists(path_ / kRecipe, error);
}

FileHashes RunFolder::inputs() const {
  return fs::exists(path_ / kInputs) ? read_file_hashes(path_ / kInputs) : FileHashes();
}

void RunFolder::tell_inputs(const FileHashes& inputs) const {
  write_whole_file(path_ / kInputs, sha256_lines(inputs));
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

void RunFolder::save(Parameters& parameters, Optimizer& optimizer, const Origin& origin,
                     const StepPart& part) const {
  std::vector<NamedFloats> tensors = trained_tensors(parameters);
  const auto size = std::int64_t(optimizer.first_moments().size());
  tensors.push_back({kFirst, {size}, optimizer.first_moments()});
  tensors.push_back({kSecond, {size}, optimizer.second_moments()});
  std::map<std::string, std::string> metadata = {
      {"steps", std::to_string(optimizer.steps())}, {"data", origin.data}, {"recipe", origin.recipe}};
  if (part.passes > 0) {
    tensors.push_back({kGradients, {size}, parameters.gradient_block()});
    metadata["passes"] = std::to_string(part.passes);
    metadata["part_losses"] = part_losses_text(part.parts);
    metadata["loss_bits"] = std::to_string(std::bit_cast<std::uint64_t>(part.loss));
  }
  sync_file(path_ / kMetrics);
  write_safetensors(path_ / kCheckpoint, tensors, metadata);
}

RunFolder::StepPart RunFolder::resume(Parameters& parameters, Optimizer& optimizer,
                                      const Origin& origin) const {
  const SafetensorsFile file(path_ / kCheckpoint);
  require_origin(file, origin);
  copy_trained_tensors(file, parameters);
  copy_tensor(file, kFirst, optimizer.first_moments());
  copy_tensor(file, kSecond, optimizer.second_moments());
  const int steps = int(number_of(file, "steps"));
  optimizer.resume_at(steps);
  StepPart part;
  if (file.metadata().contains("passes")) {
    copy_tensor(file, kGradients, parameters.gradient_block());
    part = {int(number_of(file, "passes")), std::bit_cast<double>(number_of(file, "loss_bits")),
            part_losses_of(file)};
  }
  std::string kept;
  for (const Json& line : metrics()) {
    if (line.at("step").get<int>() <= steps) kept += line.dump() + "\n";
  }
  write_whole_file(path_ / kMetrics, kept);
  return part;
}

void RunFolder::keep_best(const Parameters& parameters, int step) const {
  write_safetensors(path_ / kBest, trained_tensors(parameters), {{"steps", std::to_string(step)}});
}

std::optional<int> RunFolder::best_step() const {
  if (!fs::exists(path_ / kBest)) return std::nullopt;
  return int(number_of(SafetensorsFile(path_ / kBest), "steps"));
}

void RunFolder::take_best(Parameters& parameters) const {
  copy_trained_tensors(SafetensorsFile(path_ / kBest), parameters);
}

void RunFolder::take_checkpoint(const RunFolder& other) const {
  // The checkpoint is renamed last: it is what a run is resumed from.
  const fs::path partial = path_ / (std::string(kCheckpoint) + ".partial");
  for (const char* const name : {kMetrics, kRemoved, kInputs, kBest}) {
    if (fs::exists(other.path_ / name))
      fs::copy_file(other.path_ / name, path_ / name, fs::copy_options::overwrite_existing);
  }
  fs::copy_file(other.path_ / kCheckpoint, partial, fs::copy_options::overwrite_existing);
  sync_file(partial);
  fs::rename(partial, path_ / kCheckpoint);
  sync_folder(path_);
}

void RunFolder::remove_weights() const {
  std::error_code error;
  fs::remove(path_ / kCheckpoint, error);
  fs::remove(path_ / kBest, error);
  fs::remove_all(model(), error);
  fs::remove_all(adapter(), error);
}

void RunFolder::append(const Json& metrics) const {
  append_line(path_ / kMetrics, metrics.dump());
}

std::vector<Json> RunFolder::metrics() const {
  std::vector<Json> all;
  if (!fs::exists(path_ / kMetrics)) return all;
  LineReader lines(path_ / kMetrics, kMaxMetric);
  for (std::string line; lines.next(line);) {
    // A killed process may leave half a line.
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
