#include "parallel/topology.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "src/base/error.hpp"

namespace vlmark::parallel {
namespace {

using testing::HasSubstr;
using testing::Not;

int count(const TopologyObject& object, const std::string& type) {
  int found = object.type == type;
  for (const TopologyObject& child : object.children) found += count(child, type);
  return found;
}

class Xml : public testing::Test {
 protected:
  std::string write(const std::string& text) {
    const auto file =
        std::filesystem::path(testing::TempDir()) /
        (std::string(testing::UnitTest::GetInstance()->current_test_info()->name()) + ".xml");
    std::ofstream(file) << text;
    return file.string();
  }
};

TEST(Topology, OfThisMachineHasCores) {
  const Topology here = read_topology({});
  EXPECT_EQ(here.machine.type, "Machine");
  EXPECT_GE(count(here.machine, "PU"), 1);
  EXPECT_GE(count(here.machine, "NUMANode"), 1);
}

TEST(Topology, OfADescriptionIsPartialBecauseItHasNoDevices) {
  const Topology made = read_topology({"", "pack:2 numa:2 l3:1 core:8 pu:2"});
  EXPECT_EQ(count(made.machine, "Package"), 2);
  EXPECT_EQ(count(made.machine, "NUMANode"), 4);
  EXPECT_EQ(count(made.machine, "Core"), 32);
  EXPECT_EQ(count(made.machine, "PU"), 64);
  EXPECT_EQ(made.machine.cpus, "0-63");
  EXPECT_EQ(made.missing, "no PCI devices");
}

TEST_F(Xml, IsTheSameMachineAgain) {
  const std::string xml = topology_xml({"", "pack:1 core:3 pu:2"});
  const Topology again = read_topology({write(xml), ""});
  EXPECT_EQ(count(again.machine, "Core"), 3);
  // Once read from a file, nothing is known any more of what the system supports.
  const std::string copy = topology_xml({write(xml), ""});
  EXPECT_EQ(topology_xml({write(copy), ""}), copy);
}

TEST_F(Xml, HoldsNothingThatNamesTheMachineOrTheProcess) {
  const std::string xml = topology_xml({});
  for (const char* name : {"HostName", "ProcessName", "LinuxCgroup", "Address", "SerialNumber"})
    EXPECT_THAT(xml, Not(HasSubstr(std::string("info name=\"") + name))) << name;
  EXPECT_THAT(xml, HasSubstr("hwlocVersion"));
}

/// A GPU and a network card as hwloc writes them, with or without what the system calls them.
std::string with_devices(const std::string& below_gpu, const std::string& below_card) {
  return R"(<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE topology SYSTEM "hwloc2.dtd">
<topology version="2.0">
  <object type="Machine" os_index="0" cpuset="0x1" complete_cpuset="0x1" allowed_cpuset="0x1" nodeset="0x1" complete_nodeset="0x1" allowed_nodeset="0x1" gp_index="1">
    <object type="Package" os_index="0" cpuset="0x1" complete_cpuset="0x1" nodeset="0x1" complete_nodeset="0x1" gp_index="2">
      <object type="NUMANode" os_index="0" cpuset="0x1" complete_cpuset="0x1" nodeset="0x1" complete_nodeset="0x1" gp_index="3" local_memory="1073741824"/>
      <object type="Core" os_index="0" cpuset="0x1" complete_cpuset="0x1" nodeset="0x1" complete_nodeset="0x1" gp_index="4">
        <object type="PU" os_index="0" cpuset="0x1" complete_cpuset="0x1" nodeset="0x1" complete_nodeset="0x1" gp_index="5"/>
      </object>
    </object>
    <object type="Bridge" gp_index="6" bridge_type="0-1" depth="0" bridge_pci="0000:[00-3b]">
      <object type="PCIDev" gp_index="7" pci_busid="0000:3b:00.0" pci_type="0302 [10de:2330] [10de:16c1] a1" pci_link_speed="0.0">)" +
         below_gpu + R"(</object>
      <object type="PCIDev" gp_index="8" pci_busid="0000:19:00.0" pci_type="0207 [15b3:1021] [15b3:0041] 00" pci_link_speed="0.0">)" +
         below_card + R"(</object>
    </object>
  </object>
</topology>
)";
}

TEST_F(Xml, DevicesWithoutTheSystemsNameMakeItPartial) {
  const std::string gpu = R"(<object type="OSDev" gp_index="9" name="nvml0" osdev_type="1"/>)",
                    card = R"(<object type="OSDev" gp_index="10" name="mlx5_0" osdev_type="3"/>)";
  const Topology whole = read_topology({write(with_devices(gpu, card)), ""});
  EXPECT_EQ(whole.missing, "");
  EXPECT_EQ(count(whole.machine, "GPU"), 1);
  EXPECT_EQ(count(whole.machine, "OpenFabrics"), 1);
  EXPECT_EQ(count(whole.machine, "Bridge"), 0);
  EXPECT_EQ(read_topology({write(with_devices("", card)), ""}).missing,
            "no OS device of GPU 0000:3b:00.0");
  EXPECT_EQ(read_topology({write(with_devices("", "")), ""}).missing,
            "no OS device of GPU 0000:3b:00.0, no OS device of network card 0000:19:00.0");
}

TEST_F(Xml, WhatIsNoTopologyIsRefusedByName) {
  EXPECT_THAT(
      [] {
        read_topology({"/no/such.xml", ""});
      },
      testing::ThrowsMessage<IoError>(HasSubstr("/no/such.xml: is no topology of hwloc")));
  for (const char* text : {"", "hello", "<topology", "<?xml version=\"1.0\"?><a/>"})
    EXPECT_THROW(read_topology({write(text), ""}), IoError) << text;
  EXPECT_THAT(
      [] {
        read_topology({"", "core:x"});
      },
      testing::ThrowsMessage<ConfigError>(HasSubstr("'core:x': is no description")));
}

}  // namespace
}  // namespace vlmark::parallel
