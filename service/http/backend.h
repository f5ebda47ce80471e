#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "frames/frame.h"
#include "model/masks/mask_decoder.h"
#include "service/engine/answer_meter.h"
#include "service/engine/engine_model.h"
#include "service/engine/request.h"
#include "tasks/certainty/certainty_curve.h"
#include "tasks/events/answer_event.h"
#include "tasks/events/state_event.h"
#include "tasks/filters/text_redaction.h"

namespace palisade {

// A task of a stream and its last answer.
struct HttpTask {
  std::string name;
  std::string task;
  std::string prompt;
  std::optional<double> threshold;  // from which its rule alerts, where it has one
  std::optional<WallTime> answered;
  std::string text;
  std::vector<AnswerChoice> choices;
  std::vector<DetectedBox> boxes;
};

// A stream as the API shows it; its address without secrets.
struct HttpStream {
  std::string name;
  std::string source;
  StateEvent state;
  StreamCounts counts;
  std::vector<HttpTask> tasks;
};

struct HttpPicture {
  Frame frame;
  std::chrono::milliseconds age{};  // since it came
};

// Where events go: to ZeroMQ, into the journal.
struct HttpSink {
  std::string name;
  std::string address;  // that subscribers connect to; empty: none
  // Events in its queue now; handed on, and dropped for want of room, since the service began.
  std::uint64_t waiting = 0, sent = 0, lost = 0;
};

// What opening an address has shown.
struct HttpTrial {
  std::optional<Frame> frame;
  std::string message;  // why there is none
  double seconds = 0;
};

// What a stream would take of the engine, and with it all of them: seconds of work for each second. Where the
// entry cannot be used, `problems` say why, each FILE:LINE:COLUMN: TEXT.
struct HttpForecast {
  double share = 0;
  double used = 0;
  std::vector<std::string> problems;
};

// What the API needs of the service. Any thread.
class HttpBackend {
 public:
  virtual ~HttpBackend() = default;
  virtual std::string node() const = 0;
  virtual std::vector<HttpStream> streams() const = 0;
  // The newest frame, with its view; nothing where there is none yet or no such stream. While it is asked for
  // again and again it is less than a second old, if the camera sends.
  virtual std::optional<HttpPicture> newest(const std::string& stream) const = 0;
  // Two frames a second of a stream's last seconds, in order; empty where it is away or not there.
  virtual std::vector<Frame> recent(const std::string& stream, std::chrono::milliseconds span) const = 0;
  // False where too many people wait.
  virtual bool ask(Request request) = 0;
  virtual std::size_t waiting() const = 0;  // requests, of streams and people
  virtual const EngineModel& model() const = 0;
  virtual const CertaintyCurves* certainty() const = 0;  // null: none
  virtual const MaskDecoder* masks() const = 0;          // null: none
  virtual const TextRedaction* redaction() const = 0;    // null: none
  // A stream's entry of the configuration as JSON text, with its secrets; nothing where there is none.
  virtual std::optional<std::string> written_stream(const std::string& name) const = 0;
  // Adds a stream or changes it: such an entry. Returns what is wrong with it, each FILE:LINE:COLUMN: TEXT;
  // then nothing has changed.
  virtual std::vector<std::string> write_stream(const std::string& name, const std::string& json) = 0;
  // Takes a stream away that was written; one of the configuration comes back. False where none was.
  virtual bool remove_stream(const std::string& name) = 0;
  // Opens an entry's address until its first picture and tells what came of it, on a thread of its own. False
  // where too many are tried. What is wrong with the entry is added to `problems`; then nothing is told.
  virtual bool try_stream(const std::string& name, const std::string& json,
                          std::function<void(HttpTrial)> tell, std::vector<std::string>& problems) = 0;
  // Frames of a film, at most `most`, spread evenly over it, or why there are none; told on a thread of its
  // own. False where too many are read.
  virtual bool read_film(const std::filesystem::path& file, std::size_t most,
                         std::function<void(std::vector<Frame> frames, std::string message)> tell) = 0;
  // What the service would carry with such an entry in place of the stream of its name.
  virtual HttpForecast forecast(const std::string& name, const std::string& json,
                                const AnswerCosts& costs) = 0;
  // A task's next frame becomes the picture that it compares with. Returns what is wrong, or nothing.
  virtual std::optional<std::string> take_reference(const std::string& stream, const std::string& task) = 0;
  virtual std::vector<SharedAdapter> adapters() const = 0;
  virtual const AnswerMeter& meter() const = 0;
  virtual std::optional<JournalStatus> journal_status() const = 0;  // nothing: it keeps none
  virtual std::vector<HttpSink> sinks() const = 0;
  virtual std::uint64_t journal_bytes() const = 0;  // that it may take
  virtual bool demo_model() const = 0;              // the one that ships
  virtual std::chrono::seconds uptime() const = 0;
  // Why it is not ready; empty where it is.
  virtual std::string not_ready() const = 0;
  // The state folder of the journal, where there is one.
  virtual std::optional<std::filesystem::path> journal() const = 0;
};

}  // namespace palisade
