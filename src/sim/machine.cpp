#include "src/sim/machine.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <vector>

#include "src/base/error.hpp"
#include "src/config/edit_distance.hpp"

namespace vlmark::sim {
namespace {

/// One number of a description.
struct Number {
  const char* key;
  double Machine::*top;  // or one of the members below
  double Rates::*rate;
  Link Machine::*link;
  double Link::*of_link;
  const char* unit;
  bool may_be_zero;
  const char* fallback;  ///< key that stands in where it is absent
};

constexpr Number numbers[] = {
    {"memory_bytes", &Machine::memory_bytes, {}, {}, {}, "byte", false, nullptr},
    {"rates.gemm_f32", {}, &Rates::gemm_f32, {}, {}, "FLOP/s", false, nullptr},
    {"rates.gemm_bf16", {}, &Rates::gemm_bf16, {}, {}, "FLOP/s", false, nullptr},
    {"rates.attention_f32", {}, &Rates::attention_f32, {}, {}, "FLOP/s", false, "rates.gemm_f32"},
    {"rates.attention_bf16",
     {},
     &Rates::attention_bf16,
     {},
     {},
     "FLOP/s",
     false,
     "rates.gemm_bf16"},
    {"rates.memory", {}, &Rates::memory, {}, {}, "byte/s", false, nullptr},
    {"rates.launch", {}, &Rates::launch, {}, {}, "s", true, nullptr},
    {"node.latency", {}, {}, &Machine::node, &Link::latency, "s", true, nullptr},
    {"node.bandwidth", {}, {}, &Machine::node, &Link::bandwidth, "byte/s", false, nullptr},
    {"network.latency", {}, {}, &Machine::network, &Link::latency, "s", true, nullptr},
    {"network.bandwidth", {}, {}, &Machine::network, &Link::bandwidth, "byte/s", false, nullptr},
};

double& place(Machine& machine, const Number& number) {
  if (number.top != nullptr) return machine.*number.top;
  if (number.rate != nullptr) return machine.rates.*number.rate;
  return (machine.*number.link).*number.of_link;
}

class Reader {
 public:
  Reader(const toml::table& table, std::string_view source) : table_(table), source_(source) {}

  Machine read() {
    Machine machine;
    machine.name = text("name");
    machine.launcher = text("launcher");
    if (!machine.launcher.empty() && machine.launcher != "mpiexec" && machine.launcher != "srun")
      add("launcher", "is '" + machine.launcher + "' (expected mpiexec or srun). Choose one");
    if (const toml::node* node = find("ranks_per_node")) {
      const auto value = node->value_exact<std::int64_t>();
      if (!value || *value < 1 || *value > 1'000'000)
        add("ranks_per_node", "is " + shown(*node) +
                                  " (expected an integer from 1 to 1000000). Count the GPUs of a "
                                  "node, or the processes that share its cores");
      else
        machine.ranks_per_node = static_cast<int>(*value);
    } else {
      missing("ranks_per_node", "a whole number");
    }
    for (const Number& number : numbers) read_number(machine, number);
    unknown(table_, "");
    if (!problems_.empty()) throw ConfigError(problems_);
    return machine;
  }

 private:
  const toml::node* find(std::string_view key) {
    known_.insert(std::string(key));
    return table_.at_path(key).node();
  }
  static std::string shown(const toml::node& node) {
    std::ostringstream text;
    node.visit([&](const auto& n) {
      if constexpr (toml::is_value<decltype(n)>)
        text << n;
      else
        text << "no number";
    });
    return text.str();
  }
  void add(std::string_view key, const std::string& problem) {
    problems_ += std::string(problems_.empty() ? "" : "\n") + std::string(source_) + ": " +
                 std::string(key) + " " + problem;
  }
  void missing(std::string_view key, const std::string& what) {
    add(key, "is missing (no time can be predicted without it). Write " + what +
                 ", as in configs/machines/h100.toml");
  }
  std::string text(std::string_view key) {
    const toml::node* node = find(key);
    if (node == nullptr) {
      missing(key, "a string");
      return {};
    }
    const auto value = node->value_exact<std::string>();
    if (!value || value->empty()) add(key, "is no text. Write a string of a letter or more");
    return value.value_or("");
  }
  void read_number(Machine& machine, const Number& number) {
    const toml::node* node = find(number.key);
    double& to = place(machine, number);
    if (node == nullptr) {
      if (number.fallback == nullptr)
        missing(number.key, std::string("a number of ") + number.unit);
      else
        for (const Number& other : numbers)
          if (std::string_view(other.key) == number.fallback) to = place(machine, other);
      return;
    }
    const bool is_number = node->is_number();
    to = is_number ? *node->value<double>() : 0;
    if (is_number && std::isfinite(to) && (to > 0 || (to == 0 && number.may_be_zero))) return;
    add(number.key, "is " + shown(*node) + " (expected a number " +
                        (number.may_be_zero ? "from 0" : "above 0") + " of " + number.unit +
                        "). Take it from a data sheet or from vlmark_probe");
  }
  /// A key that nobody asked for is a slip that would change nothing in silence.
  void unknown(const toml::table& table, const std::string& prefix) {
    for (const auto& [key, node] : table) {
      const std::string path = prefix + std::string(key.str());
      if (const toml::table* inner = node.as_table()) {
        unknown(*inner, path + ".");
        continue;
      }
      if (known_.count(path) > 0) continue;
      const std::vector<std::string> keys(known_.begin(), known_.end());
      add(path, "is no key of a machine (it would change nothing). Did you mean " +
                    config::nearest_key(path, keys) + "?");
    }
  }

  const toml::table& table_;
  std::string_view source_;
  std::string problems_;
  std::set<std::string> known_;
};

}  // namespace

Machine parse_machine(std::string_view toml, std::string_view source) {
  toml::table table;
  try {
    table = toml::parse(toml);
  } catch (const toml::parse_error& e) {
    throw ConfigError(fmt::format("{}:{}: {} (the text is no TOML). Correct the line", source,
                                  e.source().begin.line, e.description()));
  }
  return Reader(table, source).read();
}

Machine load_machine(const std::filesystem::path& file) {
  std::ifstream in(file);
  if (!in)
    throw IoError(file.string() +
                  ": cannot be read (it describes the machine). Check the path; examples lie in "
                  "configs/machines");
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  return parse_machine(text, file.filename().string());
}

std::string to_toml(const Machine& machine, std::string_view comment) {
  std::string text;
  for (std::size_t begin = 0; begin < comment.size();) {
    const std::size_t end = std::min(comment.find('\n', begin), comment.size());
    text += "# " + std::string(comment.substr(begin, end - begin)) + "\n";
    begin = end + 1;
  }
  text += fmt::format("name = \"{}\"\nlauncher = \"{}\"\nranks_per_node = {}\n", machine.name,
                      machine.launcher, machine.ranks_per_node);
  std::string table;
  for (const Number& number : numbers) {
    const std::string_view key = number.key;
    const std::size_t dot = key.find('.');
    if (dot != std::string_view::npos && table != key.substr(0, dot)) {
      table = key.substr(0, dot);
      text += "\n[" + table + "]\n";
    }
    Machine copy = machine;
    text +=
        fmt::format("{} = {:.4g}  # {}\n", key.substr(dot + 1), place(copy, number), number.unit);
  }
  return text;
}

}  // namespace vlmark::sim
