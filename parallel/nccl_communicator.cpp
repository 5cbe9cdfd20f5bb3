#include "parallel/nccl_communicator.hpp"

#include <cuda_runtime_api.h>
#include <nccl.h>

#include <map>
#include <set>
#include <utility>
#include <vector>

#include "parallel/checks.hpp"
#include "parallel/nccl_channel.hpp"
#include "src/base/counters.hpp"
#include "src/base/error.hpp"

namespace vlmark::parallel {
namespace {

ncclDataType_t nccl_type(DType type) {
  switch (type) {
    case DType::f32:
      return ncclFloat32;
    case DType::bf16:
      return ncclBfloat16;  // moved only, never reduced
    case DType::f64:
      return ncclFloat64;
    case DType::i32:
      return ncclInt32;
    case DType::i64:
      return ncclInt64;
    case DType::u8:
      return ncclUint8;
  }
  return ncclNumTypes;
}

ncclRedOp_t nccl_op(Reduce op) {
  return op == Reduce::sum ? ncclSum : op == Reduce::max ? ncclMax : ncclMin;
}

bool on_device(const ConstBuffer& buffer) {
  // An empty message has no memory to tell by: it travels over the host on every rank.
  if (buffer.count == 0) return false;
  cudaPointerAttributes attributes{};
  require_cuda(cudaPointerGetAttributes(&attributes, buffer.data), "cudaPointerGetAttributes");
  return attributes.type == cudaMemoryTypeDevice || attributes.type == cudaMemoryTypeManaged;
}

/// Where one and one only of two buffers is on a device nothing can carry both.
bool on_device(const char* where, const ConstBuffer& in, const ConstBuffer& out) {
  const bool device = on_device(in);
  if (device != on_device(out))
    throw ValueError(std::string(where) + ": the input is " + (device ? "on" : "not on") +
                     " a device, the output the opposite (one transport carries both). Copy one "
                     "of them first");
  return device;
}

/// A host transport cannot wait for a queue, so the host does.
template <class AnyBuffer>
AnyBuffer host_ready(AnyBuffer buffer) {
  if (buffer.queue)
    require_cuda(cudaStreamSynchronize(static_cast<cudaStream_t>(buffer.queue)),
                 "cudaStreamSynchronize");
  buffer.queue = nullptr;
  return buffer;
}

std::string text_of(const char* name, const ConstBuffer& buffer) {
  return std::string(name) + " of " + std::to_string(buffer.count) + " x " +
         std::string(name_of(buffer.type));
}

/// The checks of a host transport, which refuse queues.
template <class AnyBuffer>
AnyBuffer without_queue(AnyBuffer buffer) {
  buffer.queue = nullptr;
  return buffer;
}

/// Travels over the host beside each message of device memory, under its tag.
struct Header {
  std::int64_t count, type, number;  ///< number: of the message between these two ranks
};

/// One send or receive of device memory; started when something behind it is waited for.
struct Message {
  bool sends;
  ConstBuffer buffer;
  int peer, tag;
  Header header;                           ///< sent, or expected to arrive
  Header arrived{};                        ///< receiver: what the sender said
  std::string text;                        ///< for errors
  std::shared_ptr<const NcclEvent> event;  ///< behind it on the stream; null: not started
};

/// What the requests of one communicator share; they may outlive it.
class Channels {
 public:
  Channels(Communicator& host, std::chrono::milliseconds patience)
      : collectives(host, patience), messages(host, patience) {}

  NcclChannel collectives, messages;

  void add(const std::shared_ptr<Message>& message) {
    pending_.push_back(message);
    in_flight_.insert(message);
  }
  void complete(const std::shared_ptr<Message>& message) { in_flight_.erase(message); }

  /// Gives NCCL all pending messages, or the sends alone, as one group.
  void start_messages(bool receives) {
    std::vector<std::shared_ptr<Message>> group, later;
    for (auto& message : pending_) (message->sends || receives ? group : later).push_back(message);
    pending_ = std::move(later);
    if (group.empty()) return;
    for (const auto& message : group) messages.start_after(message->buffer.queue);
    messages.start(group.front()->text, [&]() -> int {
      for (const auto& m : group) {
        const ncclResult_t code =
            m->sends
                ? ncclSend(m->buffer.data, m->buffer.count, nccl_type(m->buffer.type), m->peer,
                           messages.comm(), messages.stream())
                : ncclRecv(const_cast<void*>(m->buffer.data), m->buffer.count,
                           nccl_type(m->buffer.type), m->peer, messages.comm(), messages.stream());
        if (code != ncclSuccess && code != ncclInProgress) return code;
      }
      return ncclSuccess;
    });
    const auto event = std::make_shared<NcclEvent>(messages.stream());
    for (const auto& message : group) message->event = event;
  }

