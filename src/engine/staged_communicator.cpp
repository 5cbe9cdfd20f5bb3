#include "src/engine/staged_communicator.hpp"

#include <string>
#include <vector>

#include "src/base/error.hpp"
#include "src/engine/staging.hpp"

namespace vlmark::engine {
namespace {

using parallel::Buffer;
using parallel::ConstBuffer;
using parallel::Reduce;
using parallel::Request;

/// Host memory for the messages in flight. All of it is free again when none is.
class Pool {
 public:
  explicit Pool(std::int64_t bytes) : memory_(static_cast<std::size_t>(bytes)) {}

  std::byte* take(const char* where, std::size_t bytes) {
    constexpr std::size_t alignment = 16;
    bytes = (bytes + alignment - 1) / alignment * alignment;
    if (bytes > memory_.size() - used_)
      throw ValueError(
          std::string(where) + ": " + std::to_string(bytes) + " byte to be staged beside " +
          std::to_string(used_) + " in flight of " + std::to_string(memory_.size()) +
          " planned (nothing is allocated inside a step). Plan for the largest bucket");
    used_ += bytes;
    ++in_flight_;
    return memory_.data() + used_ - bytes;
  }
  void release() {
    if (--in_flight_ == 0) used_ = 0;
  }

 private:
  std::vector<std::byte> memory_;
  std::size_t used_ = 0;
  int in_flight_ = 0;
};

/// A request of the inner transport, then the copy of its result.
class StagedOperation final : public parallel::Operation {
 public:
  StagedOperation(const char* name, const kernels::Exec& exec, Pool& pool, const std::byte* host,
                  Buffer result, Request inner)
      : Operation(name),
        exec_(exec),
        pool_(pool),
        host_(host),
        result_(std::move(result)),
        inner_(std::move(inner)) {}

  void wait() override {
    std::move(inner_).wait();
    if (result_.bytes() > 0) copy_to_kernels(exec_, host_, result_.data, result_.bytes());
    pool_.release();
    complete_ = true;
  }

 private:
  const kernels::Exec& exec_;
  Pool& pool_;
  const std::byte* host_;  // where the result stands
  Buffer result_;
  Request inner_;
};

class StagedCommunicator final : public parallel::Communicator {
 public:
  StagedCommunicator(parallel::Communicator& inner, std::int64_t bytes)
      : inner_(inner), pool_(bytes) {}

  int rank() const noexcept override { return inner_.rank(); }
  int size() const noexcept override { return inner_.size(); }

  Request all_reduce(Buffer in_out, Reduce op) override {
    std::byte* host = taken("all_reduce", in_out);
    return staged("all_reduce", host, in_out, inner_.all_reduce(on_host(host, in_out), op));
  }

  Request reduce_scatter(ConstBuffer in, Buffer out, Reduce op) override {
    // In place within the copy, whether or not it was in place before.
    std::byte* host = taken("reduce_scatter", in);
    std::byte* slice = host + static_cast<std::size_t>(rank()) * out.bytes();
    return staged("reduce_scatter", slice, out,
                  inner_.reduce_scatter(on_host(host, in), on_host(slice, out), op));
  }

  Request all_gather(ConstBuffer in, Buffer out) override {
    std::byte* host = pool_.take("all_gather", out.bytes());
    std::byte* slice = host + static_cast<std::size_t>(rank()) * in.bytes();
    if (in.bytes() > 0) copy_to_host(exec_, in.data, slice, in.bytes());
    return staged("all_gather", host, out,
                  inner_.all_gather(on_host(slice, in), on_host(host, out)));
  }

  Request broadcast(Buffer in_out, int root) override {
    std::byte* host = taken("broadcast", in_out);
    return staged("broadcast", host, in_out, inner_.broadcast(on_host(host, in_out), root));
  }

  Request send(ConstBuffer in, int to, int tag) override {
    std::byte* host = taken("send", in);
    return staged("send", host, {}, inner_.send(on_host(host, in), to, tag));
  }

  Request receive(Buffer out, int from, int tag) override {
    std::byte* host = pool_.take("receive", out.bytes());
    return staged("receive", host, out, inner_.receive(on_host(host, out), from, tag));
  }

  Request barrier() override { return inner_.barrier(); }

  std::unique_ptr<Communicator> split(int, int) override {
    throw CommError(
        "split: of a communicator with staged messages (its host memory is planned for one group). "
        "Split the transport and stage each group");
  }

 private:
  static Buffer on_host(std::byte* host, const ConstBuffer& of) {
    return {.data = host, .count = of.count, .type = of.type};
  }
  /// Host memory with the contents of `from`.
  std::byte* taken(const char* where, const ConstBuffer& from) {
    std::byte* host = pool_.take(where, from.bytes());
    if (from.bytes() > 0) copy_to_host(exec_, from.data, host, from.bytes());
    return host;
  }
  Request staged(const char* name, const std::byte* host, Buffer result, Request inner) {
    return Request(std::make_unique<StagedOperation>(name, exec_, pool_, host, std::move(result),
                                                     std::move(inner)));
  }

  parallel::Communicator& inner_;
  kernels::Exec exec_;
  Pool pool_;
};

}  // namespace

std::unique_ptr<parallel::Communicator> staged_communicator(parallel::Communicator& inner,
                                                            std::int64_t bytes) {
  return std::make_unique<StagedCommunicator>(inner, bytes);
}

void require_staged_layout(const plan::Layout& layout) {
  if (layout.pipeline == 1 && layout.tensor == 1) return;
  throw ConfigError("layout " + to_string(layout) +
                    ": this build sends the device's memory through the host for dp alone (a "
                    "stage's or a layer's messages have no staging). Use a build with NCCL, or dp" +
                    std::to_string(layout.ranks()));
}

}  // namespace vlmark::engine
