#include "service/http/metrics.h"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <filesystem>

#include "base/format.h"

namespace palisade {
namespace {

const prometheus::Histogram::BucketBoundaries kSeconds{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
                                                       1,     2.5,  5,     10,   30,  60};

// The service's own numbers, read when they are asked for.
void add_now(prometheus::Registry& now, const HttpBackend& backend) {
  auto& info = prometheus::BuildGauge()
                   .Name("palisade_build_info")
                   .Help("The program and its model; always 1")
                   .Register(now);
  const ModelIdentity model = backend.model().identity();
  info.Add({{"version", PALISADE_VERSION}, {"model", model.id}, {"precision", model.precision}}).Set(1);
  auto& up =
      prometheus::BuildGauge().Name("palisade_stream_up").Help("1 while a stream is online").Register(now);
  auto& frames = prometheus::BuildCounter()
                     .Name("palisade_stream_frames_total")
                     .Help("Pictures decoded or counted")
                     .Register(now);
  auto& clips = prometheus::BuildCounter()
                    .Name("palisade_clips_total")
                    .Help("Clips by what became of them")
                    .Register(now);
  for (const HttpStream& stream : backend.streams()) {
    up.Add({{"stream", stream.name}}).Set(stream.state.state == "online" ? 1 : 0);
    frames.Add({{"stream", stream.name}}).Increment(double(stream.counts.frames));
    const std::pair<const char*, std::uint64_t> results[] = {
        {"answered", stream.counts.answered},   {"dropped", stream.counts.dropped},
        {"failed", stream.counts.failed},       {"skipped", stream.counts.skipped},
        {"unchanged", stream.counts.unchanged}, {"lost", stream.counts.lost}};
    for (const auto& [result, count] : results)
      clips.Add({{"stream", stream.name}, {"result", result}}).Increment(double(count));
  }
  prometheus::BuildGauge()
      .Name("palisade_queue_depth")
      .Help("Clips and questions that wait for the model")
      .Register(now)
      .Add({})
      .Set(double(backend.waiting()));
  if (const auto folder = backend.journal()) {
    std::error_code error;
    const auto space = std::filesystem::space(*folder, error);
    if (!error)
      prometheus::BuildGauge()
          .Name("palisade_storage_free_bytes")
          .Help("Free on the disk of the state folder")
          .Register(now)
          .Add({})
          .Set(double(space.available));
    const auto journal = std::filesystem::file_size(*folder / "journal.db", error);
    if (!error)
      prometheus::BuildGauge()
          .Name("palisade_journal_bytes")
          .Help("Of the journal's database")
          .Register(now)
          .Add({})
          .Set(double(journal));
  }
}

}  // namespace

struct HttpMetrics::State {
  prometheus::Registry registry;
  prometheus::Family<prometheus::Counter>& requests = prometheus::BuildCounter()
                                                          .Name("palisade_http_requests_total")
                                                          .Help("Requests by route, method and status")
                                                          .Register(registry);
  prometheus::Family<prometheus::Histogram>& took = prometheus::BuildHistogram()
                                                        .Name("palisade_http_seconds")
                                                        .Help("From a request's header to its answer")
                                                        .Register(registry);
  prometheus::Counter& cancelled = prometheus::BuildCounter()
                                       .Name("palisade_requests_cancelled_total")
                                       .Help("Questions whose client left before the answer")
                                       .Register(registry)
                                       .Add({});
  prometheus::Counter& tokens = prometheus::BuildCounter()
                                    .Name("palisade_tokens_total")
                                    .Help("Tokens answered to people")
                                    .Register(registry)
                                    .Add({});
  prometheus::Family<prometheus::Histogram>& stages = prometheus::BuildHistogram()
                                                          .Name("palisade_stage_seconds")
                                                          .Help("Stages of people's questions")
                                                          .Register(registry);
};

HttpMetrics::HttpMetrics() : state_(std::make_unique<State>()) {}
HttpMetrics::~HttpMetrics() = default;

void HttpMetrics::request_done(const std::string& route, HttpMethod method, int status, double seconds) {
  state_->requests
      .Add({{"route", route}, {"method", std::string(name_of(method))}, {"code", format("{}", status)}})
      .Increment();
  state_->took.Add({{"route", route}}, kSeconds).Observe(seconds);
}

void HttpMetrics::cancelled() {
  state_->cancelled.Increment();
}

void HttpMetrics::answered(const AnswerTiming& timing, std::size_t tokens) {
  state_->tokens.Increment(double(tokens));
  const std::pair<const char*, std::chrono::nanoseconds> stages[] = {{"wait", timing.wait},
                                                                     {"encode", timing.encode},
                                                                     {"prefill", timing.prefill},
                                                                     {"decode", timing.decode}};
  for (const auto& [stage, time] : stages)
    state_->stages.Add({{"stage", stage}}, kSeconds).Observe(std::chrono::duration<double>(time).count());
}

std::string HttpMetrics::text(const HttpBackend& backend) const {
  prometheus::Registry now;
  add_now(now, backend);
  std::vector<prometheus::MetricFamily> families = state_->registry.Collect();
  for (prometheus::MetricFamily& family : now.Collect()) families.push_back(std::move(family));
  return prometheus::TextSerializer().Serialize(families);
}

}  // namespace palisade
