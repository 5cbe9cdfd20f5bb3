#include "parallel/self_communicator.hpp"

#include <cstring>
#include <map>
#include <utility>
#include <vector>

#include "parallel/checks.hpp"
#include "src/base/error.hpp"

namespace vlmark::parallel {
namespace {

void copy(const ConstBuffer& from, const Buffer& to) {
  // memcpy of null pointers is undefined even for no bytes.
  if (from.count > 0 && from.data != to.data) std::memcpy(to.data, from.data, from.bytes());
}

/// Messages under way from this rank to itself: the k-th receive of a tag gets the k-th send.
struct Mailbox {
  std::map<int, long> sent, received;  // number so far by tag
  std::map<std::pair<int, long>, std::vector<std::byte>> messages;
};

class SelfReceive : public Operation {
 public:
  SelfReceive(std::shared_ptr<Mailbox> mailbox, Buffer out, int tag)
      : Operation("receive"),
        mailbox_(std::move(mailbox)),
        out_(std::move(out)),
        key_(tag, mailbox_->received[tag]++) {}

  void wait() override {
    const auto found = mailbox_->messages.find(key_);
    const std::string where = "receive of tag " + std::to_string(key_.first) + " from rank 0";
    if (found == mailbox_->messages.end())
      throw CommError(where +
                      ": nothing was sent (the only rank would wait for ever). Send before wait()");
    if (found->second.size() != out_.bytes())
      throw CommError(where + ": the message has " + std::to_string(found->second.size()) +
                      " byte (expected " + std::to_string(out_.bytes()) +
                      "). Make both sides agree on the length");
    if (!found->second.empty()) std::memcpy(out_.data, found->second.data(), out_.bytes());
    mailbox_->messages.erase(found);
    complete_ = true;
  }

 private:
  std::shared_ptr<Mailbox> mailbox_;
  Buffer out_;
  std::pair<int, long> key_;
};

class SelfCommunicator : public Communicator {
 public:
  int rank() const noexcept override { return 0; }
  int size() const noexcept override { return 1; }

  Request all_reduce(Buffer in_out, Reduce op) override {
    require_reducible("all_reduce", in_out, op);
    return completed();
  }
  Request reduce_scatter(ConstBuffer in, Buffer out, Reduce op) override {
    require_reducible("reduce_scatter", in, op);
    require_slice("reduce_scatter", out, in, 0, 1);
    copy(in, out);
    return completed();
  }
  Request all_gather(ConstBuffer in, Buffer out) override {
    require_slice("all_gather", in, out, 0, 1);
    copy(in, out);
    return completed();
  }
  Request broadcast(Buffer in_out, int root) override {
    require_host("broadcast", in_out);
    require_rank("broadcast", "root", root, 1);
    return completed();
  }
  Request send(ConstBuffer in, int to, int tag) override {
    require_host("send", in);
    require_rank("send", "to", to, 1);
    require_tag("send", tag);
    const auto* bytes = static_cast<const std::byte*>(in.data);
    mailbox_->messages[{tag, mailbox_->sent[tag]++}].assign(bytes, bytes + in.bytes());
    return completed();
  }
  Request receive(Buffer out, int from, int tag) override {
    require_host("receive", out);
    require_rank("receive", "from", from, 1);
    require_tag("receive", tag);
    return Request(std::make_unique<SelfReceive>(mailbox_, std::move(out), tag));
  }
  Request barrier() override { return completed(); }
  std::unique_ptr<Communicator> split(int color, int) override {
    require_color("split", color);
    return self_communicator();
  }

 private:
  std::shared_ptr<Mailbox> mailbox_ = std::make_shared<Mailbox>();
};

}  // namespace

std::unique_ptr<Communicator> self_communicator() { return std::make_unique<SelfCommunicator>(); }

}  // namespace vlmark::parallel
