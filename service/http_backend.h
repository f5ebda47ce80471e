#pragma once

#include "service/http/backend.h"
#include "service/service.h"

namespace palisade {

// The service as its HTTP API sees it.
class Service::Backend : public HttpBackend {
 public:
  explicit Backend(Service& service) : service_(service) {}

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
  std::string not_ready() const override;
  std::optional<std::filesystem::path> journal() const override;

 private:
  Streams running() const;
  std::shared_ptr<ServedStream> stream_named(const std::string& name) const;  // or nullptr
  HttpStream described(const ServedStream& stream) const;

  Service& service_;
  std::mutex writing_;  // of stream files
};

}  // namespace palisade
