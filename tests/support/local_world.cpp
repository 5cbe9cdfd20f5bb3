#include "tests/support/local_world.hpp"

#include <algorithm>
#include <condition_variable>
#include <cstring>
#include <exception>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include "parallel/checks.hpp"
#include "src/base/error.hpp"
#include "src/base/philox.hpp"

namespace vlmark::test {

using parallel::Buffer;
using parallel::ConstBuffer;
using parallel::Operation;
using parallel::Reduce;
using parallel::Request;

namespace {

/// What one rank contributes to a collective.
struct Part {
  bool posted = false;
  ConstBuffer in;
  Buffer out;
};

/// One collective of a group, or one message (two parts: sender and receiver).
struct Exchange {
  std::string call;  // the first caller's, in words
  int caller = -1;
  std::vector<Part> parts;
  std::function<void(std::vector<Part>&)> perform;
  std::size_t posted = 0;
  bool complete = false;
};
using ExchangePtr = std::shared_ptr<Exchange>;

template <class T>
void reduce_into(T* to, const T* from, std::size_t n, Reduce op) {
  for (std::size_t i = 0; i < n; ++i)
    to[i] = op == Reduce::sum   ? static_cast<T>(to[i] + from[i])
            : op == Reduce::max ? std::max(to[i], from[i])
                                : std::min(to[i], from[i]);
}

/// Elementwise over ranks in rank order, into fresh memory: inputs and outputs may be the same.
std::vector<std::byte> reduced(const std::vector<Part>& parts, Reduce op) {
  const ConstBuffer& first = parts[0].in;
  std::vector<std::byte> sum(first.bytes());
  if (first.bytes() > 0) std::memcpy(sum.data(), first.data, first.bytes());
  for (std::size_t r = 1; r < parts.size(); ++r) {
    const auto add = [&]<class T>(T) {
      reduce_into(reinterpret_cast<T*>(sum.data()), static_cast<const T*>(parts[r].in.data),
                  first.count, op);
    };
    switch (first.type) {
      case DType::f32:
        add(float{});
        break;
      case DType::f64:
        add(double{});
        break;
      case DType::i32:
        add(std::int32_t{});
        break;
      case DType::i64:
        add(std::int64_t{});
        break;
      default:
        add(std::uint8_t{});
    }
  }
  return sum;
}

void copy(const void* from, const Buffer& to) {
  if (to.bytes() > 0) std::memmove(to.data, from, to.bytes());
}

}  // namespace

struct LocalState {
  LocalState(int ranks_, std::uint64_t seed, std::chrono::microseconds most)
      : ranks(ranks_), random(seed, "local world"), most_delay(most) {}

  void delay() {
    std::uint64_t microseconds = 0;
    {
      const std::lock_guard lock(mutex);
      if (most_delay.count() > 0)
        microseconds = random.below(draws++, static_cast<std::uint64_t>(most_delay.count()));
    }
    if (microseconds > 0) std::this_thread::sleep_for(std::chrono::microseconds(microseconds));
  }

  const int ranks;
  Philox random;
  const std::chrono::microseconds most_delay;
  std::mutex mutex;
  std::condition_variable changed;
  std::uint64_t draws = 0;
  std::set<int> lost, silent;  // ranks of the world
  bool ended = false;
  std::map<std::pair<int, long>, ExchangePtr> collectives;  // group, number within it
  // group, from, to, tag, number
  std::map<std::tuple<int, int, int, int, long>, ExchangePtr> messages;
  std::map<std::tuple<int, int, int, int, bool>, long> message_count;  // the last: of the sender
  std::map<std::tuple<int, long, int>, int> split_groups;  // group, number, color -> new group
  int groups = 1;
};

namespace {

class LocalOperation final : public Operation {
 public:
  LocalOperation(const char* name, std::shared_ptr<LocalState> state, ExchangePtr exchange,
                 std::vector<int> needs)
      : Operation(name),
        state_(std::move(state)),
        exchange_(std::move(exchange)),
        needs_(std::move(needs)) {}

  void wait() override {
    std::unique_lock lock(state_->mutex);
    while (!exchange_->complete) {
      if (state_->ended) throw CommError(std::string(name_) + ": the world was ended");
      if (exchange_->posted == exchange_->parts.size()) {
        lock.unlock();
        state_->delay();
        lock.lock();
        if (exchange_->complete) break;
        exchange_->perform(exchange_->parts);
        exchange_->complete = true;
        state_->changed.notify_all();
        break;
      }
      for (const int rank : needs_)
        if (state_->lost.contains(rank))
          throw CommError(std::string(name_) + ": rank " + std::to_string(rank) +
                          " is lost (its connection is closed). See why it ended");
      state_->changed.wait(lock);
    }
    complete_ = true;
  }

