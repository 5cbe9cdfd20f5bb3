#include "src/engine/same_step.hpp"

#include <array>
#include <bit>
#include <cstdint>
#include <string>

#include "parallel/agree.hpp"
#include "src/base/error.hpp"
#include "src/engine/fingerprint.hpp"

namespace vlmark::engine {
namespace {

/// Order matters: each value is mixed with all before it.
class Hash {
 public:
  void add(std::uint64_t value) { state_ = mix(state_ ^ mix(value + 1)); }
  std::int64_t value() const { return static_cast<std::int64_t>(state_); }

 private:
  std::uint64_t state_ = 0;
};

std::int64_t hash_of(std::span<const plan::MicroBatchShape> shapes, double learning_rate) {
  Hash hash;
  hash.add(std::bit_cast<std::uint64_t>(learning_rate));
  const auto add = [&hash](long value) { hash.add(static_cast<std::uint64_t>(value)); };
  add(static_cast<long>(shapes.size()));
  for (const plan::MicroBatchShape& shape : shapes)
    for (const std::int64_t length : plan::lengths_of(shape)) add(length);
  return hash.value();
}

/// One line for each micro-batch.
std::string text_of(std::span<const plan::MicroBatchShape> shapes, double learning_rate) {
  std::string text = "learning rate " + std::to_string(learning_rate) + "\n" +
                     std::to_string(shapes.size()) + " micro-batches\n";
  for (std::size_t m = 0; m < shapes.size(); ++m)
    text += "micro-batch " + std::to_string(m) + ": " + to_string(shapes[m]) + "\n";
  return text;
}

}  // namespace

void require_same_step(parallel::Communicator& world, std::span<const plan::MicroBatchShape> shapes,
                       double learning_rate) {
  if (world.size() == 1) return;
  const std::int64_t mine = hash_of(shapes, learning_rate);
  std::array<std::int64_t, 2> largest{mine, ~mine};
  world.all_reduce(parallel::buffer(largest), parallel::Reduce::max).wait();
  if (largest[0] == ~largest[1]) return;
  parallel::require_same_text(
      world, "compare the step of all ranks", text_of(shapes, learning_rate),
      [&world](const std::string& here, const std::string& first) {
        throw ConfigError("step: this rank, on " + world.host() + ", plans '" + here +
                          "' where rank 0 plans '" + first +
                          "' (messages between them would not fit). Give every rank the same run "
                          "description and the same index of samples");
      });
}

}  // namespace vlmark::engine
