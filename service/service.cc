#include "service/service.h"

#include <algorithm>
#include <utility>

#include "base/format.h"
#include "base/log.h"
#include "ingest/pictures/picture.h"
#include "service/engine/certainty_file.h"
#include "service/http_backend.h"
#include "service/journal/event_query.h"
#include "service/settings/settings_journal.h"

namespace palisade {
namespace {

using std::chrono::steady_clock;

// How long stop() waits for the model. The streams are stopping during the same time.
constexpr std::chrono::milliseconds kModelPatience{1200};

void tell(const std::string& name, const StreamCounts& counts) {
  log_info(
      format("{}: {} frames, {} answers, {} clips dropped, {} failed, {} without motion, {} unchanged, {} "
             "lost to pauses and breaks",
             name, counts.frames, counts.answered, counts.dropped, counts.failed, counts.skipped,
             counts.unchanged, counts.lost));
}

JournalOptions journal_options_of(const Settings& settings) {
  return {.folder = state_folder_of(settings),
          .retention = {.events = settings.journal.events,
                        .bytes = std::uint64_t(settings.journal.size_gb * 1e9)}};
}

FrameJournalOptions frame_options_of(const Settings& settings) {
  return {.folder = state_folder_of(settings),
          .stay = settings.journal.frames_stay,
          .bytes = std::uint64_t(settings.journal.size_gb * 1e9),
          .free_share = settings.journal.free_percent / 100};
}

std::optional<ServiceKeys> keys_of(const Settings& settings) {
  if (settings.keys.server.empty()) return std::nullopt;
  return ServiceKeys{.own = read_key_file(settings.keys.server),
                     .clients = read_clients(settings.keys.clients)};
}

std::unique_ptr<TextRedaction> redaction_of(const Settings& settings) {
  const RedactionSettings& redact = settings.redact;
  if (!redact.kinds.empty() || !redact.patterns.empty())
    return std::make_unique<TextRedaction>(redact.kinds, redact.patterns);
  for (const StreamSettings& stream : settings.streams) {
    for (const TaskSettings& task : stream.tasks) {
      if (task.task->name == "ocr")
        log_warning(
            format("{}: task '{}' publishes what it reads, number plates and names of people among "
                   "it; `redact:` replaces them",
                   stream.name, task.name));
    }
  }
  return nullptr;
}

// Of each rule, where the journal has one.
std::vector<Alert> newest_alerts(const Settings& settings) {
  std::vector<Alert> alerts;
  if (!settings.journal.on || settings.rules.empty()) return alerts;
  try {
    EventQuery query(state_folder_of(settings));
    for (const RuleSettings& rule : settings.rules) {
      for (const StoredEvent& event : query.find({.stream = rule.stream,
                                      .task = rule.name,
                                      .kind = EventKind::kAlert,
                                      .newest_first = true,
                                      .limit = 1})) {
        if (auto alert = alert_of(parse_json(event.body, event.topic))) alerts.push_back(*std::move(alert));
      }
    }
  } catch (const Error& error) {
    log_warning(format("rules begin anew, earlier alerts cannot be read: {}", error.what()));
  }
  return alerts;
}

const StreamSettings* find_stream(const Settings& settings, const std::string& name) {
  const auto found = std::ranges::find(settings.streams, name, &StreamSettings::name);
  return found == settings.streams.end() ? nullptr : &*found;
}

}  // namespace

Service::Service(Settings settings, EngineModel& model)
    : settings_(std::move(settings)),
      node_(settings_.node),
      state_folder_(settings_.journal.on || !settings_.http.endpoint.empty() ? state_folder_of(settings_)
                                                                             : std::filesystem::path()),
      model_(model) {
  if (!settings_.mask_decoder.empty()) masks_.emplace(settings_.mask_decoder);
  const std::optional<ServiceKeys> keys = keys_of(settings_);
  publisher_ = std::make_unique<Publisher>(PublisherOptions{.endpoint = settings_.publish, .keys = keys});
  if (settings_.journal.on) {
    journal_ =
        std::make_unique<Journal>(journal_options_of(settings_), std::vector<EventSink*>{publisher_.get()});
  }
  if (settings_.journal.on) frames_ = std::make_unique<FrameJournal>(frame_options_of(settings_));
  redaction_ = redaction_of(settings_);
  if (!settings_.certainty.empty()) certainty_ = read_certainty(settings_.certainty, model_.identity());
  EventSink* const first = journal_ ? static_cast<EventSink*>(journal_.get()) : publisher_.get();
  road_ = std::make_unique<EventRoad>(
      EventRoadOptions{.node = settings_.node,
                       .history = journal_ ? journal_->history() : EventHistory{},
                       .treatment = {.keeper = frames_.get(), .redaction = redaction_.get()},
                       .rules = settings_.rules,
                       .alerts = newest_alerts(settings_),
                       .ask = [this](const TaskAsked& asked) { ask_now(asked); }},
      std::vector<EventSink*>{first}, [this] { return status(); });
  if (settings_.journal.on && !settings_.replay.empty()) {
    missed_ = std::make_unique<EventReplay>(state_folder_of(settings_));
    replay_ = std::make_unique<ReplayServer>(
        settings_.replay, [this](const ReplayRequest& request) { return missed_->answer(request); }, keys);
  }
  open_references(settings_);
  adapters_ = load_adapters(settings_);
  rules_ = settings_.rules;
  if (!settings_.control.empty()) {
    control_ = std::make_unique<Control>(
        settings_.control, [this](const ControlRequest& request) { return on_control(request); });
  }
  if (!settings_.http.endpoint.empty()) {
    backend_ = std::make_unique<Backend>(*this);
    http_ =
        std::make_unique<HttpService>(HttpServiceOptions{.endpoint = settings_.http.endpoint,
                                                         .hosts = settings_.http.hosts,
                                                         .origins = settings_.http.origins,
                                                         .certificate = settings_.http.certificate,
                                                         .key = settings_.http.key,
                                                         .trusted_proxies = settings_.http.trusted_proxies,
                                                         .state_folder = state_folder_},
                                      *backend_);
  }
}

void Service::open_references(const Settings& settings) {
  for (const StreamSettings& stream : settings.streams) {
    for (const TaskSettings& task : stream.tasks) {
      if (task.against.reference.empty()) continue;
      references_.open(task.against.reference, task.against.picture, model_.image_size(),
                       model_.identity().resize);
    }
  }
}

std::vector<SharedAdapter> Service::load_adapters(const Settings& settings) const {
  std::vector<SharedAdapter> adapters;
  for (const StreamSettings& stream : settings.streams) {
    for (const TaskSettings& task : stream.tasks) {
      if (task.adapter.empty()) continue;
      const SharedAdapter adapter = model_.load_adapter(task.adapter);
      if (std::ranges::find(adapters, adapter) != adapters.end()) continue;
      log_info("adapter " + adapter->identity.id + " (" + task.adapter.string() + ")");
      adapters.push_back(adapter);
    }
  }
  return adapters;
}

// Runs on Control's thread.
std::optional<std::string> Service::on_control(const ControlRequest& request) {
  std::shared_ptr<ServedStream> stream;
  std::string known;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& one : streams_) {
      known += (known.empty() ? "" : ", ") + one->name();
      if (one->name() == request.stream) stream = one;
    }
  }
  if (request.action != "ask_now" && request.action != "take_reference")
    return "\"do\" is ask_now or take_reference, not '" + request.action + "'";
  if (!stream) return "no stream '" + request.stream + "'; known are " + known;
  return request.action == "ask_now" ? stream->ask_now(request.task) : stream->take_reference(request.task);
}