 private:
  std::shared_ptr<LocalState> state_;
  ExchangePtr exchange_;
  std::vector<int> needs_;
};

std::string words(const char* name, const ConstBuffer& buffer, const std::string& detail) {
  return std::string(name) + " of " + std::to_string(buffer.count) + " x " +
         std::string(name_of(buffer.type)) + detail;
}

class LocalCommunicator final : public parallel::Communicator {
 public:
  /// `members`: ranks of the world in rank order of this group.
  LocalCommunicator(std::shared_ptr<LocalState> state, int group, std::vector<int> members,
                    int rank)
      : state_(std::move(state)), group_(group), members_(std::move(members)), rank_(rank) {}

  int rank() const noexcept override { return rank_; }
  int size() const noexcept override { return static_cast<int>(members_.size()); }

  Request all_reduce(Buffer in_out, Reduce op) override {
    parallel::require_reducible("all_reduce", in_out, op);
    return collective("all_reduce", in_out, in_out, std::string(" ") + name_of(op),
                      [op](std::vector<Part>& parts) {
                        const auto sum = reduced(parts, op);
                        for (const Part& part : parts) copy(sum.data(), part.out);
                      });
  }
  Request reduce_scatter(ConstBuffer in, Buffer out, Reduce op) override {
    parallel::require_reducible("reduce_scatter", in, op);
    parallel::require_slice("reduce_scatter", out, in, rank_, size());
    return collective("reduce_scatter", in, out, std::string(" ") + name_of(op),
                      [op](std::vector<Part>& parts) {
                        const auto sum = reduced(parts, op);
                        for (std::size_t r = 0; r < parts.size(); ++r)
                          copy(sum.data() + r * parts[r].out.bytes(), parts[r].out);
                      });
  }
  Request all_gather(ConstBuffer in, Buffer out) override {
    parallel::require_slice("all_gather", in, out, rank_, size());
    return collective("all_gather", in, out, "", [](std::vector<Part>& parts) {
      std::vector<std::byte> whole;
      for (const Part& part : parts) {
        const auto* bytes = static_cast<const std::byte*>(part.in.data);
        whole.insert(whole.end(), bytes, bytes + part.in.bytes());
      }
      for (const Part& part : parts) copy(whole.data(), part.out);
    });
  }
  Request broadcast(Buffer in_out, int root) override {
    parallel::require_rank("broadcast", "root", root, size());
    return collective("broadcast", in_out, in_out, " from rank " + std::to_string(root),
                      [root](std::vector<Part>& parts) {
                        for (const Part& part : parts)
                          copy(parts[static_cast<std::size_t>(root)].in.data, part.out);
                      });
  }
  Request barrier() override {
    return collective("barrier", {}, {}, "", [](std::vector<Part>&) {});
  }
  Request send(ConstBuffer in, int to, int tag) override {
    parallel::require_rank("send", "to", to, size());
    return message("send", in, {}, rank_, to, tag, true);
  }
  Request receive(Buffer out, int from, int tag) override {
    parallel::require_rank("receive", "from", from, size());
    return message("receive", {}, std::move(out), from, rank_, tag, false);
  }

  std::unique_ptr<Communicator> split(int color, int key) override {
    parallel::require_color("split", color);
    const long number = number_;
    std::vector<std::int64_t> all(3 * members_.size());
    std::int64_t mine[] = {color, key, rank_};
    all_gather(parallel::buffer(mine), parallel::buffer(all)).wait();
    std::vector<std::pair<std::int64_t, std::int64_t>> order;  // key, rank
    for (std::size_t r = 0; r < members_.size(); ++r)
      if (all[3 * r] == color) order.emplace_back(all[3 * r + 1], all[3 * r + 2]);
    std::sort(order.begin(), order.end());
    std::vector<int> members;
    int rank = 0;
    for (const auto& [k, r] : order) {
      if (r == rank_) rank = static_cast<int>(members.size());
      members.push_back(members_[static_cast<std::size_t>(r)]);
    }
    const std::lock_guard lock(state_->mutex);
    int& group = state_->split_groups[{group_, number, color}];
    if (group == 0) group = state_->groups++;
    return std::make_unique<LocalCommunicator>(state_, group, std::move(members), rank);
  }

