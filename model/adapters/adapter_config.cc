#include "model/adapters/adapter_config.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <optional>
#include <set>

#include "base/format.h"
#include "base/json.h"
#include "model/error.h"

namespace palisade {
namespace {

using OrderedJson = nlohmann::ordered_json;

constexpr std::size_t kMaxConfigBytes = 1u << 20;
constexpr std::size_t kMaxPatterns = 1000;
constexpr int kMaxRank = 1 << 16;

// Read here, or of no matter once an adapter is trained, whatever they hold.
const std::set<std::string> kKnown = {
    "peft_type", "r", "lora_alpha", "use_rslora", "rank_pattern", "alpha_pattern", "target_modules",
    "modules_to_save", "init_lora_weights",
    // The tensors say it.
    "bias", "lora_bias", "layers_to_transform", "layers_pattern", "exclude_modules",
    // PEFT itself takes it back for linear layers.
    "fan_in_fan_out",
    // Of training, of a hub, or of the program that wrote it.
    "lora_dropout", "inference_mode", "task_type", "auto_mapping", "base_model_name_or_path", "revision",
    "peft_version", "megatron_core", "qalora_group_size", "loftq_config", "eva_config"};

// Plain LoRA whatever A and B began as. Others change the base's weights as they are loaded.
const std::set<std::string> kPlainBeginnings = {"gaussian", "eva", "orthogonal", "mica", "true", "false"};

bool is_set(const OrderedJson& value) {
  if (value.is_null() || (value.is_boolean() && !value.get<bool>())) return false;
  if (value.is_string()) return !value.get_ref<const std::string&>().empty();
  return !(value.is_structured() && value.empty());
}

// ConfigFields of one file.
class ConfigFields {
 public:
  ConfigFields(OrderedJson json, std::string file) : json_(std::move(json)), file_(std::move(file)) {}

  [[noreturn]] void fail(const std::string& why) const { throw ModelError(file_ + ": " + why); }
  const OrderedJson& all() const { return json_; }
  const OrderedJson* find(const char* name) const {
    const auto found = json_.find(name);
    return found == json_.end() || found->is_null() ? nullptr : &*found;
  }
  bool flag(const char* name) const {
    const OrderedJson* const value = find(name);
    if (value != nullptr && !value->is_boolean()) fail(format("\"{}\" is neither true nor false", name));
    return value != nullptr && value->get<bool>();
  }
  int rank(const OrderedJson& value, const std::string& name) const {
    if (!value.is_number_integer() || value.get<double>() < 1 || value.get<double>() > kMaxRank)
      fail(format("{} is {}; a rank is a whole number from 1 to {}", name, value.dump(), kMaxRank));
    return value.get<int>();
  }
  double alpha(const OrderedJson& value, const std::string& name) const {
    if (!value.is_number() || !std::isfinite(value.get<double>()))
      fail(format("{} is {}; expected a number", name, value.dump()));
    return value.get<double>();
  }
  // Texts of a list; nothing where the field is no list of them.
  std::optional<std::vector<std::string>> texts(const char* name) const {
    const OrderedJson* const value = find(name);
    if (value == nullptr || !value->is_array()) return std::nullopt;
    std::vector<std::string> texts;
    for (const OrderedJson& one : *value) {
      if (!one.is_string()) fail(format("\"{}\" holds {}; expected names", name, one.dump()));
      texts.push_back(one.get<std::string>());
    }
    return texts;
  }
  template <typename Value, typename Read>
  std::vector<std::pair<ModulePattern, Value>> patterns(const char* name, const Read& read) const {
    std::vector<std::pair<ModulePattern, Value>> patterns;
    const OrderedJson* const value = find(name);
    if (value == nullptr) return patterns;
    if (!value->is_object() || value->size() > kMaxPatterns)
      fail(format("\"{}\" is no object of at most {} patterns", name, kMaxPatterns));
    for (const auto& [pattern, number] : value->items())
      patterns.emplace_back(ModulePattern(pattern, format("{}: \"{}\"", file_, name)),
                            read(number, format("\"{}\" of \"{}\"", pattern, name)));
    return patterns;
  }

