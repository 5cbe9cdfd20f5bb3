#include "src/config/run_config.hpp"
#include "tests/fuzz/bounded.hpp"

using namespace vlmark;

/// The input is a run description; after each zero byte follows an override as on a command line.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const fuzz::Bytes input(data, size);
  std::string_view rest = fuzz::text_of(input);
  const auto next = [&rest] {
    const std::string_view part = rest.substr(0, rest.find('\0'));
    rest.remove_prefix(std::min(part.size() + 1, rest.size()));
    return part;
  };
  const std::string_view toml = next();
  std::vector<std::string> overrides;
  while (!rest.empty() && overrides.size() < 8) overrides.emplace_back(next());
  fuzz::bounded(input, {1 << 18, 1024}, [&] {
    const auto config = config::parse(toml, "input.toml", overrides);
    fuzz::require(config::parse(config::to_toml(config), "echo") == config,
                  "a run description changes when it is echoed");
  });
  return 0;
}
