#pragma once

#include "service/http/backend.h"
#include "service/service.h"
#include "service/streams/source_trials.h"

namespace palisade {

// The service as its HTTP API sees it.
class Service::Backend : public HttpBackend {
 public:
  explicit Backend(Service& service)
      : service_(service),
        journal_bytes_(std::uint64_t(service.settings_.journal.size_gb * 1e9)),
        demo_model_(!service.model_.identity().notice.empty()) {}

  std::string node() const override;
  std::vector<HttpStream> streams() const override;
  std::optional<HttpPicture> newest(const std::string& stream) const override;
  std::vector<Frame> recent(const std::string& stream, std::chrono::milliseconds span) const override;
  bool ask(Request request) override;
  std::size_t waiting() const override;
  const EngineModel& model() const override;
  const CertaintyCurves* certainty() const override;
  const MaskDecoder* masks() const override;
  const TextRedaction* redaction() const override;
  std::optional<std::string> written_stream(const std::string& name) const override;
  std::vector<std::string> write_stream(const std::string& name, const std::string& json) override;
  bool remove_stream(const std::string& name) override;
  bool try_stream(const std::string& name, const std::string& json, std::function<void(HttpTrial)> tell,
                  std::vector<std::string>& problems) override;
  bool read_film(const std::filesystem::path& file, std::size_t most,
                 std::function<void(std::vector<Frame> frames, std::string message)> tell) override;
  HttpForecast forecast(const std::string& name, const std::string& json, const AnswerCosts& costs) override;
  std::optional<std::string> take_reference(const std::string& stream, const std::string& task) override;
  std::vector<SharedAdapter> adapters() const override;
  const AnswerMeter& meter() const override;
  std::optional<JournalStatus> journal_status() const override;
  std::vector<HttpSink> sinks() const override;
  std::uint64_t journal_bytes() const override { return journal_bytes_; }
  bool demo_model() const override { return demo_model_; }
  std::chrono::seconds uptime() const override;
  std::string not_ready() const override;
  std::optional<std::filesystem::path> journal() const override;

 private:
  Streams running() const;
  std::shared_ptr<ServedStream> stream_named(const std::string& name) const;  // or nullptr
  HttpStream described(const ServedStream& stream) const;
  // The P of yes or true from which a rule looks at this task's answers.
  std::optional<double> threshold_of(const std::string& stream, const std::string& task) const;

  FrameSquare square() const {
    return {.side = service_.model_.image_size(), .resize = service_.model_.identity().resize};
  }
  // The configuration with such an entry; nothing where it cannot be used.
  std::optional<Settings> with_entry(const std::string& name, const std::string& json,
                                     std::vector<std::string>& problems) const;

  Service& service_;
  const std::uint64_t journal_bytes_;
  const bool demo_model_;
  const MonotonicTime begun_ = std::chrono::steady_clock::now();
  std::mutex writing_;  // of stream files
  std::mutex trying_;
  SourceTrials trials_;  // begun under trying_
};

}  // namespace palisade
