#include "ingest/rtsp/rtsp_dialogue.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <utility>

namespace palisade {
namespace {

constexpr auto kNowhere = std::string_view::npos;

bool alike(char a, char b) {
  return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
}

bool begins_with(std::string_view text, std::string_view start) {
  return text.size() >= start.size() && std::equal(start.begin(), start.end(), text.begin(), alike);
}

std::size_t find_word(std::string_view text, std::string_view word) {
  const auto found = std::search(text.begin(), text.end(), word.begin(), word.end(), alike);
  return found == text.end() ? kNowhere : std::size_t(found - text.begin());
}

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == kNowhere) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

RtspAnswer status_of(std::string_view line) {
  RtspAnswer answer;
  line.remove_prefix(std::min(line.find(' '), line.size()));
  line = trimmed(line);
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), answer.status);
  if (error == std::errc()) answer.reason = trimmed(line.substr(std::size_t(end - line.data())));
  return answer;
}

// The value of "algorithm=", without its quotes; empty where there is none.
std::string_view algorithm_in(std::string_view challenge) {
  const std::size_t at = find_word(challenge, "algorithm");
  const std::size_t equals = at == kNowhere ? kNowhere : challenge.find('=', at);
  if (equals == kNowhere) return {};
  std::string_view rest = challenge.substr(equals + 1);
  rest = rest.substr(std::min(rest.find_first_not_of(" \""), rest.size()));
  return rest.substr(0, rest.find_first_of("\", \t"));
}

}  // namespace

void RtspDialogue::hear_line(std::string_view line) {
  const std::lock_guard lock(mutex_);
  const auto value = [&](std::string_view name) { return std::string(trimmed(line.substr(name.size()))); };
  if (begins_with(line, "RTSP/")) last_ = status_of(line);
  if (begins_with(line, "Location:")) last_.location = value("Location:");
  if (begins_with(line, "WWW-Authenticate:")) last_.challenges.push_back(value("WWW-Authenticate:"));
}

void RtspDialogue::hear(RtspAnswer answer) {
  const std::lock_guard lock(mutex_);
  last_ = std::move(answer);
}

void RtspDialogue::hear_description() {
  const std::lock_guard lock(mutex_);
  described_ = true;
  any_video_ = in_video_ = false;
  encoding_.clear();
}

void RtspDialogue::hear_media(std::string_view line) {
  constexpr std::string_view kTransportStream = " 33";  // payload type 33 needs no rtpmap
  const std::lock_guard lock(mutex_);
  in_video_ = begins_with(line, "video") && !any_video_;
  any_video_ = any_video_ || in_video_;
  if (in_video_ && trimmed(line).ends_with(kTransportStream)) encoding_ = "MP2T";
}

void RtspDialogue::hear_attribute(std::string_view line) {
  const std::lock_guard lock(mutex_);
  const std::size_t space = line.find(' ');
  if (!in_video_ || !begins_with(line, "rtpmap:") || space == kNowhere || !encoding_.empty()) return;
  const std::string_view name = trimmed(line.substr(space));
  for (const char c : name.substr(0, name.find('/')))
    encoding_ += char(std::toupper(static_cast<unsigned char>(c)));
}

void RtspDialogue::forget() {
  const std::lock_guard lock(mutex_);
  last_ = {};
  described_ = any_video_ = in_video_ = false;
  encoding_.clear();
}

RtspAnswer RtspDialogue::last() const {
  const std::lock_guard lock(mutex_);
  return last_;
}

bool RtspDialogue::carries_transport_stream() const {
  return encoding() == "MP2T";
}

bool RtspDialogue::without_video() const {
  const std::lock_guard lock(mutex_);
  return described_ && !any_video_;
}

std::string RtspDialogue::encoding() const {
  const std::lock_guard lock(mutex_);
  return encoding_;
}

void disarm_transport(char* value) {
  const std::string_view text(value);
  std::string kept;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find_first_of(";,", at), text.size());
    const std::string_view parameter = trimmed(text.substr(at, end - at));
    const bool decides = begins_with(parameter, "source") || begins_with(parameter, "destination");
    if (!decides) kept += text.substr(at, std::min(end + 1, text.size()) - at);
    at = end + 1;
  }
  if (kept.ends_with(';')) kept.pop_back();
  std::ranges::copy(kept, value);
  value[kept.size()] = '\0';
}

void spell_algorithm(char* challenge) {
  const std::string_view text(challenge);
  const std::string_view name = algorithm_in(text);
  if (name.size() != 3) return;  // FFmpeg expects "MD5-sess" in this case
  const std::size_t at = std::size_t(name.data() - text.data());
  for (std::size_t i = at; i < at + name.size(); ++i)
    challenge[i] = char(std::toupper(static_cast<unsigned char>(challenge[i])));
}

std::string digest_algorithm(std::string_view challenge) {
  std::string name;
  for (const char c : algorithm_in(challenge)) name += char(std::toupper(static_cast<unsigned char>(c)));
  return name.empty() ? "MD5" : name;
}

bool can_be_answered(std::string_view challenge) {
  if (!begins_with(challenge, "Digest")) return begins_with(challenge, "Basic");
  const std::string algorithm = digest_algorithm(challenge);
  return algorithm == "MD5" || algorithm == "MD5-SESS";
}

}  // namespace palisade
