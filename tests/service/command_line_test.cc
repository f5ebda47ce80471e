#include "service/commands/command_line.h"

#include <doctest/doctest.h>

#include <unistd.h>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "base/format.h"
#include "model/matmul/bare_matmul.h"

using namespace palisade;

namespace {

struct Outcome {
  int exit_code = 0;
  std::string out;
  std::string err;
};

std::string read_back(std::FILE* file) {
  std::rewind(file);
  std::string text(1u << 16, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), file));
  std::fclose(file);
  return text;
}

// Runs a command line in this process and captures stdout and stderr.
Outcome run(const std::vector<std::string>& words) {
  std::vector<std::string> owned = {"palisade"};
  owned.insert(owned.end(), words.begin(), words.end());
  std::vector<char*> arguments;
  for (std::string& word : owned) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  std::fflush(stdout);
  std::FILE* const files[] = {std::tmpfile(), std::tmpfile()};
  const int saved[] = {dup(1), dup(2)};
  dup2(fileno(files[0]), 1);
  dup2(fileno(files[1]), 2);
  Outcome outcome{.exit_code = run_command_line(int(owned.size()), arguments.data())};
  std::fflush(stdout);
  std::fflush(stderr);
  for (int i = 0; i < 2; ++i) {
    dup2(saved[i], i + 1);
    close(saved[i]);
  }
  outcome.out = read_back(files[0]);
  outcome.err = read_back(files[1]);
  return outcome;
}

std::size_t lines(const std::string& text) {
  return std::size_t(std::count(text.begin(), text.end(), '\n'));
}

std::string written(const std::string& name, const std::string& text) {
  const auto path = std::filesystem::temp_directory_path() / format("{}{}", name, getpid());
  std::ofstream(path) << text;
  return path.string();
}

}  // namespace

TEST_CASE("version and help are done, on stdout") {
  const Outcome version = run({"version"});
  CHECK(version.exit_code == 0);
  CHECK(version.out.starts_with("palisade "));
  const Outcome help = run({"--help"});
  CHECK(help.exit_code == 0);
  for (const char* const name : {"serve", "caption", "ask", "watch", "config", "version", "Examples"}) {
    CAPTURE(name);
    CHECK(help.out.find(name) != std::string::npos);
  }
  for (const char* const name : {"serve", "caption", "ask", "watch"}) {
    CAPTURE(name);
    CHECK(run({name, "--help"}).out.find("Examples") != std::string::npos);
  }
}

TEST_CASE("help says of an option its unit, bounds, default and variable, in lines of 100 columns") {
  const std::string ask = run({"ask", "--help"}).out;
  CHECK(ask.find("  --frames N ") != std::string::npos);
  CHECK(ask.find("(1 to 16; default: 16)\n") != std::string::npos);
  CHECK(ask.find("[PALISADE_FRAMES]\n") != std::string::npos);
  CHECK(ask.find("  --precision f32|bf16|int8|auto\n") != std::string::npos);
  for (const auto& words : {std::initializer_list<std::string>{"ask", "--help"},
                            {"caption", "--help"},
                            {"serve", "--help"},
                            {"transfer", "--help"},
                            {"bench", "--help"}}) {
    const std::string help = run(words).out;
    std::size_t longest = 0, end = 0;
    for (std::size_t begin = 0; (end = help.find('\n', begin)) != std::string::npos; begin = end + 1) {
      const std::string line = help.substr(begin, end - begin);
      if (!line.starts_with("  palisade ")) longest = std::max(longest, line.size());
    }
    CAPTURE(help);
    CHECK(longest <= 100);
  }
}

TEST_CASE("a wrong use has exit code 2 and nothing on stdout") {
  for (const auto& words : {std::initializer_list<std::string>{},
                            {"serv"},
                            {"serve"},
                            {"serve", "--config"},
                            {"caption", "x.mp4", "--frames", "3"},
                            {"caption", "x.mp4", "--every", "soon"},
                            {"caption", "x.mp4", "--policy", "stride"},
                            {"caption", "x.mp4", "--language", "EN!"},
                            {"ask", "", "x.jpg"},
                            {"ask", "why?", "README.md", "LICENSE"},
                            {"ask", "why?", "x.jpg", "--choices", "yes,"},
                            {"ask", "why?", "x.jpg", "--choices", "yes,no, yes"},
                            {"ask", "why?", "x.jpg", "--choices", "yes,no", "--beams", "2"},
                            {"ask", "why?", "x.jpg", "--beams", "2", "--seed", "1"},
                            {"ask", "why?", "x.jpg", "--beams", "0"},
                            {"ask", "why?", "x.jpg", "--length-penalty", "1"},
                            {"ask", "why?", "x.jpg", "--temperature", "-1"},
                            {"ask", "why?", "x.jpg", "--top-p", "2"},
                            {"similar", "x.jpg", "a dog"},
                            {"similar", "x.jpg", "--model", "siglip"},
                            {"similar", "x.jpg", "", "--model", "siglip"},
                            {"watch", "--subscribe", "nowhere"},
                            {"serve", "--config", "/nowhere.yaml"}}) {
    const Outcome outcome = run(words);
    CAPTURE(outcome.err);
    CHECK(outcome.exit_code == 2);
    CHECK(outcome.out.empty());
    CHECK_FALSE(outcome.err.empty());
  }
}