 private:
  std::vector<std::shared_ptr<Message>> pending_;
  /// A header may still arrive for a request that an error dropped.
  std::set<std::shared_ptr<Message>> in_flight_;
};

class CollectiveOperation final : public Operation {
 public:
  CollectiveOperation(const char* name, std::shared_ptr<Channels> channels, std::string text,
                      std::vector<std::shared_ptr<const void>> owners)
      : Operation(name),
        channels_(std::move(channels)),
        text_(std::move(text)),
        owners_(std::move(owners)),
        event_(channels_->collectives.stream()) {}

  void wait() override {
    channels_->start_messages(/*receives=*/false);
    channels_->collectives.wait(event_, text_);
    complete_ = true;
  }

 private:
  std::shared_ptr<Channels> channels_;
  std::string text_;
  std::vector<std::shared_ptr<const void>> owners_;
  NcclEvent event_;
};

class MessageOperation final : public Operation {
 public:
  MessageOperation(const char* name, std::shared_ptr<Channels> channels,
                   std::shared_ptr<Message> message, Request header)
      : Operation(name),
        channels_(std::move(channels)),
        message_(std::move(message)),
        header_(std::move(header)) {}

  void wait() override {
    if (!message_->event) channels_->start_messages(/*receives=*/true);
    std::move(header_).wait();
    if (!message_->sends) require_match();
    channels_->messages.wait(*message_->event, message_->text);
    channels_->complete(message_);
    complete_ = true;
  }

 private:
  void require_match() const {
    const Header &got = message_->arrived, &want = message_->header;
    const std::string tag = " with tag " + std::to_string(message_->tag);
    if (got.count != want.count || got.type != want.type)
      channels_->messages.fail(message_->text,
                               std::to_string(got.count) + " x " +
                                   std::string(name_of(static_cast<DType>(got.type))) +
                                   " arrived from rank " + std::to_string(message_->peer) + tag +
                                   " (expected " + std::to_string(want.count) + " x " +
                                   std::string(name_of(static_cast<DType>(want.type))) + ")");
    if (got.number != want.number)
      channels_->messages.fail(
          message_->text, "message " + std::to_string(got.number) + " from rank " +
                              std::to_string(message_->peer) + tag + " is received as number " +
                              std::to_string(want.number) +
                              " (NCCL has no tags: device memory is received in the order sent)");
  }

  std::shared_ptr<Channels> channels_;
  std::shared_ptr<Message> message_;
  Request header_;
};

class NcclCommunicator final : public Communicator {
 public:
  NcclCommunicator(std::unique_ptr<Communicator> host, const NcclOptions& options)
      : host_(std::move(host)),
        options_(options),
        channels_(std::make_shared<Channels>(*host_, options.patience)) {}

  int rank() const noexcept override { return host_->rank(); }
  int size() const noexcept override { return host_->size(); }
  bool carries_device_memory() const noexcept override { return true; }

  Request all_reduce(Buffer in_out, Reduce op) override {
    require_reducible("all_reduce", without_queue(in_out), op);
    if (!on_device(in_out)) return host_->all_reduce(host_ready(in_out), op);
    return collective("all_reduce", in_out, in_out, in_out.bytes(), [&](auto comm, auto stream) {
      return ncclAllReduce(in_out.data, in_out.data, in_out.count, nccl_type(in_out.type),
                           nccl_op(op), comm, stream);
    });
  }

  Request reduce_scatter(ConstBuffer in, Buffer out, Reduce op) override {
    require_reducible("reduce_scatter", without_queue(in), op);
    require_slice("reduce_scatter", without_queue(out), without_queue(in), rank(), size());
    if (!on_device("reduce_scatter", in, out))
      return host_->reduce_scatter(host_ready(in), host_ready(out), op);
    return collective("reduce_scatter", in, out, in.bytes(), [&](auto comm, auto stream) {
      return ncclReduceScatter(in.data, out.data, out.count, nccl_type(in.type), nccl_op(op), comm,
                               stream);
    });
  }

