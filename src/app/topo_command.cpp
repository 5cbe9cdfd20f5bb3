#include <fmt/format.h>

#include <cstdio>
#include <iterator>

#include "parallel/agree.hpp"
#include "parallel/run_ranks.hpp"
#include "src/app/commands.hpp"
#include "src/app/launcher.hpp"
#include "src/app/topo_text.hpp"
#include "src/base/error.hpp"
#include "src/io/file.hpp"

namespace vlmark::app {
namespace {

void show(const TopoOptions& options, const std::vector<parallel::RankPlace>& places) {
  const parallel::TopologySource source{options.input, options.synthetic};
  if (!options.xml.empty()) {
    const std::string xml = parallel::topology_xml(source);
    if (options.xml == "-") {
      fmt::print("{}", xml);
      return;
    }
    io::write_text_file(options.xml, xml);
    fmt::print(stderr, "wrote {}\n", options.xml);
  }
  const parallel::Topology topology = parallel::read_topology(source);
  if (options.json)
    fmt::print("{}\n", topology_json(topology, places));
  else
    fmt::print("{}{}", topology_text(topology), places.empty() ? "" : binding_text(places));
}

}  // namespace

int topo_command(int argc, char** argv, const TopoOptions& options) {
  if (!options.input.empty() && !options.synthetic.empty())
    throw ConfigError("--input: " + options.input + " beside --synthetic '" + options.synthetic +
                      "' (one machine is shown). Give one of the two");
  const bool elsewhere = !options.input.empty() || !options.synthetic.empty();
  if (elsewhere || !launched_rank()) {
    if (launched_rank().value_or(0) == 0) show(options, {});
    return static_cast<int>(ExitCode::ok);
  }
  return parallel::run_ranks(argc, argv, [&](parallel::Communicator& world) {
    const auto places = parallel::gather_places(world, parallel::read_place(""));
    parallel::agree(world, "topology", [&] {
      if (world.rank() == 0) show(options, places);
    });
    return static_cast<int>(ExitCode::ok);
  });
}

}  // namespace vlmark::app