 private:
  Request collective(const char* name, ConstBuffer in, Buffer out, const std::string& detail,
                     std::function<void(std::vector<Part>&)> perform) {
    state_->delay();
    const std::string call = words(name, in, detail);
    const std::lock_guard lock(state_->mutex);
    auto exchange = std::make_shared<Exchange>();
    if (const long number = number_++; !state_->silent.contains(members_[at(rank_)])) {
      ExchangePtr& shared = state_->collectives[{group_, number}];
      if (!shared) {
        shared = exchange;
        *shared = {call, rank_, std::vector<Part>(members_.size()), std::move(perform)};
      } else if (shared->call != call) {
        throw CommError("collective " + std::to_string(number) + " of the group: rank " +
                        std::to_string(rank_) + " calls " + call + ", rank " +
                        std::to_string(shared->caller) + " calls " + shared->call +
                        " (the ranks would take each other's data or wait for ever). Make every "
                        "rank issue the same collectives in the same order");
      }
      exchange = shared;
    } else {
      exchange->parts.resize(members_.size());
    }
    return posted(name, std::move(exchange), at(rank_), std::move(in), std::move(out), members_);
  }

  Request message(const char* name, ConstBuffer in, Buffer out, int from, int to, int tag,
                  bool sends) {
    state_->delay();
    const std::lock_guard lock(state_->mutex);
    auto exchange = std::make_shared<Exchange>();
    if (!state_->silent.contains(members_[at(rank_)])) {
      const long number = state_->message_count[{group_, from, to, tag, sends}]++;
      ExchangePtr& shared = state_->messages[{group_, from, to, tag, number}];
      if (!shared) {
        shared = exchange;
        shared->perform = [from, to, tag](std::vector<Part>& parts) {
          if (parts[0].in.bytes() != parts[1].out.bytes() || parts[0].in.type != parts[1].out.type)
            throw CommError("message of tag " + std::to_string(tag) + " from rank " +
                            std::to_string(from) + " to rank " + std::to_string(to) + ": " +
                            words("send", parts[0].in, "") + " meets " +
                            words("receive", parts[1].out, ""));
          copy(parts[0].in.data, parts[1].out);
        };
      }
      exchange = shared;
    }
    exchange->parts.resize(2);
    return posted(name, std::move(exchange), sends ? 0 : 1, std::move(in), std::move(out),
                  {members_[at(sends ? to : from)]});
  }

  /// With the lock held.
  Request posted(const char* name, ExchangePtr exchange, std::size_t part, ConstBuffer in,
                 Buffer out, std::vector<int> needs) {
    exchange->parts[part] = {true, std::move(in), std::move(out)};
    ++exchange->posted;
    state_->changed.notify_all();
    return Request(
        std::make_unique<LocalOperation>(name, state_, std::move(exchange), std::move(needs)));
  }
  static std::size_t at(int rank) { return static_cast<std::size_t>(rank); }

  std::shared_ptr<LocalState> state_;
  int group_;
  std::vector<int> members_;
  int rank_;
  long number_ = 0;  // collectives so far
};

}  // namespace

LocalWorld::LocalWorld(int ranks, std::uint64_t seed, std::chrono::microseconds most_delay)
    : state_(std::make_shared<LocalState>(ranks, seed, most_delay)) {}
LocalWorld::~LocalWorld() = default;

std::unique_ptr<parallel::Communicator> LocalWorld::communicator(int rank) {
  std::vector<int> members(static_cast<std::size_t>(state_->ranks));
  for (int r = 0; r < state_->ranks; ++r) members[static_cast<std::size_t>(r)] = r;
  return std::make_unique<LocalCommunicator>(state_, 0, std::move(members), rank);
}
void LocalWorld::lose(int rank) {
  const std::lock_guard lock(state_->mutex);
  state_->lost.insert(rank);
  state_->changed.notify_all();
}
void LocalWorld::silence(int rank) {
  const std::lock_guard lock(state_->mutex);
  state_->silent.insert(rank);
}
void LocalWorld::end() {
  const std::lock_guard lock(state_->mutex);
  state_->ended = true;
  state_->changed.notify_all();
}

void run_threads(int ranks, const std::function<void(int)>& body) {
  std::vector<std::exception_ptr> errors(static_cast<std::size_t>(ranks));
  std::vector<std::thread> threads;
  for (int r = 0; r < ranks; ++r)
    threads.emplace_back([&, r] {
      try {
        body(r);
      } catch (...) {  // thrown again below
        errors[static_cast<std::size_t>(r)] = std::current_exception();
      }
    });
  for (std::thread& thread : threads) thread.join();
  for (const std::exception_ptr& error : errors)
    if (error) std::rethrow_exception(error);
}

}  // namespace vlmark::test