  Request all_gather(ConstBuffer in, Buffer out) override {
    require_slice("all_gather", without_queue(in), without_queue(out), rank(), size());
    if (!on_device("all_gather", in, out))
      return host_->all_gather(host_ready(in), host_ready(out));
    return collective("all_gather", in, out, in.bytes(), [&](auto comm, auto stream) {
      return ncclAllGather(in.data, out.data, in.count, nccl_type(in.type), comm, stream);
    });
  }

  Request broadcast(Buffer in_out, int root) override {
    require_host("broadcast", without_queue(in_out));
    require_rank("broadcast", "root", root, size());
    if (!on_device(in_out)) return host_->broadcast(host_ready(in_out), root);
    return collective("broadcast", in_out, in_out, rank() == root ? in_out.bytes() : 0,
                      [&](auto comm, auto stream) {
                        return ncclBroadcast(in_out.data, in_out.data, in_out.count,
                                             nccl_type(in_out.type), root, comm, stream);
                      });
  }

  Request send(ConstBuffer in, int to, int tag) override {
    require_host("send", without_queue(in));
    require_rank("send", "to", to, size());
    require_tag("send", tag);
    if (!on_device(in)) return host_->send(host_ready(in), to, tag);
    return message(true, in, to, tag);
  }

  Request receive(Buffer out, int from, int tag) override {
    require_host("receive", without_queue(out));
    require_rank("receive", "from", from, size());
    require_tag("receive", tag);
    if (!on_device(out)) return host_->receive(host_ready(out), from, tag);
    return message(false, out, from, tag);
  }

  Request barrier() override { return host_->barrier(); }

  std::unique_ptr<Communicator> split(int color, int key) override {
    return nccl_communicator(host_->split(color, key), options_);
  }

 private:
  /// Starts `call` behind the queues of both buffers and books it.
  template <class Call>
  Request collective(const char* name, const ConstBuffer& in, const ConstBuffer& out,
                     std::size_t bytes, const Call& call) {
    const std::string text = text_of(name, in);
    NcclChannel& channel = channels_->collectives;
    channel.start_after(in.queue);
    if (out.queue != in.queue) channel.start_after(out.queue);
    channel.start(text, [&]() -> int { return call(channel.comm(), channel.stream()); });
    book(bytes);
    return Request(std::make_unique<CollectiveOperation>(
        name, channels_, text, std::vector<std::shared_ptr<const void>>{in.owner, out.owner}));
  }

  Request message(bool sends, const ConstBuffer& buffer, int peer, int tag) {
    const char* name = sends ? "send" : "receive";
    std::int64_t& number = (sends ? sent_ : received_)[peer];
    auto made = std::make_shared<Message>(
        Message{sends, buffer, peer, tag,
                Header{static_cast<std::int64_t>(buffer.count),
                       static_cast<std::int64_t>(buffer.type), number++}});
    made->text =
        text_of(name, buffer) + (sends ? " to" : " from") + " rank " + std::to_string(peer);
    const Counts before = counters();  // a header is not the run's traffic
    Header& header = sends ? made->header : made->arrived;
    const Buffer bytes = parallel::buffer(reinterpret_cast<std::byte*>(&header), sizeof(header));
    Request request = sends ? host_->send(bytes, peer, tag) : host_->receive(bytes, peer, tag);
    static_cast<Counts&>(counters()) = before;
    book(sends ? buffer.bytes() : 0);
    channels_->add(made);
    return Request(std::make_unique<MessageOperation>(name, channels_, made, std::move(request)));
  }

  void book(std::size_t bytes) const {
    if (size() == 1) return;  // nothing leaves the rank
    counters().sent_bytes += bytes;
    ++counters().messages;
  }

  std::unique_ptr<Communicator> host_;
  NcclOptions options_;
  std::shared_ptr<Channels> channels_;
  std::map<int, std::int64_t> sent_, received_;  ///< messages of device memory so far, by peer
};

}  // namespace

int nccl_version() {
  int version = 0;
  return ncclGetVersion(&version) == ncclSuccess ? version : 0;
}

std::unique_ptr<Communicator> nccl_communicator(std::unique_ptr<Communicator> host,
                                                const NcclOptions& options) {
  return std::make_unique<NcclCommunicator>(std::move(host), options);
}

}  // namespace vlmark::parallel
