// A subscriber that compares every caption of the service with what the simulated cameras really showed, and
// keeps the score.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <csignal>
#include <iostream>
#include <nlohmann/json.hpp>
#include <zmq.hpp>

#include "examples/demo/board.h"

namespace {

using namespace palisade::world;
using Clock = std::chrono::steady_clock;

volatile std::sig_atomic_t interrupted = 0;

struct Arguments {
  std::string subscribe;
  std::string topic = "palisade/v1/";
  std::string truth;
  int seconds = 0;
  int count = 0;
  bool json = false;
};

// Handles captions and states, whose topics end with the task or with "state"; ignores other events.
void show(const std::string& topic, const nlohmann::json& event, Account& account, Board& board) {
  if (topic.ends_with("/state")) {
    board.state(event);
  } else if (topic.ends_with("/caption")) {
    const Judgement judgement = account.judge(event);
    board.caption(judgement, account);
  }
}

int follow(const Arguments& arguments) {
  zmq::context_t context;
  zmq::socket_t socket(context, zmq::socket_type::sub);
  socket.set(zmq::sockopt::subscribe, arguments.topic);
  socket.set(zmq::sockopt::linger, 0);
  socket.connect(arguments.subscribe);

  Account account(arguments.truth);
  const Style people = isatty(STDOUT_FILENO) != 0 ? Style::kColoured : Style::kPlain;
  Board board(std::cout, arguments.json ? Style::kJson : people);
  board.introduce();
  const auto end = Clock::now() + std::chrono::seconds(arguments.seconds);
  const auto seen = [&] { return account.score().captions + account.unjudged(); };
  while (interrupted == 0 && (arguments.seconds == 0 || Clock::now() < end) &&
         (arguments.count == 0 || seen() < arguments.count)) {
    try {
      zmq::pollitem_t item{socket.handle(), 0, ZMQ_POLLIN, 0};
      if (zmq::poll(&item, 1, std::chrono::milliseconds(100)) == 0) continue;
      zmq::message_t topic, body;
      if (!socket.recv(topic) || !topic.more() || !socket.recv(body)) continue;
      show(topic.to_string(), nlohmann::json::parse(body.to_string()), account, board);
    } catch (const zmq::error_t& error) {
      if (error.num() != EINTR) throw;
    } catch (const std::exception& error) {
      std::cerr << "an event that cannot be read: " << error.what() << '\n';
    }
  }
  board.summary(account);
  return seen() > 0 ? 0 : 3;  // no event was received
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  CLI::App app(
      "Prints the service's captions beside what the simulated cameras really showed, with a score.");
  app.add_option("--subscribe", arguments.subscribe, "Where the service publishes: tcp://... or ipc://...")
      ->required();
  app.add_option("--truth", arguments.truth, "The cameras' truth file")->required();
  app.add_option("--topic", arguments.topic, "Prefix of the topics to hear")->capture_default_str();
  app.add_option("--seconds", arguments.seconds, "Stop after so many; 0: when interrupted")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_option("--count", arguments.count, "Stop after so many captions; 0: never")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  app.add_flag("--json", arguments.json, "JSON lines, the summary last");
  const auto interrupt = [](int) { interrupted = 1; };
  std::signal(SIGINT, interrupt);
  std::signal(SIGTERM, interrupt);
  try {
    app.parse(argc, argv);
    return follow(arguments);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  } catch (const std::exception& error) {
    std::cerr << "palisade-scoreboard: " << error.what() << '\n';
    return 1;
  }
}
