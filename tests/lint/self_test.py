"""Plants one violation after another in an empty folder and sees each check refuse it.

    self_test.py ROOT COMPILER
"""

import contextlib
import importlib
import io
import json
import os
import shutil
import sys
import tempfile
import unittest

import check_test_labels

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT, COMPILER = sys.argv[1], sys.argv[2]
GOOD = "#pragma once\n\nint answer();\n"


class Planted(unittest.TestCase):
    def setUp(self):
        # Outside of any git checkout, so that the files need not be tracked.
        self.root = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.root)
        shutil.copy(os.path.join(ROOT, ".clang-format"), self.root)

    def write(self, path, text):
        full = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w", encoding="utf-8") as file:
            file.write(text)

    def run_check(self, name, *arguments):
        # In this process: an interpreter for each of some hundred calls would take a minute.
        output = io.StringIO()
        with contextlib.redirect_stdout(output), self.assertRaises(SystemExit) as end:
            importlib.import_module(f"check_{name}").main(self.root, *arguments)
        return end.exception.code, output.getvalue()

    def accepts(self, name, *arguments):
        code, output = self.run_check(name, *arguments)
        self.assertEqual(code, 0, output)

    def refuses(self, name, expected, *arguments):
        code, output = self.run_check(name, *arguments)
        self.assertEqual(code, 1, output)
        self.assertIn(expected, output)

    def test_nothing_to_check_is_a_failure(self):
        for name in ("format", "length", "words", "includes", "kokkos_labels", "messages",
                     "team_loops"):
            self.refuses(name, "found nothing to check")

    def test_messages(self):
        self.write("src/io/a.cpp", 'void f() { throw IoError(where() + ": is cut (a bad copy). " +\n'
                                   '                         "Fetch it again"); }\n')
        self.accepts("messages")
        self.write("src/io/b.cpp", 'void f() { throw io::IoError(name + ": is cut (a bad copy)"); }\n')
        self.refuses("messages", "src/io/b.cpp:1: the error does not say what to do")

    def test_format(self):
        self.write("src/base/a.cpp", "int f() { return 1; }\n")
        self.accepts("format")
        self.write("src/base/b.hpp", "int  f( ) ;\n")
        self.refuses("format", "src/base/b.hpp:1")

    def test_length(self):
        self.write("src/base/a.cpp", "\n" * 400)
        self.accepts("length")
        self.write("src/base/b.cpp", "\n" * 401)
        self.refuses("length", "src/base/b.cpp: has 401 lines (at most 400)")
        os.remove(os.path.join(self.root, "src/base/b.cpp"))
        self.write("scripts/long", "\n" * 401)
        self.refuses("length", "scripts/long: has 401 lines")

    def test_words(self):
        self.write("src/base/a.cpp", "// todos, /usr/include, a/wo" "rk/b, https://x.org/wo" "rk/\n")
        self.accepts("words")
        for path, text in (("src/base/b.cpp", "// TO" "DO: later\n"),
                           ("docs/c.md", "see /wo" "rk/data\n"),
                           ("scripts/run", "cd /ho" "me/me\n"),
                           ("src/base/d.hpp", "/* FIX" "ME */\n")):
            self.write(path, text)
            self.refuses("words", f"{path}:1: ")
            os.remove(os.path.join(self.root, path))

    def include(self, path, line, expected):
        """`path` with this include is refused; expected=None: accepted."""
        self.write(path, f"#pragma once\n{line}\n")
        if expected is None:
            self.accepts("includes")
        else:
            self.refuses("includes", expected)
        os.remove(os.path.join(self.root, path))

    def test_arrows(self):
        boxes = ("src/base", "src/config", "src/plan", "src/model", "kernels", "parallel",
                 "src/engine", "src/io", "src/data", "src/train", "src/report", "tests/support")
        for box in boxes:
            self.write(f"{box}/known.hpp", GOOD)
        for path, box, legal in (
                ("src/config/a.cpp", "src/base", True), ("src/base/a.cpp", "src/config", False),
                ("src/plan/a.hpp", "src/config", True), ("src/plan/a.hpp", "src/model", False),
                ("src/model/a.cpp", "src/base", True), ("src/model/a.cpp", "kernels", False),
                ("src/model/a.cpp", "parallel", False), ("kernels/a.cpp", "src/plan", False),
                ("kernels/reference/a.cpp", "kernels", False), ("parallel/a.cpp", "src/io", False),
                ("src/engine/a.cpp", "kernels", True), ("src/engine/a.cpp", "src/config", True),
                ("src/train/a.cpp", "kernels", False), ("src/train/a.cpp", "parallel", True),
                ("src/train/a.cpp", "src/model", True), ("src/io/a.cpp", "src/data", False),
                ("src/data/a.cpp", "parallel", False), ("src/report/a.cpp", "src/engine", False),
                ("src/app/a.cpp", "src/train", True), ("src/base/a.cpp", "tests/support", False),
                ("tests/io/a.cpp", "kernels", True), ("bench/a.cpp", "kernels", True)):
            self.include(path, f'#include "{box}/known.hpp"',
                         None if legal else f"{path}:2: ")
        self.include("src/plan/a.cpp", '#include "known.hpp"', "does not exist below the root")
        self.include("src/plan/a.cpp", '// #include "known.hpp"', None)
        self.include("src/new_box/a.cpp", '#include "src/base/known.hpp"', "has no arrows")

    def test_foreign_headers(self):
        for path, header, legal in (
                ("kernels/a.hpp", "Kokkos_Core.hpp", True), ("src/model/a.cpp", "Kokkos_Core.hpp",
                                                             False),
                ("kernels/reference/a.cpp", "Kokkos_Core.hpp", False),
                ("src/engine/a.cpp", "Kokkos_Core.hpp", True), ("src/app/a.cpp", "Kokkos_Core.hpp",
                                                                False),
                ("parallel/a.cpp", "mpi.h", True), ("src/train/a.cpp", "mpi.h", False),
                ("src/io/a.cpp", "mpi.h", True), ("src/io/a.hpp", "mpi.h", False),
                ("src/config/a.cpp", "toml++/toml.h", True), ("src/config/a.hpp", "toml++/toml.h",
                                                              False),
                ("src/io/a.cpp", "nlohmann/json.hpp", True), ("src/io/a.hpp", "nlohmann/json.hpp",
                                                              False),
                ("src/io/a.cpp", "hdf5.h", True), ("src/io/a.hpp", "hdf5.h", False),
                ("src/report/a.cpp", "hdf5.h", False), ("src/app/a.hpp", "CLI/CLI.hpp", False),
                ("src/engine/a.cpp", "dnnl.hpp", False), ("kernels/a.cpp", "dnnl.hpp", True),
                ("src/base/a.hpp", "vector", True)):
            use = "\nKokkos::View<int*> v();" if header.startswith("Kokkos") else ""
            self.include(path, f"#include <{header}>{use}", None if legal else f"{path}:2: ")
        self.include("kernels/a.hpp", "#include <Kokkos_Core.hpp>", "names nothing of it")
        self.include("kernels/a.hpp", "#include <Kokkos_Macros.hpp>", None)
        self.write("src/io/one.cpp", "#include <mpi.h>\n")
        self.include("src/io/two.cpp", "#include <mpi.h>", "one unit of box io")

    def test_private_headers(self):
        private = "#pragma once\n// Private to the box\n#include <hdf5.h>\n"
        self.write("src/io/handle.hpp", private)
        self.write("src/io/writer.hpp", '#pragma once\n// Private to the box\n'
                                        '#include "src/io/handle.hpp"\n')
        self.include("src/io/a.cpp", '#include "src/io/writer.hpp"', None)
        for path in ("src/io/a.hpp", "src/report/a.cpp", "tests/io/a.cpp"):
            self.include(path, '#include "src/io/handle.hpp"', "is private to its box")

    def test_pragma_once(self):
        self.write("src/base/a.hpp", "int f();\n")
        self.refuses("includes", "has no #pragma once")

    def test_links(self):
        self.write("src/base/a.hpp", GOOD)
        self.write("src/model/CMakeLists.txt",
                   "vlmark_add_library(model SOURCES a.cpp\n  LINKS vlmark_plan)\n")
        self.accepts("includes")
        self.write("src/model/CMakeLists.txt",
                   "vlmark_add_library(model SOURCES a.cpp\n  LINKS vlmark_plan vlmark_kernels)\n")
        self.refuses("includes", "box model links vlmark_kernels")

    def test_kokkos_labels(self):
        kernel = "void f() {{ Kokkos::parallel_for({}); }}\n"
        for path, first, expected in (
                ("kernels/a.cpp", '"vlmark::f", 3, g', None),
                ("kernels/a.cpp", '"f", 3, g', "label 'f' lacks its prefix"),
                ("kernels/a.cpp", '"test::f", 3, g', "expected vlmark::"),
                ("kernels/a.cpp", "\n    Kokkos::RangePolicy<Exec>(0, 3), g", "without a label"),
                ("kernels/a.cpp", "3, g", "without a label"),
                ("kernels/a.cpp", "Kokkos::TeamVectorRange(team, 3), g", None),
                ("kernels/a.cpp", "label, 3, g", None),
                ("tests/a.cpp", '"test::f", 3, g', None)):
            self.write(path, kernel.format(first))
            if expected is None:
                self.accepts("kokkos_labels")
            else:
                self.refuses("kokkos_labels", expected)
            os.remove(os.path.join(self.root, path))
        self.write("src/engine/a.cpp", "void f() { Kokkos::fence(); }\n")
        self.refuses("kokkos_labels", "src/engine/a.cpp:1: a kernel or fence without a label")

    def test_team_loops(self):
        self.write("kernels/team.hpp", "Kokkos::parallel_for(Kokkos::TeamVectorRange(team, n), f);\n")
        self.accepts("team_loops")
        for path, text in (("kernels/a.cpp", "Kokkos::TeamPolicy<Exec> p(exec, 3, 4);"),
                           ("kernels/a.hpp", "f(Kokkos::ThreadVectorRange(team, n));"),
                           ("kernels/a.hpp", "f(TeamThreadRange(team, n));"),
                           ("src/engine/a.cpp", "Kokkos::single(Kokkos::PerThread(team), f);"),
                           ("tests/kernels/a.cpp", "f(team_policy(exec, 3, Kokkos::AUTO));"),
                           ("bench/a.cpp", "f(Kokkos::TeamThreadMDRange(team, n, m));")):
            self.write(path, f"// TeamPolicy in a comment\n{text}\n")
            self.refuses("team_loops", f"{path}:2: ")
            os.remove(os.path.join(self.root, path))
        self.write("kernels/a.cpp", "team.team_barrier(); Kokkos::single(Kokkos::PerTeam(team), f);\n")
        self.accepts("team_loops")

    def test_test_labels(self):
        def problems(**properties):
            listed = [{"name": k, "value": v} for k, v in properties.items()]
            tests = [{"name": "t", "properties": listed}]
            return "\n".join(check_test_labels.problems_of(tests))

        self.assertEqual(problems(LABELS=["unit"], TIMEOUT=60), "")
        self.assertIn("test t: has the labels []", problems(TIMEOUT=60))
        self.assertIn("has the labels ['units']", problems(LABELS=["units"], TIMEOUT=60))
        self.assertIn("['unit', 'mpi']", problems(LABELS=["unit", "mpi"], TIMEOUT=60))
        self.assertIn("has no TIMEOUT", problems(LABELS=["unit"]))

    def test_headers(self):
        build = os.path.join(self.root, "build")
        source = os.path.join(self.root, "src/base/a.cpp")
        self.write("src/base/a.cpp", "")
        self.write("build/compile_commands.json", json.dumps([{
            "directory": build, "file": source,
            "command": f"ccache {COMPILER} -std=c++20 -O3 -MD -MT a.o -MF a.d -o a.o -c {source}"}]))
        self.write("src/base/good.hpp", "#pragma once\n#include <string>\nstd::string f();\n")
        self.accepts("headers", build)
        self.write("src/base/bad.hpp", "#pragma once\nstd::string f();\n")
        self.refuses("headers", "src/base/bad.hpp: does not compile alone", build)
        # Left to the build, which compiles exactly this.
        self.write("src/base/a.cpp", '// A comment.\n#include "src/base/bad.hpp"\n')
        self.accepts("headers", build)
        self.write("src/base/a.cpp", '#include <string>\n\n#include "src/base/bad.hpp"\n')
        self.refuses("headers", "src/base/bad.hpp: does not compile alone", build)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
