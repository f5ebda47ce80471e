// Readers of configurations, of examples and of what ZeroMQ peers send.
#include <algorithm>

#include "base/json.h"
#include "service/events/event_line.h"
#include "service/events/event_tracker.h"
#include "service/events/replay_request.h"
#include "service/journal/event_row.h"
#include "service/settings/settings.h"
#include "service/transfer/data_filter.h"
#include "service/transfer/sweep_settings.h"
#include "service/transfer/transfer_lines.h"
#include "service/transfer/transfer_settings.h"
#include "service/zeromq/control_request.h"
#include "service/zeromq/peer_judge.h"
#include "tasks/events/decoding_evidence.h"
#include "tests/fuzz/readers.h"

namespace palisade::fuzz {

void settings(Input input) {
  const std::string_view text = text_of(input);
  const auto refused = [](auto&& read) {
    try {
      read();
    } catch (const SettingsError& error) {
      if (error.problems().empty()) __builtin_trap();
    }
  };
  refused([&] { (void)summary_of(parse_settings(text, "palisade.yaml")); });
  refused([&] {
    TransferSettings recipe;
    read_recipe(text, folder() / "recipe.yaml", recipe);
    (void)recipe_text(recipe);
  });
  refused([&] {
    SweepSettings sweep;
    read_sweep(text, folder() / "sweep.yaml", sweep);
    (void)sweep_text(sweep);
  });
  refused([&] { (void)read_filters(text, folder() / "filters.yaml"); });
}

void examples(Input input) {
  LineProblems problems;
  try {
    const std::vector<TransferLine> lines = read_transfer_lines(file_of("examples.jsonl", input), problems);
    for (const TransferLine& line : lines) (void)line.place();
  } catch (const SettingsError&) {
  }
}

// A ZeroMQ peer's bytes, in pieces of the size that the first byte states.
void peers(Input input) {
  if (input.empty()) return;
  constexpr ZmtpLimits kLimits{.message_bytes = 300, .parts = 4};
  ZmtpReader reader(kLimits, {"SUB", "REQ"});
  const std::string_view bytes = text_of(input.subspan(1));
  const std::size_t piece = 1 + input[0];
  try {
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      reader.take(bytes.substr(at, piece));
      while (const auto item = reader.next()) {
        std::size_t size = 0;
        for (const std::string& part : item->parts) size += part.size();
        if (item->command.empty() && (size > kLimits.message_bytes || item->parts.size() > kLimits.parts))
          __builtin_trap();
      }
    }
  } catch (const ZmtpFault&) {
  }
  for (const bool encrypted : {false, true}) {
    ZmtpLimits limits = kLimits;
    limits.encrypted = encrypted;
    PeerJudge judge({.name = "", .peer_types = {"SUB"}, .message = limits, .only_subscribes = true});
    try {
      for (std::size_t at = 0; at < bytes.size(); at += piece) judge.take(bytes.substr(at, piece), {});
    } catch (const ZmtpFault&) {
    }
  }
}

void control(Input input) {
  try {
    (void)control_request_of(std::string(text_of(input)));
  } catch (const Error&) {
  }
  try {
    (void)replay_request_of(text_of(input));
  } catch (const Error&) {
  }
}

namespace {

void read_as_stored(const std::string& topic, const std::string& body) {
  try {
    const EventRow row = event_row(topic, body);
    if (row.topic != topic) __builtin_trap();
    (void)picture_hashes_of(body, topic);
    const Json data = parse_json(body, topic).at("data");
    if (data.contains("decoding")) (void)decoding_of(data["decoding"], data.value("choices", Json()));
  } catch (const Error&) {
  }
}

}  // namespace

// Lines with a topic and an event in turn, as `palisade watch` and a reader of the journal get them.
void events(Input input) {
  EventTracker tracker([](std::string_view) { return true; });
  std::string_view rest = text_of(input);
  const auto line = [&rest] {
    const std::string_view all = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), all.size() + 1));
    return std::string(all);
  };
  while (!rest.empty()) {
    const std::string topic = line();
    try {
      const std::string body = line();
      read_as_stored(topic, body);
      const Json event = parse_json(body, topic);
      (void)tracker.see(topic, event);
      for (const char letter : event_line(topic, event)) {
        if ((letter >= 0 && letter < ' ') || letter == '\x7f') __builtin_trap();
      }
    } catch (const Error&) {
    }
  }
}

}  // namespace palisade::fuzz
