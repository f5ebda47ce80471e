#include "model/weights/identity.h"

#include "base/json.h"
#include "model/error.h"

namespace palisade {
namespace {

std::string text_of(const Json& json, const char* key, const std::filesystem::path& file) {
  const auto found = json.find(key);
  if (found == json.end()) return "";
  if (!found->is_string()) throw ModelError(file.string() + ": \"" + key + "\" is no string");
  return found->get<std::string>();
}

}  // namespace

ModelIdentity identify(const std::filesystem::path& folder, ResizePreset resize) {
  ModelIdentity identity;
  identity.id = std::filesystem::weakly_canonical(folder).filename().string();
  identity.resize = resize;
  const auto card = folder / "palisade.json";
  if (!std::filesystem::exists(card)) return identity;
  const Json json = read_json(card, 64u << 10);
  if (!json.is_object()) throw ModelError(card.string() + ": expected an object");
  if (const std::string id = text_of(json, "id", card); !id.empty()) identity.id = id;
  identity.notice = text_of(json, "notice", card);
  return identity;
}

}  // namespace palisade