TEST_CASE("a good configuration is ok, and a bad one lists its problems with exit code 2") {
  const Outcome good = run({"config", "check", PALISADE_SOURCE_DIR "/configs/palisade.yaml"});
  CHECK(good.exit_code == 0);
  CHECK(good.out.find("ok") != std::string::npos);
  const std::string file = written("palisade_bad_config", "node: X Y\nnodes: 3\n");
  const Outcome bad = run({"config", "check", file});
  CHECK(bad.exit_code == 2);
  CHECK(bad.out.empty());
  CHECK(lines(bad.err) == 3);
  CHECK(bad.err.find(file + ":1:7: ") != std::string::npos);
  std::filesystem::remove(file);
}

TEST_CASE("config check shows no password") {
  const std::string file = written("palisade_canary_config", R"(streams:
  - {name: a, url: 'rtsp://u:CANARY-3@c/x', username: u, password: CANARY-4, tasks: [{task: caption}]}
)");
  const Outcome outcome = run({"config", "check", file});
  CHECK(outcome.exit_code == 0);
  CHECK((outcome.out + outcome.err).find("CANARY") == std::string::npos);
  std::filesystem::remove(file);
}

TEST_CASE("a missing file or model is one line that names it") {
  const Outcome picture = run({"ask", "why?", "/nowhere.jpg"});
  CHECK(picture.exit_code == 1);
  CHECK(picture.err.find("palisade: error: ") != std::string::npos);
  CHECK(picture.err.find("/nowhere.jpg") != std::string::npos);
  const Outcome model = run({"caption", "/nowhere.mp4", "--model", "/no/model"});
  CHECK(model.exit_code == 1);
  CHECK(lines(model.err) == 1);
  CHECK(model.err.find("/no/model") != std::string::npos);
}

TEST_CASE("similar prints a line a text, the most probable first, and as JSON the same") {
  const std::string reference = PALISADE_SOURCE_DIR "/tests/golden/reference/";
  const std::string model = reference + "models/siglip-tiny", picture = reference + "images/still0.png";
  const Outcome plain = run({"similar", "--model", model, picture, "nothing", "a red square"});
  CHECK(plain.exit_code == 0);
  CHECK(plain.err.empty());
  REQUIRE(lines(plain.out) == 2);
  CHECK(plain.out.find("a red square") < plain.out.find("nothing"));
  const Outcome json = run({"similar", "--model", model, picture, "nothing", "a red square", "--json"});
  CHECK(lines(json.out) == 1);
  CHECK(json.out.find(R"("text":"a red square"})") < json.out.find(R"("text":"nothing"})"));
  CHECK(json.out.find(R"("model":{"id":"siglip-tiny")") != std::string::npos);
}

TEST_CASE("ask and caption take whom to trust by the rules of the settings, told before a model is read") {
  const struct {
    std::vector<std::string> flags;
    const char* input;
    const char* told;
  } cases[] = {
      {{"--redirect-hosts", "d,http://e/"},
       "http://c/x",
       "--redirect-hosts: redirect_hosts are names or addresses"},
      {{"--redirect-hosts", "d:99999"}, "http://c/x", "HOST or HOST:PORT"},
      {{"--redirect-hosts", "d"}, "street.mp4", "redirect_hosts is for http(s):// and rtsp(s)://"},
      {{"--tls-ca", "/absent.pem"}, "https://c/x", "--tls-ca: cannot read /absent.pem"},
      {{"--tls-ca", "/"}, "rtsps://c/x", "tls_ca is a PEM file of certificates"},
      {{"--tls-verify", "false"}, "rtsp://c/x", "--tls-verify: tls_verify is for https:// and rtsps://"},
      {{"--tls-verify", "false", "--tls-ca", PALISADE_SOURCE_DIR "/LICENSE"},
       "https://c/x",
       "remove one of them"},
      {{"--tls-verify", "no"}, "https://c/x", "--tls-verify"},
  };
  for (const auto& one : cases) {
    CAPTURE(one.told);
    for (const bool asks : {false, true}) {
      std::vector<std::string> words = {"caption"};
      if (asks) words = {"ask", "why?"};
      words.insert(words.end(), {"--model", "/no/such/model"});
      words.insert(words.end(), one.flags.begin(), one.flags.end());
      words.push_back(one.input);
      const Outcome outcome = run(words);
      CHECK(outcome.exit_code == 2);
      CHECK(outcome.err.find(one.told) != std::string::npos);
    }
  }
}

