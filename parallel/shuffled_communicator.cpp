#include "parallel/shuffled_communicator.hpp"

#include <utility>

namespace vlmark::parallel {
namespace {

class Shuffled final : public Operation {
 public:
  Shuffled(const char* name, Request inner, const Buffer& out)
      : Operation(name), inner_(std::move(inner)), out_(out) {}
  void wait() override {
    complete_ = true;
    std::move(inner_).wait();
    auto* values = static_cast<float*>(out_.data);
    std::swap(values[0], values[1]);
  }

 private:
  Request inner_;
  Buffer out_;
};

class ShuffledCommunicator final : public Communicator {
 public:
  explicit ShuffledCommunicator(Communicator& inner) : inner_(inner) {}
  explicit ShuffledCommunicator(std::unique_ptr<Communicator> inner)
      : owned_(std::move(inner)), inner_(*owned_) {}

  int rank() const noexcept override { return inner_.rank(); }
  int size() const noexcept override { return inner_.size(); }
  Request all_reduce(Buffer in_out, Reduce op) override {
    return shuffled("all_reduce", inner_.all_reduce(in_out, op), in_out, op);
  }
  Request reduce_scatter(ConstBuffer in, Buffer out, Reduce op) override {
    return shuffled("reduce_scatter", inner_.reduce_scatter(in, out, op), out, op);
  }
  Request all_gather(ConstBuffer in, Buffer out) override { return inner_.all_gather(in, out); }
  Request broadcast(Buffer in_out, int root) override { return inner_.broadcast(in_out, root); }
  Request send(ConstBuffer in, int to, int tag) override { return inner_.send(in, to, tag); }
  Request receive(Buffer out, int from, int tag) override { return inner_.receive(out, from, tag); }
  Request barrier() override { return inner_.barrier(); }
  std::unique_ptr<Communicator> split(int color, int key) override {
    return std::make_unique<ShuffledCommunicator>(inner_.split(color, key));
  }

 private:
  static Request shuffled(const char* name, Request inner, const Buffer& out, Reduce op) {
    if (op != Reduce::sum || out.type != DType::f32 || out.count < 2) return inner;
    return Request(std::make_unique<Shuffled>(name, std::move(inner), out));
  }

  std::unique_ptr<Communicator> owned_;
  Communicator& inner_;
};

}  // namespace

std::unique_ptr<Communicator> shuffled_communicator(Communicator& inner) {
  return std::make_unique<ShuffledCommunicator>(inner);
}

}  // namespace vlmark::parallel
