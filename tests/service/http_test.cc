#include <doctest/doctest.h>

#include <filesystem>

#include "base/error.h"
#include "service/http/access.h"
#include "service/http/dashboard_link.h"
#include "service/http/question.h"
#include "service/http/request_check.h"
#include "service/http/router.h"
#include "tests/service/state_folder.h"
#include "tests/service/stub_model.h"

using namespace palisade;
using namespace std::chrono_literals;

TEST_CASE("targets are split and decoded, and what is none is refused") {
  HttpRequest request;
  REQUIRE(read_target("/a%20b/c?x=1&y=a+b%26&empty", request));
  CHECK(request.path == "/a b/c");
  CHECK(request.asked("x") == "1");
  CHECK(request.asked("y") == "a b&");
  CHECK(request.asked("empty") == "");
  CHECK_FALSE(request.asked("z"));
  CHECK(request.repeated.empty());
  HttpRequest twice;
  REQUIRE(read_target("/?x=1&y=2&x=1", twice));
  CHECK(twice.repeated == "x");
  for (const std::string_view target : {"", "*", "http://a/", "/%00", "/\xff", "/?a=%00", "/?%ff"}) {
    CAPTURE(target);
    HttpRequest other;
    CHECK_FALSE(read_target(target, other));
  }
}

TEST_CASE("a route is found by its parts, and another method is told apart from another path") {
  HttpRouter router;
  router.add({.pattern = "/events", .handler = {}});
  router.add({.pattern = "/events/{id}/frames/{number}.jpg", .handler = {}});
  router.add({.method = HttpMethod::kPut, .pattern = "/events/{id}/kept", .handler = {}});
  router.add({.pattern = "/ui/{path...}", .handler = {}});
  router.add({.pattern = "/streams/{stream}", .handler = {}});
  router.add({.method = HttpMethod::kPost, .pattern = "/streams/try", .handler = {}});
  const auto found = [&](const std::string& path, HttpMethod method = HttpMethod::kGet) {
    HttpRequest request{.method = method, .path = path};
    const HttpRouter::Match match = router.find(request);
    if (match.route == nullptr) return match.methods.empty() ? "none" : "only " + match.methods;
    return match.route->pattern + (request.parts.contains("number") ? " " + request.parts["number"] : "") +
           (request.parts.contains("path") ? " " + request.parts["path"] : "");
  };
  CHECK(found("/events") == "/events");
  CHECK(found("/events/") == "none");
  CHECK(found("/events/x/frames/12.jpg") == "/events/{id}/frames/{number}.jpg 12");
  CHECK(found("/events/x/frames/.jpg") == "none");
  CHECK(found("/events/x/frames/12.png") == "none");
  CHECK(found("/events/x/kept") == "only PUT");
  CHECK(found("/streams/try", HttpMethod::kPost) == "/streams/try");
  CHECK(found("/streams/try") == "only POST");
  CHECK(found("/streams/yard") == "/streams/{stream}");
  CHECK(found("/events/x/kept", HttpMethod::kPut) == "/events/{id}/kept");
  CHECK(found("/ui/pages/wall.js") == "/ui/{path...} pages/wall.js");
  CHECK(found("/ui/../x") == "/ui/{path...} ../x");
  CHECK(found("/ui/") == "none");
  CHECK(found("/ui") == "none");
  CHECK(found("") == "none");
}

TEST_CASE("hosts and origins: this machine's names, those that are listed, and nobody else's") {
  const HttpNames names{.hosts = {"cam.example"}, .origins = {"https://home.example"}};
  const auto status = [&](const std::string& host, const std::string& origin = "") {
    HttpRequest request{.headers = {{"host", host}}};
    if (!origin.empty()) request.headers["origin"] = origin;
    const auto fault = name_fault(request, names);
    return fault ? fault->status : 200;
  };
  for (const char* const host :
       {"localhost", "LOCALHOST:8420", "127.0.0.1:1", "[::1]:8420", "[::1]", "cam.example:443"})
    CHECK(status(host) == 200);
  for (const char* const host :
       {"", "evil.example", "cam.example.evil", "localhost.evil", "127.0.0.1.evil:80"})
    CHECK(status(host) == 421);
  CHECK(status("localhost:8420", "http://localhost:8420") == 200);
  CHECK(status("localhost:8420", "https://home.example") == 200);
  for (const char* const origin :
       {"http://evil.example", "null", "http://localhost:1", "https://home.example.evil"})
    CHECK(status("localhost:8420", origin) == 403);
}