TEST_CASE("a model of the other family is one line with the remedy") {
  const std::string models = PALISADE_SOURCE_DIR "/tests/golden/reference/models/";
  const std::string picture = PALISADE_SOURCE_DIR "/tests/golden/reference/images/still0.png";
  const Outcome similar = run({"similar", "--model", models + "paligemma1-tiny", picture, "a dog"});
  CHECK(similar.exit_code == 1);
  CHECK(similar.err.find("expected siglip") != std::string::npos);
  const Outcome ask = run({"ask", "why?", picture, "--model", models + "siglip-tiny"});
  CHECK(ask.exit_code == 1);
  CHECK(ask.err.find("palisade similar --model") != std::string::npos);
  const Outcome inspected = run({"model", "inspect", models + "siglip-tiny"});
  CHECK(inspected.exit_code == 0);
  CHECK(inspected.out.find("family         SigLIP\n") != std::string::npos);
}

TEST_CASE("bench measures random weights of a shape, as a table, as JSON and as a picture") {
  const auto picture = std::filesystem::temp_directory_path() / format("roofline_{}.svg", getpid());
  const Outcome outcome = run({"bench", "--shape", "tiny", "--quick", "--stages", "encode-1,decode-4",
                               "--json", "--picture", picture.string()});
  CHECK(outcome.exit_code == 0);
  CHECK(lines(outcome.out) == 1);
  CHECK(outcome.out.find(R"("model":"tiny")") != std::string::npos);
  CHECK(outcome.out.find(R"("stage":"encode-1")") != std::string::npos);
  CHECK(outcome.out.find(R"("stage":"prefill-272")") == std::string::npos);
  CHECK(outcome.err.find("decode-4") != std::string::npos);
  CHECK(std::filesystem::file_size(picture) > 500);
  std::filesystem::remove(picture);
}

TEST_CASE("bench measures in a precision, and says how near its logits are to another's") {
  if (!has_matmul(Precision::kInt8)) return;
  const Outcome outcome = run({"bench", "--shape", "tiny", "--precision", "int8", "--vs", "f32", "--quick",
                               "--stages", "encode-1", "--json"});
  CHECK(outcome.exit_code == 0);
  CHECK(outcome.out.find(R"("precision":"int8")") != std::string::npos);
  CHECK(outcome.out.find(R"("agreement":{"cosine":0.99)") != std::string::npos);
  CHECK(outcome.out.find(R"("with":"f32")") != std::string::npos);
}

TEST_CASE("bench and plan refuse what they do not know, or have no memory for, with exit code 2") {
  CHECK(run({"bench", "--shape", "paligemma-5b"}).exit_code == 2);
  CHECK(run({"bench", "--shape", "tiny", "--model", "/somewhere"}).exit_code == 2);
  CHECK(run({"bench", "--shape", "tiny", "--stages", "prefil"}).exit_code == 2);
  CHECK(run({"bench", "--shape", "tiny", "--picture", "/no/such/folder/a.svg"}).exit_code == 2);
  CHECK(run({"plan", "/no/such.yaml"}).exit_code != 0);
  CHECK(run({"plan", "x.yaml", "--fps", "0"}).exit_code == 2);
}

TEST_CASE("plan tells the load of a configuration with the demo model") {
  const std::string file = written("plan.yaml", R"(streams:
  - name: street
    url: rtsp://127.0.0.1:8554/street
    tasks: [{task: question, question: "how many cars are there?", frames: 1, every: 60s}]
)");
  const Outcome table = run({"plan", file});
  CHECK(table.exit_code == 0);
  CHECK(table.out.find("all streams") != std::string::npos);
  CHECK(table.out.find("this machine carries") != std::string::npos);
  std::filesystem::remove(file);
}