 private:
  OrderedJson json_;
  std::string file_;
};

ConfigFields read_fields(const std::filesystem::path& file) {
  const std::string text = read_text_file(file, kMaxConfigBytes);
  // Checks everything but the order of keys, which it loses.
  if (!parse_json(text, file.string()).is_object())
    throw ModelError(file.string() + ": is no JSON object, as PEFT writes");
  return {OrderedJson::parse(text), file.string()};
}

void require_plain_lora(const ConfigFields& fields) {
  const OrderedJson* const type = fields.find("peft_type");
  if (type == nullptr || !type->is_string()) fields.fail("has no \"peft_type\"; an adapter's is \"LORA\"");
  if (*type != "LORA")
    fields.fail("is of peft_type " + type->get<std::string>() +
                "; Palisade reads LORA alone: train a LoRA, or merge this one in Python "
                "(peft: merge_and_unload()) and give the merged folder");
  if (const OrderedJson* const begun = fields.find("init_lora_weights")) {
    const std::string name = begun->is_string() ? begun->get<std::string>() : begun->dump();
    if (!kPlainBeginnings.contains(name))
      fields.fail("\"init_lora_weights\" is " + name +
                  ", which changes the model's own weights as the adapter is loaded, and the folder does not "
                  "hold them; save it with peft's path_initial_model_for_weight_conversion, which makes it a "
                  "plain LoRA");
  }
  for (const auto& [name, value] : fields.all().items()) {
    if (!kKnown.contains(name) && is_set(value))
      fields.fail("\"" + name +
                  "\" is set, and Palisade reads plain LoRA alone; merge the adapter in Python (peft: "
                  "merge_and_unload()) and give the merged folder");
  }
}

bool ends_in(std::string_view path, std::string_view module) {
  return path == module || (path.size() > module.size() && path.ends_with(module) &&
                            path[path.size() - module.size() - 1] == '.');
}

// The outermost module that is `saved`, as PEFT asks (its path ends so), of those that this path is in;
// empty: none.
std::string_view outermost(std::string_view path, std::string_view saved) {
  for (std::size_t end = 0; end != std::string_view::npos && end < path.size();) {
    end = path.find('.', end + 1);
    if (path.substr(0, end).ends_with(saved)) return path.substr(0, end);
  }
  return {};
}

std::string joined_names(const std::vector<std::string>& names) {
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "" : ", ") + name;
  return all;
}

template <typename Value>
Value first_match(const std::vector<std::pair<ModulePattern, Value>>& patterns, std::string_view path,
                  Value otherwise) {
  for (const auto& [pattern, value] : patterns) {
    if (pattern.matches_end(path)) return value;
  }
  return otherwise;
}

}  // namespace

AdapterConfig::AdapterConfig(const std::filesystem::path& file) : file_(file.string()) {
  const ConfigFields fields = read_fields(file);
  require_plain_lora(fields);
  const auto read_rank = [&](const OrderedJson& value, const std::string& name) {
    return fields.rank(value, name);
  };
  const auto read_alpha = [&](const OrderedJson& value, const std::string& name) {
    return fields.alpha(value, name);
  };
  if (const OrderedJson* const r = fields.find("r")) rank_ = fields.rank(*r, "\"r\"");
  if (const OrderedJson* const alpha = fields.find("lora_alpha"))
    alpha_ = fields.alpha(*alpha, "\"lora_alpha\"");
  rank_stabilised_ = fields.flag("use_rslora");
  ranks_ = fields.patterns<int>("rank_pattern", read_rank);
  alphas_ = fields.patterns<double>("alpha_pattern", read_alpha);
  if (const auto list = fields.texts("target_modules")) {
    targets_ = *list;
  } else if (const OrderedJson* const text = fields.find("target_modules")) {
    if (!text->is_string()) fields.fail("\"target_modules\" is neither a list of names nor a pattern");
    target_pattern_ = text->get<std::string>();
  }
  if (const auto list = fields.texts("modules_to_save")) saved_ = *list;
}

int AdapterConfig::rank(std::string_view path) const {
  return first_match(ranks_, path, rank_);
}

double AdapterConfig::scale(std::string_view path) const {
  const double rank_of_path = rank(path);
  return first_match(alphas_, path, alpha_) / (rank_stabilised_ ? std::sqrt(rank_of_path) : rank_of_path);
}

void AdapterConfig::require_targets(const std::vector<std::string>& paths) const {
  const std::string named = targets_.empty() ? target_pattern_ : joined_names(targets_);
  if (named.empty() || named == "all-linear") return;
  std::optional<ModulePattern> pattern;
  try {
    if (targets_.empty()) pattern.emplace(target_pattern_, file_);
  } catch (const ModelError&) {
    return;  // Python's own syntax; the tensors say it
  }
  for (const std::string& path : paths) {
    const auto names = [&](const std::string& target) { return ends_in(path, target); };
    if (pattern ? pattern->matches(path) : std::ranges::any_of(targets_, names)) continue;
    throw ModelError(file_ + ": \"target_modules\" (" + named + ") does not name " + path +
                     ", which has tensors; bring both files of one adapter");
  }
}

std::string AdapterConfig::saved_module(std::string_view path) const {
  std::string_view module;
  for (const std::string& saved : saved_) {
    const std::string_view found = outermost(path, saved);
    if (module.empty() || (!found.empty() && found.size() < module.size())) module = found;
  }
  return std::string(module);
}

void AdapterConfig::require_saved(const std::vector<std::string>& paths) const {
  for (const std::string& saved : saved_) {
    const auto is_in = [&](const std::string& path) { return !outermost(path, saved).empty(); };
    if (std::ranges::none_of(paths, is_in))
      throw ModelError(file_ + ": \"modules_to_save\" names " + saved +
                       ", of which the folder holds no tensors; save the adapter anew");
  }
}

}  // namespace palisade
