#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "base/format.h"
#include "base/json.h"
#include "base/log.h"
#include "model/adapters/merged_model.h"
#include "model/config/config_keys.h"
#include "model/config/model_config.h"
#include "model/join/joined_model.h"
#include "model/paligemma/paligemma.h"
#include "model/siglip/siglip.h"
#include "model/weights/weight_files.h"
#include "service/bench/memory.h"
#include "service/commands/command.h"
#include "service/commands/model_flags.h"
#include "service/terminal/output.h"
#include "service/verify/verify.h"

namespace palisade {
namespace {

namespace fs = std::filesystem;

struct InspectOptions {
  std::string path;
  bool json = false;
};

struct VerifyOptions {
  std::string root;
  std::vector<std::string> cases;
  std::string precision = "f32";
  std::string adapter;
  bool json = false;
};

std::string with_thousands(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (int at = int(text.size()) - 3; at > 0; at -= 3) text.insert(std::size_t(at), ",");
  return text;
}

double in_gigabytes(double bytes) {
  return bytes / 1e9;
}

// Bytes of all weights by precision; `memory` maps the bytes of one weight to those of all.
template <typename Memory>
Json memory_by_precision(const Memory& memory) {
  return {{"f32", memory(4.0)}, {"bf16", memory(2.0)}, {"int8", memory(1.0)}};
}

Json description(const ModelConfig& config, const fs::path& path) {
  const TextConfig& text = config.text;
  const VisionConfig& vision = config.vision;
  return {{"path", path.string()},
          {"family", text.architecture == TextArchitecture::kGemma ? "PaliGemma" : "PaliGemma 2"},
          {"parameters", config.parameter_count()},
          {"image_size", vision.image_size},
          {"patch_size", vision.patch_size},
          {"image_tokens", config.image_tokens()},
          {"vision",
           {{"width", vision.width},
            {"layers", vision.layers},
            {"heads", vision.heads},
            {"mlp", vision.mlp_width}}},
          {"text",
           {{"architecture", name_of(text.architecture)},
            {"width", text.width},
            {"layers", text.layers},
            {"heads", text.heads},
            {"kv_heads", text.kv_heads},
            {"head_dim", text.head_dim},
            {"mlp", text.mlp_width},
            {"vocabulary", text.vocabulary},
            {"max_positions", text.max_position_embeddings}}},
          {"head", text.own_head ? "of its own" : "tied to the embedding"},
          {"image_token", config.image_token},
          {"eos_tokens", config.eos_tokens},
          {"memory_bytes", memory_by_precision([&](double bytes) { return weight_memory(config, bytes); })},
          {"kv_bytes_per_position_f32", std::uint64_t(8) * text.layers * text.kv_heads * text.head_dim}};
}

Json description(const SiglipConfig& config, const fs::path& path) {
  const SiglipTextConfig& text = config.text;
  const VisionConfig& vision = config.vision;
  return {{"path", path.string()},
          {"family", "SigLIP"},
          {"notice", "scores texts against a picture: palisade similar --model"},
          {"parameters", config.parameter_count()},
          {"image_size", vision.image_size},
          {"patch_size", vision.patch_size},
          {"vision",
           {{"width", vision.width},
            {"layers", vision.layers},
            {"heads", vision.heads},
            {"mlp", vision.mlp_width}}},
          {"text",
           {{"width", text.width},
            {"layers", text.layers},
            {"heads", text.heads},
            {"mlp", text.mlp_width},
            {"vocabulary", text.vocabulary},
            {"max_positions", text.positions}}},
          {"memory_bytes",
           memory_by_precision([&](double bytes) { return bytes * double(config.parameter_count()); })}};
}

void print_description(const Json& about) {
  const auto line = [](const char* name, const std::string& value) {
    std::printf("%-14s %s\n", name, value.c_str());
  };
  const auto number = [](const Json& value) { return with_thousands(value.get<std::uint64_t>()); };
  line("model", about["path"].get<std::string>());
  if (about.contains("id")) line("id", about["id"].get<std::string>());
  if (about.contains("notice")) line("note", about["notice"].get<std::string>());
  const Json architecture = about["text"].value("architecture", Json());
  line("family", about["family"].get<std::string>() +
                     (architecture.is_string() ? " (SigLIP + " + architecture.get<std::string>() + ")" : ""));
  line("parameters", number(about["parameters"]));
  line("resolution", about["image_size"].dump() + " x " + about["image_size"].dump() + ", patch " +
                         about["patch_size"].dump());
  if (about.contains("image_tokens")) line("image tokens", number(about["image_tokens"]) + " an image");
  const auto part = [](const Json& section) {
    std::string text;
    for (const auto& [key, value] : section.items()) {
      if (value.is_number()) text += (text.empty() ? "" : ", ") + key + " " + value.dump();
    }
    return text;
  };
  line("vision", part(about["vision"]));
  line("text", part(about["text"]));
  for (const char* precision : {"f32", "bf16", "int8"}) {
    line(precision,
         format("{:.2f} GB of weights", in_gigabytes(about["memory_bytes"][precision].get<double>())));
  }
  if (about.contains("kv_bytes_per_position_f32"))
    line("KV cache", number(about["kv_bytes_per_position_f32"]) + " bytes a position (f32)");
  if (about.contains("head")) line("head", about["head"].get<std::string>());
  if (about.contains("weights")) line("weights", about["weights"].get<std::string>());
  for (const Json& key : about.value("unknown_keys", Json::array()))
    line("left aside", key.get<std::string>() + ": neither Palisade nor transformers knows this key");
}

// Opening a model has checked all headers and offsets; loading it has checked names and shapes.
void add_weights(Json& about, const ModelIdentity& identity, const std::vector<fs::path>& weight_files) {
  about["id"] = identity.id;
  if (!identity.notice.empty()) about["notice"] = identity.notice;
  std::string files;
  for (const fs::path& file : weight_files) files += (files.empty() ? "" : ", ") + file.filename().string();
  about["weights"] = files + ": every tensor is there and has its shape";
}

// Keys may be unknown because they are misspelled or newer than this version.
void add_unknown_keys(Json& about, const fs::path& folder) {
  const auto unknown = unknown_keys(folder);
  if (!unknown.empty()) about["unknown_keys"] = unknown;
}

int inspect(const InspectOptions& options) {
  const fs::path path = options.path;
  const bool siglip = is_siglip(path);
  Json about =
      siglip ? description(read_siglip_config(path), path) : description(read_model_config(path), path);
  if (fs::is_directory(path) && siglip) {
    const Siglip model(path);
    add_weights(about, model.identity(), paths_of(model.weight_files()));
    add_unknown_keys(about, path);
  } else if (fs::is_directory(path)) {
    // Loaded in the precision that needs the least memory.
    const PaliGemma model(path, SlidingWindow::kTransformers, precisions_here().back());
    about = description(model.config(), path);
    add_weights(about, model.identity(), paths_of(model.weight_files()));
    add_unknown_keys(about, path);
  }
  if (options.json) {
    std::printf("%s\n", about.dump().c_str());
  } else {
    print_description(about);
  }
  return kDone;
}

void print_check(const Check& check, bool json) {
  if (json) {
    Json line = {{"case", check.case_name}, {"tensor", check.tensor}};
    if (!check.skipped.empty()) {
      line["skipped"] = check.skipped;
    } else {
      // JSON has no NaN and no infinity.
      line["max_abs"] = check.max_abs <= 1e300 ? Json(check.max_abs) : Json();
      line["tolerance"] = check.tolerance;
      line["ok"] = check.ok;
    }
    std::printf("%s\n", line.dump(-1, ' ', true, Json::error_handler_t::replace).c_str());
  } else if (!check.skipped.empty()) {
    std::printf("skipped  %s  %s: %s\n", check.case_name.c_str(), check.tensor.c_str(),
                check.skipped.c_str());
  } else {
    std::printf("%-7s  %s  %s  %.2g (tolerance %.2g)\n", check.ok ? "ok" : "FAILED", check.case_name.c_str(),
                check.tensor.c_str(), check.max_abs, check.tolerance);
  }
  std::fflush(stdout);
}

int run_verification(const VerifyOptions& options) {
  VerificationReport report([&](const Check& check) { print_check(check, options.json); });
  PrecisionChoice precision;
  read_precision(options.precision, precision);
  verify(options.root, options.cases,
         {.precision = precision.value_or(Precision::kF32), .adapter = options.adapter}, report);
  if (options.json) {
    const Json counts = {{"checks", report.passed() + report.failed()},
                         {"passed", report.passed()},
                         {"failed", report.failed()},
                         {"skipped", report.skipped()}};
    std::printf("%s\n", counts.dump().c_str());
  } else {
    std::printf("%d passed, %d failed, %d skipped\n", report.passed(), report.failed(), report.skipped());
  }
  return report.failed() == 0 ? kDone : kFailed;
}

struct MergeOptions {
  std::string model, adapter, output, weights, id;
};

// Without a slash at its end, which would name a file in it.
fs::path folder_to_write(const std::string& output) {
  return (fs::absolute(output).lexically_normal() / "").parent_path();
}

int merge(const MergeOptions& options) {
  const fs::path model = options.model.empty() ? demo_model_folder() : fs::path(options.model);
  const fs::path target = folder_to_write(options.output);
  const std::string id = options.id.empty() ? target.filename().string() : options.id;
  std::optional<DataType> type;
  if (!options.weights.empty()) type = options.weights == "bf16" ? DataType::kBf16 : DataType::kF32;
  log_info("merging " + options.adapter + " into " + model.string());
  write_merged_model(model, options.adapter, target, id, type);
  print_line(options.output);
  return kDone;
}

void add_merge(CLI::App& model_command, Run& run) {
  const auto options = std::make_shared<MergeOptions>();
  CLI::App* const command =
      model_command.add_subcommand("merge", "Write a model folder that has an adapter in its weights");
  command->add_option("OUT", options->output, "Folder to write; must not be there yet")->required();
  command
      ->add_option("--model", options->model, "Model folder in Hugging Face layout; default: the demo model")
      ->envname("PALISADE_MODEL")
      ->type_name("DIR");
  command
      ->add_option("--adapter", options->adapter,
                   "Folder of a LoRA, as PEFT or `palisade transfer --lora-rank` writes it")
      ->envname("PALISADE_ADAPTER")
      ->type_name("DIR")
      ->required();
  command
      ->add_option("--weights", options->weights,
                   "Number format of the file's weights; default: bf16 where the model's are, else f32")
      ->check(CLI::IsMember({"f32", "bf16"}));
  command->add_option("--id", options->id, "Name by which events know the model; default: OUT's")
      ->type_name("NAME");
  command->footer(
      "\nExample:\n"
      "  palisade model merge gate-model --model paligemma2-3b-pt-224 --adapter runs/gate/adapter\n"
      "\nThe folder is read by palisade and transformers; answers are those of the model with the adapter "
      "beside it.");
  command->callback([&run, options] { run = [options] { return merge(*options); }; });
}

struct JoinOptions {
  std::string vision, language, output, id;
  std::uint64_t seed = 0;
};

int join(const JoinOptions& options) {
  const fs::path target = folder_to_write(options.output);
  log_info("joining " + options.vision + " and " + options.language);
  write_joined_model({.vision = options.vision, .language = options.language, .seed = options.seed}, target,
                     options.id.empty() ? target.filename().string() : options.id);
  print_line(options.output);
  return kDone;
}

void add_join(CLI::App& model_command, Run& run) {
  const auto options = std::make_shared<JoinOptions>();
  CLI::App* const command = model_command.add_subcommand(
      "join", "Make a PaliGemma of a SigLIP and a Gemma, as its training begins (stage 0 to stage 1)");
  command
      ->add_option("--vision", options->vision,
                   "Folder of a SigLIP of fixed resolution, whose image size and positions are kept")
      ->type_name("DIR")
      ->required();
  command->add_option("--language", options->language, "Folder of a Gemma 1 or 2, with its tokenizer.model")
      ->type_name("DIR")
      ->required();
  command->add_option("--out", options->output, "Folder to write; must not be there yet")
      ->type_name("DIR")
      ->required();
  command->add_option("--seed", options->seed, "Of the rows that the new tokens begin with")
      ->capture_default_str();
  command->add_option("--id", options->id, "Name by which events know the model; default: the folder's")
      ->type_name("NAME");
  command->footer(
      "\nExamples:\n"
      "  palisade model join --vision siglip-so400m-patch14-224 --language gemma-2b --out stage0\n"
      "  palisade transfer configs/recipes/stage1_224.yaml --model stage0 --mixture mixture.yaml --run "
      "runs/stage1\n"
      "\nThe weights are copied, in f32. The projection begins as zeros, so that pictures change nothing at "
      "first, and the <loc> and <seg> tokens with rows of N(0, 0.02^2), as big_vision has them.");
  command->callback([&run, options] { run = [options] { return join(*options); }; });
}

}  // namespace

void add_model(CLI::App& app, Run& run) {
  CLI::App* const command =
      app.add_subcommand("model", "Look at a model folder, or check the engine against golden data");
  command->require_subcommand(1);

  const auto inspected = std::make_shared<InspectOptions>();
  CLI::App* const inspect_command = command->add_subcommand(
      "inspect",
      "What a checkpoint is: family, parameters, resolution, tokens an image, memory by precision");
  inspect_command
      ->add_option("DIR", inspected->path, "Model folder, whose weights are read too, or a config.json alone")
      ->required();
  inspect_command->add_flag("--json", inspected->json, "Print one JSON line");
  inspect_command->footer(
      "Examples:\n"
      "  palisade model inspect paligemma-3b-mix-224/config.json\n"
      "  palisade model inspect paligemma-3b-mix-224 --json\n");
  inspect_command->callback([&run, inspected] { run = [inspected] { return inspect(*inspected); }; });

  const auto verified = std::make_shared<VerifyOptions>();
  CLI::App* const verify_command = command->add_subcommand(
      "verify", "Compare with reference data tensor by tensor; exit code 1 when any check fails");
  verify_command->add_option("FOLDER", verified->root, "Folder of golden data: models/, images/, cases/")
      ->required();
  verify_command->add_option("CASE", verified->cases,
                             "Cases, by path or its end, such as resize; default: all");
  verify_command
      ->add_option(
          "--precision", verified->precision,
          "Number format of the weights; bf16 may be off by 12 % of a tensor's largest value, int8 by 35 %, "
          "and chosen tokens are not compared")
      ->check(CLI::IsMember({"f32", "bf16", "int8"}))
      ->capture_default_str();
  add_adapter_flag(*verify_command, verified->adapter);
  verify_command->add_flag("--json", verified->json, "Print one JSON line a check, the counts last");
  verify_command->footer(
      "Example:\n  palisade model verify tests/golden/reference cases/paligemma1-tiny --json\n");
  verify_command->callback([&run, verified] { run = [verified] { return run_verification(*verified); }; });
  add_model_calibrate(*command, run);
  add_merge(*command, run);
  add_join(*command, run);
}

}  // namespace palisade
