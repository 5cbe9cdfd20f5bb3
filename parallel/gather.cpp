#include "parallel/gather.hpp"

#include <algorithm>
#include <cstring>

#include "parallel/checks.hpp"
#include "parallel/scalars.hpp"
#include "src/base/error.hpp"

namespace vlmark::parallel {
namespace {

constexpr int kGatherTag = kMaxTag;

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

std::vector<std::string> strings_of(const std::vector<Bytes>& all) {
  std::vector<std::string> texts;
  texts.reserve(all.size());
  for (const Bytes& bytes : all)
    texts.emplace_back(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return texts;
}

std::vector<std::int64_t> all_lengths(Communicator& comm, std::size_t mine) {
  std::vector<std::int64_t> lengths(comm.size());  // [ranks]
  lengths[comm.rank()] = static_cast<std::int64_t>(mine);
  comm.all_gather(buffer(&lengths[comm.rank()], 1), buffer(lengths)).wait();
  return lengths;
}

}  // namespace

std::vector<Bytes> all_gather_bytes(Communicator& comm, std::span<const std::byte> mine) {
  const std::vector<std::int64_t> lengths = all_lengths(comm, mine.size());
  const auto longest = static_cast<std::size_t>(*std::max_element(lengths.begin(), lengths.end()));
  Bytes padded(lengths.size() * longest);  // [ranks, longest]
  std::byte* slice = padded.data() + static_cast<std::size_t>(comm.rank()) * longest;
  std::copy(mine.begin(), mine.end(), slice);
  if (longest > 0) comm.all_gather(buffer(slice, longest), buffer(padded)).wait();
  std::vector<Bytes> all(lengths.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::byte* begin = padded.data() + i * longest;
    all[i].assign(begin, begin + lengths[i]);
  }
  return all;
}

std::vector<std::string> all_gather_strings(Communicator& comm, std::string_view mine) {
  return strings_of(all_gather_bytes(comm, bytes_of(mine)));
}

std::vector<Bytes> gather_bytes(Communicator& comm, std::span<const std::byte> mine, int root) {
  require_rank("gather_bytes", "root", root, comm.size());
  const std::vector<std::int64_t> lengths = all_lengths(comm, mine.size());
  std::vector<ConstBuffer> outgoing(lengths.size());
  outgoing[root] = buffer(mine);
  std::vector<Bytes> all(comm.rank() == root ? lengths.size() : 0);
  std::vector<Buffer> incoming(lengths.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    all[i].resize(static_cast<std::size_t>(lengths[i]));
    incoming[i] = buffer(all[i]);
  }
  exchange(comm, outgoing, incoming, kGatherTag);
  return all;
}

std::vector<std::string> gather_strings(Communicator& comm, std::string_view mine, int root) {
  return strings_of(gather_bytes(comm, bytes_of(mine), root));
}

std::string broadcast_string(Communicator& comm, std::string_view mine, int root) {
  std::string text(mine);
  text.resize(static_cast<std::size_t>(
      broadcast_value(comm, static_cast<std::int64_t>(mine.size()), root)));
  if (!text.empty()) comm.broadcast(buffer(text), root).wait();
  return text;
}

void exchange(Communicator& comm, std::span<const ConstBuffer> outgoing,
              std::span<const Buffer> incoming, int tag) {
  const auto ranks = static_cast<std::size_t>(comm.size());
  const auto self = static_cast<std::size_t>(comm.rank());
  if (outgoing.size() != ranks || incoming.size() != ranks)
    throw ShapeError("exchange: " + std::to_string(outgoing.size()) + " outgoing and " +
                     std::to_string(incoming.size()) + " incoming buffers (expected one of each " +
                     "for " + std::to_string(ranks) + " ranks). Pass empty ones for no message");
  if (outgoing[self].bytes() != incoming[self].bytes())
    throw ShapeError("exchange: " + std::to_string(outgoing[self].bytes()) + " byte to rank " +
                     std::to_string(self) + " itself (expected " +
                     std::to_string(incoming[self].bytes()) + "). Make both sides agree");
  std::vector<Request> requests;
  // Start with the neighbour, so that not all ranks talk to rank 0 first.
  for (std::size_t step = 1; step < ranks; ++step) {
    const std::size_t peer = (self + ranks - step) % ranks;
    if (incoming[peer].count > 0)
      requests.push_back(comm.receive(incoming[peer], static_cast<int>(peer), tag));
  }
  for (std::size_t step = 1; step < ranks; ++step) {
    const std::size_t peer = (self + step) % ranks;
    if (outgoing[peer].count > 0)
      requests.push_back(comm.send(outgoing[peer], static_cast<int>(peer), tag));
  }
  if (outgoing[self].count > 0)
    std::memcpy(incoming[self].data, outgoing[self].data, outgoing[self].bytes());
  for (Request& request : requests) std::move(request).wait();
}

std::vector<Bytes> exchange_bytes(Communicator& comm, std::span<const Bytes> outgoing, int tag) {
  const auto ranks = static_cast<std::size_t>(comm.size());
  const auto self = static_cast<std::size_t>(comm.rank());
  if (outgoing.size() != ranks)
    throw ShapeError("exchange_bytes: " + std::to_string(outgoing.size()) +
                     " outgoing messages (expected one for each of " + std::to_string(ranks) +
                     " ranks). Pass empty ones for no message");
  std::vector<std::int64_t> lengths(ranks * ranks);  // [from, to]
  std::int64_t* const row = lengths.data() + self * ranks;
  std::vector<ConstBuffer> sends;
  for (std::size_t to = 0; to < ranks; ++to) {
    row[to] = static_cast<std::int64_t>(outgoing[to].size());
    sends.push_back(buffer(outgoing[to]));
  }
  comm.all_gather(buffer(row, ranks), buffer(lengths)).wait();
  std::vector<Bytes> arrived(ranks);
  std::vector<Buffer> receives;
  for (std::size_t from = 0; from < ranks; ++from) {
    arrived[from].resize(static_cast<std::size_t>(lengths[from * ranks + self]));
    receives.push_back(buffer(arrived[from]));
  }
  exchange(comm, sends, receives, tag);
  return arrived;
}

}  // namespace vlmark::parallel