// Runs on the road's thread. A task that cannot be asked leaves its rule waiting until the rule's patience
// ends.
void Service::ask_now(const TaskAsked& asked) {
  std::shared_ptr<ServedStream> stream;
  {
    const std::lock_guard lock(mutex_);
    const auto found = std::ranges::find(streams_, asked.stream, &ServedStream::name);
    if (found != streams_.end()) stream = *found;
  }
  const std::optional<std::string> fault =
      stream ? stream->ask_now(asked.task) : format("stream '{}' is not running", asked.stream);
  if (fault) log_warning("rule: no second look: " + *fault);
}

Service::~Service() {
  stop();
  engine_.reset();
}

void Service::start_stream(const StreamSettings& stream, const Feed::Open& open) {
  auto served = std::make_shared<ServedStream>(
      stream, ServedStream::Surroundings{
                  .engine = settings_.engine,
                  .frames = settings_.journal.on ? settings_.journal.frames : FrameStorage::kOff,
                  .likeness = settings_.journal.on,
                  .views = http_ != nullptr,
                  .certainty = certainty_ ? &*certainty_ : nullptr,
                  .masks = masks_ ? &*masks_ : nullptr,
                  .model = model_,
                  .queue = queue_,
                  .road = *road_,
                  .pairings = pairings_,
                  .references = references_,
                  .ended = [this] {
                    { const std::lock_guard lock(mutex_); }
                    wake_.notify_all();
                  }});
  served->start(open);
  const std::lock_guard lock(mutex_);
  const auto earlier = std::ranges::find(streams_, stream.name, &ServedStream::name);
  if (earlier == streams_.end()) {
    streams_.push_back(std::move(served));
  } else {
    *earlier = std::move(served);
  }
}

// All streams are asked to stop before the first is waited for.
void Service::end_streams(const Streams& streams) {
  for (const auto& stream : streams) {
    stream->request_stop();
    queue_.remove(stream->name());
  }
  for (const auto& stream : streams) {
    stream->end();
    queue_.remove(stream->name());  // requests that were pushed in the meantime
    tell(stream->name(), stream->counts());
  }
}

void Service::reload(Settings settings) {
  {
    const std::lock_guard lock(mutex_);
    wanted_ = std::move(settings);
  }
  wake_.notify_all();
}

