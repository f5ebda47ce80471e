#include "service/http_backend.h"

#include <utility>

#include "base/json.h"
#include "base/whole_file.h"
#include "ingest/source/url.h"

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

std::string Service::Backend::not_ready() const {
  if (!service_.journal_) return {};
  const JournalStatus status = service_.journal_->status();
  return status.storing ? "" : "the journal cannot store: " + status.reason;
}

std::optional<std::filesystem::path> Service::Backend::journal() const {
  if (!service_.journal_) return std::nullopt;
  return service_.state_folder_;
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
                  .answered = {},
                  .text = {}};
    if (const auto found = last.find(i); found != last.end()) {
      task.answered = found->second.time;
      task.text = found->second.text;
      if (service_.redaction_) service_.redaction_->redact(task.text);
    }
    described.tasks.push_back(std::move(task));
  }
  return described;
}

}  // namespace palisade
