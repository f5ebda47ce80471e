#include "service/engine/engine_work.h"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>

#include "tests/service/stub_model.h"

using namespace palisade;
using namespace std::chrono_literals;

TEST_CASE("a hundred who leave are told so while another's prefill goes on, and the queue is empty then") {
  StubModel model;
  model.prefill_slices = 1'000'000'000;
  RequestQueue queue;
  std::atomic<bool> begun{false}, left{false}, over{false};
  std::atomic<int> told{0}, first_told{0};
  model.on_slice = [&] { begun = true; };
  Engine engine(model, queue, {.slice = 1ms});
  REQUIRE(queue.push_person({.clip = small_clip({small_image(1)}),
                             .prompts = {"first"},
                             .cancelled = [&] { return over.load(); },
                             .tell = [&](const Request&, const Reply&) { ++first_told; }}));
  while (!begun) std::this_thread::yield();
  const auto leaver = [&](int number) -> Request {
    return {
        .clip = small_clip({small_image(std::uint8_t(2 + number))}),
        .prompts = {"x"},
        .cancelled = [&] { return left.load(); },
        .tell = [&](const Request&,
                    const Reply& reply) { told += reply.answer.finish_reason == FinishReason::kCancelled; }};
  };
  for (int i = 0; i < 100; ++i) {
    while (!queue.push_person(leaver(i))) std::this_thread::yield();
  }
  left = true;
  while (told < 100) std::this_thread::yield();
  CHECK(queue.size() == 0);
  CHECK(first_told == 0);
  CHECK(model.encoded == 1);
  over = true;
  queue.close();
  engine.join();
  CHECK(first_told == 1);
  CHECK(told == 100);
}
