#include "service/settings/settings_http.h"

#include <doctest/doctest.h>

#include "base/joined.h"
#include "ingest/source/networks.h"

using namespace palisade;

namespace {

constexpr const char* kTask = "tasks: [{task: caption}]";

Settings http_settings_of(const std::string& http, const std::string& streams = "",
                          const std::vector<WrittenStream>& written = {}) {
  return parse_settings("http: {" + http + "}\n" + streams, "c.yaml", written);
}

std::string fault_of_settings(const std::string& http, const std::string& written = "",
                              const std::string& streams = "") {
  try {
    std::vector<WrittenStream> files;
    if (!written.empty()) files.push_back({"s.yaml", written + "\n" + kTask + "\n"});
    http_settings_of(http, streams, files);
    return "";
  } catch (const SettingsError& error) {
    return joined(error.problems(), "\n");
  }
}

bool says(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("the HTTP API listens on this machine alone, unless TLS or a proxy stands before it") {
  CHECK(http_settings_of("").http.endpoint == "tcp://127.0.0.1:8420");
  CHECK(http_settings_of("listen: /run/palisade/http").http.endpoint == "ipc:///run/palisade/http");
  CHECK(says(fault_of_settings("listen: '0.0.0.0:8420'"), "c.yaml:1:16"));
  CHECK(says(fault_of_settings("listen: '0.0.0.0:8420'"), "tls:"));
  const HttpSettings own =
      http_settings_of("listen: '[::]:8420', tls: {certificate: a.pem, key: b.pem}").http;
  CHECK(own.endpoint == "tcp://[::]:8420");
  CHECK(own.certificate == "a.pem");
  CHECK(own.key == "b.pem");
  CHECK(http_settings_of("listen: '0.0.0.0:8420', trusted_proxy: [10.0.0.2]").http.trusted_proxies.front() ==
        "10.0.0.2");
  CHECK(says(fault_of_settings("trusted_proxy: [proxy]"), "addresses in numbers"));
  CHECK(says(fault_of_settings("listen: 'a.example:1', tls: {certificate: a, key: b}"), "in numbers"));
  CHECK(says(fault_of_settings("tls: {certificate: a}"), "without its key"));
}

TEST_CASE(
    "streams that are written stay in private networks, in those that are named, or at hosts that the "
    "configuration names") {
  CHECK(http_settings_of("").http.networks == private_networks());
  CHECK(fault_of_settings("", "name: a\nurl: rtsp://192.168.1.2/x").empty());
  CHECK(fault_of_settings("", "name: a\nurl: rtsp://camera.example/x").empty());  // its connections tell
  CHECK(says(fault_of_settings("", "name: a\nurl: rtsp://198.51.100.7/x"), "s.yaml:2:6"));
  CHECK(says(fault_of_settings("", "name: a\nurl: http://169.254.169.254/x"), "http.networks"));
  CHECK(says(fault_of_settings("", "name: a\nprocess: false\nurl: rtsp://192.168.1.2/x"),
             "process of its own"));
  const std::string named = "networks: [198.51.100.0/24]";
  CHECK(fault_of_settings(named, "name: a\nurl: rtsp://198.51.100.7/x").empty());
  CHECK(says(fault_of_settings(named, "name: a\nurl: rtsp://192.168.1.2/x"), "http.networks"));
  CHECK(says(fault_of_settings("networks: [10.0.0.1/8]"), "a network is"));
  const std::string configured =
      std::string("streams: [{name: a, url: 'rtsp://203.0.113.9/x', ") + kTask + "}]\n";
  CHECK(fault_of_settings("", "name: b\nurl: rtsp://203.0.113.9/y", configured).empty());
  CHECK(says(fault_of_settings("", "name: b\nurl: rtsp://203.0.113.8/y", configured), "http.networks"));
  CHECK(says(
      fault_of_settings("", "name: b\nurl: rtsp://203.0.113.9/y\nredirect_hosts: [203.0.113.8]", configured),
      "http.networks"));
  const Settings held = http_settings_of(
      named, configured, {{"s.yaml", std::string("name: b\nurl: rtsp://camera.example/x\n") + kTask}});
  CHECK(held.streams[0].source.networks.empty());
  CHECK(held.streams[1].source.networks == std::vector{*network_of("198.51.100.0/24")});
}
