#include "service/http_backend.h"

#include <algorithm>
#include <utility>

#include "base/json.h"
#include "base/whole_file.h"
#include "ingest/source/url.h"
#include "service/bench/forecast.h"

namespace palisade {
Service::Streams Service::Backend::running() const {
  const std::lock_guard lock(service_.mutex_);
  return service_.streams_;
}

std::string Service::Backend::node() const {
  return service_.node_;
}

std::vector<HttpStream> Service::Backend::streams() const {
  std::vector<HttpStream> all;
  for (const auto& stream : running()) all.push_back(described(*stream));
  return all;
}

std::shared_ptr<ServedStream> Service::Backend::stream_named(const std::string& name) const {
  for (auto& stream : running()) {
    if (stream->name() == name) return std::move(stream);
  }
  return nullptr;
}

std::optional<HttpPicture> Service::Backend::newest(const std::string& name) const {
  const auto stream = stream_named(name);
  const auto picture = stream ? stream->newest() : std::nullopt;
  if (!picture) return std::nullopt;
  return HttpPicture{
      .frame = picture->frame,
      .age = std::chrono::floor<std::chrono::milliseconds>(std::chrono::steady_clock::now() - picture->at)};
}

std::vector<Frame> Service::Backend::recent(const std::string& name, std::chrono::milliseconds span) const {
  const auto stream = stream_named(name);
  return stream ? stream->recent(span) : std::vector<Frame>();
}

bool Service::Backend::ask(Request request) {
  return service_.queue_.push_person(std::move(request));
}

std::size_t Service::Backend::waiting() const {
  return service_.queue_.size();
}

const EngineModel& Service::Backend::model() const {
  return service_.model_;
}

const CertaintyCurves* Service::Backend::certainty() const {
  return service_.certainty_ ? &*service_.certainty_ : nullptr;
}

const MaskDecoder* Service::Backend::masks() const {
  return service_.masks_ ? &*service_.masks_ : nullptr;
}

const TextRedaction* Service::Backend::redaction() const {
  return service_.redaction_.get();
}

std::optional<std::string> Service::Backend::written_stream(const std::string& name) const {
  if (!service_.reread_) return std::nullopt;
  for (const StreamSettings& stream : service_.reread_({}).streams) {
    if (stream.name == name) return stream.written.json;
  }
  return std::nullopt;
}

std::vector<std::string> Service::Backend::write_stream(const std::string& name, const std::string& json) {
  if (!service_.reread_) return {"this service takes no streams while it runs"};
  if (!is_name(name)) return {"a stream's name is 1 to 64 of a-z, 0-9, _ and -"};
  const std::lock_guard lock(writing_);
  const std::filesystem::path file = written_stream_file(service_.state_folder_, name);
  try {
    Settings wanted = service_.reread_({{.file = file.string(), .text = json}});
    std::filesystem::create_directories(file.parent_path());
    write_private_file(file, json);
    service_.reload(std::move(wanted));
    return {};
  } catch (const SettingsError& fault) {
    return fault.problems();
  }
}

bool Service::Backend::remove_stream(const std::string& name) {
  if (!service_.reread_ || !is_name(name)) return false;
  const std::lock_guard lock(writing_);
  std::error_code error;
  if (!std::filesystem::remove(written_stream_file(service_.state_folder_, name), error)) return false;
  service_.reload(service_.reread_({}));
  return true;
}

std::optional<Settings> Service::Backend::with_entry(const std::string& name, const std::string& json,
                                                     std::vector<std::string>& problems) const {
  if (!service_.reread_) {
    problems.emplace_back("this service takes no streams while it runs");
    return std::nullopt;
  }
  try {
    const std::filesystem::path file = written_stream_file(service_.state_folder_, name);
    return service_.reread_({{.file = file.string(), .text = json}});
  } catch (const SettingsError& fault) {
    problems = fault.problems();
    return std::nullopt;
  }
}

bool Service::Backend::try_stream(const std::string& name, const std::string& json,
                                  std::function<void(HttpTrial)> tell, std::vector<std::string>& problems) {
  const auto wanted = with_entry(name, json, problems);
  if (!wanted) return true;
  const StreamSettings& entry = *std::ranges::find(wanted->streams, name, &StreamSettings::name);
  const std::lock_guard lock(trying_);
  return trials_.begin([entry, square = square(), tell = std::move(tell)](const std::stop_token& stop) {
    CameraTrial trial = try_camera(entry, square, stop);
    if (!stop.stop_requested())
      tell({.frame = std::move(trial.frame), .message = std::move(trial.message), .seconds = trial.seconds});
  });
}

bool Service::Backend::read_film(const std::filesystem::path& file, std::size_t most,
                                 std::function<void(std::vector<Frame> frames, std::string message)> tell) {
  const std::lock_guard lock(trying_);
  return trials_.begin([file, most, square = square(), tell = std::move(tell)](const std::stop_token& stop) {
    FilmFrames film = frames_of_film(file.string(), most, square, stop);
    if (!stop.stop_requested()) tell(std::move(film.frames), std::move(film.message));
  });
}

HttpForecast Service::Backend::forecast(const std::string& name, const std::string& json,
                                        const AnswerCosts& costs) {
  HttpForecast forecast;
  const auto wanted = with_entry(name, json, forecast.problems);
  if (!wanted) return forecast;
  for (const auto& [stream, share] : forecast_shares(*wanted, costs, service_.model_.image_tokens())) {
    forecast.used += share;
    if (stream == name) forecast.share = share;
  }
  return forecast;
}

std::optional<std::string> Service::Backend::take_reference(const std::string& name,
                                                            const std::string& task) {
  const auto stream = stream_named(name);
  return stream ? stream->take_reference(task) : "stream '" + name + "' is not running";
}

// Adapters of tasks; run()'s thread replaces them where the configuration is read again.
std::vector<SharedAdapter> Service::Backend::adapters() const {
  const std::lock_guard lock(service_.mutex_);
  return service_.adapters_;
}

const AnswerMeter& Service::Backend::meter() const {
  return service_.meter_;
}

std::optional<JournalStatus> Service::Backend::journal_status() const {
  if (!service_.journal_) return std::nullopt;
  return service_.journal_->status();
}

std::vector<HttpSink> Service::Backend::sinks() const {
  const Publisher& publisher = *service_.publisher_;
  std::vector<HttpSink> sinks{{.name = "zeromq",
                               .address = publisher.endpoint(),
                               .waiting = publisher.waiting(),
                               .sent = publisher.sent(),
                               .lost = publisher.lost()}};
  if (service_.journal_) {
    const JournalStatus status = service_.journal_->status();
    sinks.push_back({.name = "journal",
                     .address = {},
                     .waiting = status.waiting,
                     .sent = service_.journal_->stored(),
                     .lost = status.lost});
  }
  return sinks;
}

std::chrono::seconds Service::Backend::uptime() const {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::steady_clock::now() - begun_);
}

