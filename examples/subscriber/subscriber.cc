// Prints the time, stream and text of every event whose topic begins with a prefix.
// palisade-subscriber tcp://127.0.0.1:5557 palisade/v1/front_door/
#include <iostream>
#include <nlohmann/json.hpp>
#include <zmq.hpp>

int main(int argc, char** argv) {
  if (argc < 2) {
    std::cerr << "use: palisade-subscriber ADDRESS [TOPIC_PREFIX]\n";
    return 2;
  }
  zmq::context_t context;
  zmq::socket_t socket(context, zmq::socket_type::sub);
  socket.set(zmq::sockopt::subscribe, argc > 2 ? argv[2] : "palisade/v1/");
  socket.connect(argv[1]);
  for (;;) {
    zmq::message_t topic, body;
    if (!socket.recv(topic) || !socket.recv(body)) continue;
    const auto event = nlohmann::json::parse(body.to_string_view());
    const auto& data = event.at("data");
    std::cout << event.value("time", "") << "  " << event.value("subject", "") << "  "
              << data.value("text", data.value("state", "")) << std::endl;
  }
}
