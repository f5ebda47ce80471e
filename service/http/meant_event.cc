#include "service/http/meant_event.h"

#include "base/error.h"
#include "base/format.h"

namespace palisade {

std::filesystem::path journal_folder(const HttpApi& api) {
  const auto folder = api.backend.journal();
  if (!folder)
    throw Unavailable("this service keeps no journal (journal: off), so there are no events to look at");
  return *folder;
}

MeantEvent meant_event(HttpApi& api, const HttpExchange& exchange, const std::string& id,
                       const std::string& param) {
  MeantEvent meant{.folder = journal_folder(api), .stored = {}, .event = {}};
  try {
    meant.stored = EventQuery(meant.folder).event(id);
    meant.event = parse_json(meant.stored.body, meant.stored.topic);
    if (exchange.holder().may_see(meant.event.value("subject", ""))) return meant;
  } catch (const Error&) {
    // There is none, or several; told below, as an event of another's stream is.
  }
  throw HttpFault({.status = 404,
                   .message = format("there is no event '{}'", id.substr(0, 64)),
                   .code = "not_found",
                   .param = param});
}

}  // namespace palisade