TEST_CASE("the address at which a client reached the server is its name, too, and no other address is") {
  const auto status = [](const std::string& host, const std::string& own) {
    const auto fault = name_fault({.headers = {{"host", host}}, .own_address = own}, {});
    return fault ? fault->status : 200;
  };
  CHECK(status("192.168.1.5:8420", "192.168.1.5") == 200);
  CHECK(status("[fd00::5]:8420", "fd00::5") == 200);
  CHECK(status("192.168.1.6:8420", "192.168.1.5") == 421);
  CHECK(status("192.168.1.5.evil", "192.168.1.5") == 421);
  CHECK(status("", "") == 421);
}

TEST_CASE("a proxy that is trusted says who asks, by the address that it added itself") {
  const auto peer = [](const std::string& forwarded, const std::string& protocol = "") {
    HttpRequest request{.headers = {{"x-forwarded-for", forwarded}, {"x-forwarded-proto", protocol}},
                        .peer = "proxy"};
    ask_for_peer(request);
    return request.peer + (request.secure ? " over TLS" : "");
  };
  CHECK(peer("198.51.100.7", "https") == "198.51.100.7 over TLS");
  CHECK(peer("evil, 10.0.0.1,  2001:db8::1", "HTTPS") == "2001:db8::1 over TLS");
  CHECK(peer("", "http") == "proxy");
  CHECK(peer("198.51.100.7, unknown") == "proxy");
  CHECK(peer("198.51.100.7,") == "proxy");
  CHECK(peer(std::string(10'000, '1')) == "proxy");
}

TEST_CASE("a token is taken of its header or its cookie") {
  const auto token = [](const char* name, const char* value) {
    return token_of({.headers = {{name, value}}});
  };
  CHECK(token("authorization", "Bearer abc") == "abc");
  CHECK(token("authorization", "bearer abc") == "abc");
  CHECK(token("authorization", "Basic abc").empty());
  CHECK(token("cookie", "a=b; palisade_token=xyz; c=d") == "xyz");
  CHECK(token("cookie", "palisade_token=xyz") == "xyz");
  CHECK(token("cookie", "not_palisade_token=xyz").empty());
}

TEST_CASE(
    "tokens: the first is the admin's, none stands in the file, and another process's changes are noticed") {
  const StateFolder folder;
  HttpTokens tokens(folder.path());
  const std::string admin = read_text_file(admin_token_file(folder.path()), 1000);
  CHECK(tokens.holder_of(admin.substr(0, admin.size() - 1))->scope == HttpScope::kAdmin);
  const std::string view = tokens.add({.name = "wall", .scope = HttpScope::kView, .streams = {"gate"}});
  CHECK(read_text_file(folder.path() / "http_tokens.json", 100'000).find(view) == std::string::npos);
  const auto holder = tokens.holder_of(view);
  REQUIRE(holder);
  CHECK(holder->may_see("gate"));
  CHECK_FALSE(holder->may_see("yard"));
  for (const char* const wrong : {"", "pal_", "wall"}) CHECK_FALSE(tokens.holder_of(wrong));
  CHECK_FALSE(tokens.holder_of(std::string(100'000, 'a')));
  CHECK_THROWS_AS(tokens.add({.name = "wall", .scope = HttpScope::kView, .streams = {}}), UsageError);
  CHECK_THROWS_AS(tokens.add({.name = "A B", .scope = HttpScope::kView, .streams = {}}), UsageError);
  {
    HttpTokens other(folder.path());
    CHECK(other.all().size() == 2);
    std::this_thread::sleep_for(10ms);  // file times are not finer than the kernel's tick
    CHECK(other.remove("wall"));
    CHECK_FALSE(other.remove("wall"));
  }
  std::this_thread::sleep_for(1100ms);
  CHECK_FALSE(tokens.holder_of(view));
}

TEST_CASE("those who guess are held up, each by itself and for a minute") {
  FailureLimit limit(3);
  const MonotonicTime now{};
  for (int i = 0; i < 3; ++i) {
    CHECK_FALSE(limit.is_over("a", now));
    limit.count("a", now);
  }
  CHECK(limit.is_over("a", now + 59s));
  CHECK_FALSE(limit.is_over("b", now));
  CHECK_FALSE(limit.is_over("a", now + 60s));
  for (int i = 0; i < 10'000; ++i) limit.count(std::to_string(i), now);
}

TEST_CASE("too many pictures are thinned evenly, the first and the last among those that stay") {
  std::vector<Frame> frames(20);
  for (std::size_t i = 0; i < frames.size(); ++i) frames[i].stamp.number = i;
  const auto kept = thinned(frames, 16);
  REQUIRE(kept.size() == 16);
  CHECK(kept.front().stamp.number == 0);
  CHECK(kept.back().stamp.number == 19);
  for (std::size_t i = 1; i < kept.size(); ++i) CHECK(kept[i].stamp.number > kept[i - 1].stamp.number);
  CHECK(thinned(frames, 30).size() == 20);
}

TEST_CASE("a picture that is none is told as what it is") {
  const StubModel model;
  for (const std::string& text :
       {std::string(), std::string("!"), std::string("aGVsbG8="), std::string("data:image/png;base64"),
        std::string("data:image/png,xx"), std::string("https://a/b.png"), std::string(1'000'000, 'A')}) {
    CHECK_THROWS_AS(frame_of_text(text, model), UsageError);
  }
}

TEST_CASE("a client that does not read what is sent to it is given up, and nothing more is kept for it") {
  const auto exchange = std::make_shared<HttpExchange>(
      HttpRequest{}, HttpHolder{}, [] {}, [](const std::function<void()>& job) { job(); });
  CHECK_FALSE(exchange->send("before the head"));
  exchange->begin({.headers = {}});
  int sent = 0;
  while (exchange->send(std::string(1000, 'x'))) ++sent;
  CHECK(sent == 262);  // of 256 KiB
  CHECK(exchange->gone());
  CHECK_FALSE(exchange->send("more"));
  const HttpExchange::Output output = exchange->take_output();
  CHECK(output.ended);
  CHECK(output.bytes == 262'000);
}

TEST_CASE("what a handler throws becomes an answer of its kind, and the first answer counts") {
  const auto answered = [](const std::function<void()>& job) {
    const auto exchange = std::make_shared<HttpExchange>(
        HttpRequest{}, HttpHolder{}, [] {}, [](const std::function<void()>& run) { run(); });
    exchange->work(job);
    exchange->respond({.status = 200, .headers = {}});
    return exchange->take_output().response.status;
  };
  CHECK(answered([] {}) == 200);
  CHECK(answered([] { throw UsageError("x"); }) == 400);
  CHECK(answered([] { throw HttpFault({.status = 409, .message = "x", .code = "y"}); }) == 409);
  CHECK(answered([] { throw Unavailable("x"); }) == 503);
  CHECK(answered([] { throw Error("x"); }) == 500);
  CHECK(answered([] { throw std::runtime_error("x"); }) == 500);
}

TEST_CASE("a link to the dashboard has the token behind the #, and none leads to a Unix socket") {
  CHECK(dashboard_link(http_url("tcp://127.0.0.1:8420", false, {}), "pal_1") ==
        "http://127.0.0.1:8420/#token=pal_1");
  CHECK(http_url("tcp://0.0.0.0:8420", true, {"cameras.example"}) == "https://cameras.example:8420");
  CHECK(http_url("tcp://[::]:8420", true, {}) == "https://localhost:8420");
  CHECK(http_url("tcp://0.0.0.0:8420", false, {"cameras.example"}) == "http://localhost:8420");
  CHECK(http_url("tcp://[::1]:8420", false, {}) == "http://[::1]:8420");
  CHECK_THROWS_AS(dashboard_link(http_url("ipc:///run/palisade/http", false, {}), "pal_1"), UsageError);
}