// The file has the same name, and perhaps other clients in it. False, with a line in the log, where it cannot
// be read.
bool Service::read_clients_again(const Settings& settings) {
  if (settings.keys.clients.empty()) return true;
  try {
    const Clients clients = read_clients(settings.keys.clients);
    publisher_->allow(clients);
    if (replay_) replay_->allow(clients);
  } catch (const Error& error) {
    log_error(std::string(error.what()) + "; the configuration was not reloaded, all goes on as before");
    return false;
  }
  return true;
}

// The files have the same names, and perhaps another certificate in them.
void Service::read_certificate_again() {
  if (!http_) return;
  try {
    http_->read_certificate_again();
  } catch (const Error& error) {
    log_error(std::string(error.what()) + "; the certificate stays as it was");
  }
}

void Service::apply(Settings wanted, const Feed::Open& open) {
  if (const std::string keys = needs_restart(settings_, wanted); !keys.empty()) {
    log_error(
        "the configuration was not reloaded, all goes on as before; what has changed needs a restart: " +
        keys);
    return;
  }
  std::vector<SharedAdapter> adapters;
  try {
    open_references(wanted);
    adapters = load_adapters(wanted);
  } catch (const Error& error) {
    log_error(std::string(error.what()) + "; the configuration was not reloaded, all goes on as before");
    return;
  }
  if (!read_clients_again(wanted)) return;
  read_certificate_again();
  const auto stays = [&](const std::shared_ptr<ServedStream>& stream) {
    const StreamSettings* const now = find_stream(wanted, stream->name());
    return now != nullptr && *now == stream->settings();
  };
  Streams leaving, staying;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& stream : streams_) (stays(stream) ? staying : leaving).push_back(stream);
    // A stream that begins anew is there in between.
    std::erase_if(streams_,
                  [&](const auto& stream) { return find_stream(wanted, stream->name()) == nullptr; });
  }
  end_streams(leaving);
  settings_ = std::move(wanted);
  road_->follow(settings_.rules);
  {
    const std::lock_guard lock(mutex_);
    adapters_ = std::move(adapters);
    rules_ = settings_.rules;
  }
  std::size_t begun = 0;
  for (const StreamSettings& stream : settings_.streams) {
    if (std::ranges::find(staying, stream.name, &ServedStream::name) != staying.end()) continue;
    start_stream(stream, open);
    ++begun;
  }
  log_info(format("configuration reloaded: {} streams as before, {} ended, {} begun", staying.size(),
                  leaving.size(), begun));
}

// The caller holds mutex_.
bool Service::all_ended() const {
  return std::ranges::all_of(streams_, &ServedStream::ended);
}

// EventRoad calls it on its own thread.
NodeStatus Service::status() const {
  NodeStatus status;
  if (journal_) status.journal = journal_->status();
  const std::lock_guard lock(mutex_);
  for (const auto& stream : streams_) status.streams[stream->name()] = stream->counts();
  return status;
}

Service::End Service::run(const std::stop_token& stop, bool until_end, const Feed::Open& open) {
  engine_ =
      std::make_unique<Engine>(model_, queue_,
                               EngineLimits{.slice = settings_.engine.slice,
                                            .kv_cache_bytes = std::size_t(settings_.engine.kv_cache_mb) << 20,
                                            .meter = &meter_});
  for (const StreamSettings& stream : settings_.streams) start_stream(stream, open);
  std::unique_lock lock(mutex_);
  for (bool told_end = false;;) {
    const bool woken =
        wake_.wait(lock, stop, [&] { return wanted_ || (all_ended() && (until_end || !told_end)); });
    if (!woken) return End::kStopped;
    if (wanted_) {
      Settings wanted = *std::exchange(wanted_, std::nullopt);
      lock.unlock();
      apply(std::move(wanted), open);
      lock.lock();
      told_end = false;
      continue;
    }
    if (until_end) break;
    log_info("all streams have ended; the service waits to be stopped");
    told_end = true;
  }
  const bool unreadable = std::ranges::any_of(streams_, &ServedStream::unreadable);
  lock.unlock();
  queue_.close();
  const std::stop_callback stop_engine(stop, [this] { engine_->request_stop(); });
  engine_->join();
  if (stop.stop_requested()) return End::kStopped;
  return unreadable ? End::kSomeUnreadable : End::kAllEnded;
}

bool Service::stop() {
  if (!road_) return true;
  http_.reset();
  control_.reset();
  replay_.reset();
  const Streams streams = [this] {
    const std::lock_guard lock(mutex_);
    return streams_;
  }();
  for (const auto& stream : streams) stream->request_stop();
  if (engine_) engine_->request_stop();
  const bool idle = !engine_ || engine_->join_until(steady_clock::now() + kModelPatience);
  if (idle) engine_.reset();
  // The replies to streams that are stopping become no events, so the road may end before the engine.
  end_streams(streams);
  road_.reset();
  frames_.reset();
  journal_.reset();
  publisher_.reset();
  return idle;
}

}  // namespace palisade