std::string Service::Backend::not_ready() const {
  if (!service_.journal_) return {};
  const JournalStatus status = service_.journal_->status();
  return status.storing ? "" : "the journal cannot store: " + status.reason;
}

std::optional<std::filesystem::path> Service::Backend::journal() const {
  if (!service_.journal_) return std::nullopt;
  return service_.state_folder_;
}

std::optional<double> Service::Backend::threshold_of(const std::string& stream,
                                                     const std::string& task) const {
  const std::lock_guard lock(service_.mutex_);
  for (const RuleSettings& rule : service_.rules_) {
    for (const RuleCondition& one : rule.when) {
      const bool of_yes = one.sees.empty() && one.says.empty() && !one.absent &&
                          (one.answer.empty() || one.answer == "yes" || one.answer == "true");
      if (of_yes && one.stream == stream && one.task == task) return one.above;
    }
  }
  return std::nullopt;
}

HttpStream Service::Backend::described(const ServedStream& stream) const {
  HttpStream described{.name = stream.name(),
                       .source = redact_url(stream.settings().source.url),
                       .state = stream.state(),
                       .counts = stream.counts(),
                       .tasks = {}};
  const auto last = stream.last_texts();
  const std::vector<TaskSettings>& tasks = stream.settings().tasks;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    HttpTask task{.name = tasks[i].name,
                  .task = std::string(tasks[i].task->name),
                  .prompt = tasks[i].task->prompt(tasks[i].wording),
                  .threshold = threshold_of(stream.name(), tasks[i].name),
                  .answered = {},
                  .text = {},
                  .choices = {},
                  .boxes = {}};
    if (const auto found = last.find(i); found != last.end()) {
      task.answered = found->second.time;
      task.text = found->second.text;
      task.choices = found->second.choices;
      task.boxes = found->second.boxes;
      if (service_.redaction_) service_.redaction_->redact(task.text);
    }
    described.tasks.push_back(std::move(task));
  }
  return described;
}

}  // namespace palisade
